"""How smooth the viewer is: `python -m tools.benchmarks.viewer` prints frame times.

A deck of eight linked pictures of 640 CSS pixels in a real Chromium. Work is what the viewer's own
code takes of a frame; a frame is the time between two pictures on the screen. Without a graphics
card (as on a server) the browser draws in software, and a frame takes longer than on a laptop.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from effnet_viz.ui import words
from tests.browser.visitor import ARGUMENTS, ROOT, serving

PICTURES = 8
SIDE = 640
GAP, MARGIN = 16, 16
MOVES = 120

PAGE = f"""
import numpy as np
import streamlit as st
from effnet_viz.arrays import Placement
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import resized
from effnet_viz.images.samples import samples
from effnet_viz.pictures.encode import data_url
from effnet_viz.ui import front_end, viewer
from effnet_viz.ui.layout import theme

st.set_page_config(layout="wide")
front_end.bring_code()
st.html(f"<style>{{theme.css_tokens()}}</style>")
st.html("<style>.stMainBlockContainer {{ max-width: none; padding: {MARGIN}px }}</style>")
picture = resized(decode(samples()["palace"].path).reduced(800), 800, 800)
photograph = viewer.Photograph("p", data_url(picture, "jpeg"), 800, 800, (800, 800))
names = [str(number) for number in range({PICTURES})]
viewer.deck(
    photograph,
    [viewer.Slot(name) for name in names],
    layout="row",
    scale="own",
    presented=viewer.Presented("", ""),
    on_step={{}},
)
values = np.random.default_rng(0).normal(size=({PICTURES}, 12, 12)).astype("float32")
for name, shown in zip(names, values):
    drawn = viewer.Map(shown, Placement.even(12), "evidence")
    viewer.show(name, viewer.Picture(photograph, (0, 0, 1, 1), drawn, "map"))
"""

WATCH = """
window.work = []; window.intervals = [];
const raf = window.requestAnimationFrame.bind(window);
let spent = 0;
window.requestAnimationFrame = (draw) => raf((time) => {
  const start = performance.now(); draw(time); spent += performance.now() - start;
});
let last = 0;
const tick = (time) => {
  window.work.push(spent); spent = 0;
  if (last) window.intervals.push(time - last);
  last = time; raf(tick);
};
raf(tick);
"""


def measure(page: Page, name: str, script: str) -> None:
    """Runs a step of `script` in every one of MOVES frames; prints what the frames took."""
    work, frames = page.evaluate(
        f"""async () => {{
          window.work.length = window.intervals.length = 0;
          const deck = [...document.querySelectorAll('*')].map((e) => e.shadowRoot)
            .map((root) => root?.querySelector('.deck')).find(Boolean);
          const stages = [...deck.querySelectorAll('.stage')];
          const frame = stages[0].getBoundingClientRect();
          for (let i = 0; i < {MOVES}; i += 1) {{
            {script}
            await new Promise((next) => requestAnimationFrame(next));
          }}
          return [window.work.slice(), window.intervals.slice()];
        }}"""
    )
    columns = [statistics.median(work), max(work), statistics.median(frames), max(frames)]
    sys.stdout.write(f"| {name} | " + " | ".join(f"{c:.1f}" for c in columns) + " |\n")


def _set(label: str, choose: str, event: str) -> str:
    """A step that changes the control of this label."""
    control = f"deck.querySelector('[aria-label=\"{words.BROWSER[label]}\"]')"
    return f"const c = {control}; {choose}; c.dispatchEvent(new Event('{event}'));"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder) / "page.py"
        script.write_text(PAGE)
        program = ["-m", "streamlit", "run", str(script)]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        with serving(Path(folder), program, {"PYTHONPATH": str(ROOT)}) as url:
            width = PICTURES * SIDE + (PICTURES - 1) * GAP + 2 * MARGIN
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.add_init_script(WATCH)
            page.goto(url)
            page.locator(".stage img.photograph").nth(PICTURES - 1).wait_for()
            page.wait_for_timeout(2000)
            box = page.locator(".stage").first.bounding_box()
            assert box is not None
            sys.stdout.write(f"{PICTURES} pictures of {box['width']:.0f} px, milliseconds\n\n")
            sys.stdout.write("| | work, median | worst | frame, median | worst |\n")
            sys.stdout.write("| --- | --- | --- | --- | --- |\n")
            for name, step in {
                "nothing": "",
                "pointing": "stages[0].dispatchEvent(new PointerEvent('pointermove', {pointerId: 1,"
                " bubbles: true, clientX: frame.left + 5 * i, clientY: frame.top + 4 * i}));",
                "opacity": _set("opacity", "c.value = 5 * (i % 20)", "input"),
                "threshold": _set("threshold", "c.value = 5 * (i % 19)", "input"),
                "zoom": "document.dispatchEvent(new KeyboardEvent('keydown',"
                " {key: i % 8 < 4 ? '+' : '-', bubbles: true, composed: true}));",
                "colours": _set("colours", "c.selectedIndex = i % c.options.length", "change"),
            }.items():
                measure(page, name, step)
        browser.close()


if __name__ == "__main__":
    main()
