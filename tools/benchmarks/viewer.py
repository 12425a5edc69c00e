"""How smooth the viewer is: `python -m tools.benchmarks.viewer` prints frame times.

Eight linked panes of 640 CSS pixels in a real Chromium. Work is what the viewer's own code takes of
a frame; a frame is the time between two pictures on the screen. Without a graphics card (as on a
server) the browser draws in software, and a frame takes longer than on a laptop.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.visitor import ARGUMENTS, ROOT, serving

PANES = 8
SIDE = 640
MOVES = 120

PAGE = f"""
import numpy as np
import streamlit as st
from effnet_viz.arrays import Placement
from effnet_viz.ui import viewer
from effnet_viz.samples import samples
from effnet_viz import image, render

picture = image.decode(samples()["palace"].path).reduced(800)
picture = image.resized(picture, 800, 800)
photograph = viewer.Photograph("p", render.data_url(picture, "jpeg"), 800, 800, (800, 800))
st.html("<style>.stMainBlockContainer {{ max-width: none; padding: 1rem }}</style>")
viewer.toolbar(photograph, key="bar", on_step=lambda what, by: None, on_box=None)
values = np.random.default_rng(0).normal(size=({PANES}, 12, 12)).astype("float32")
columns = st.columns([{SIDE}] * 4, gap=None)
for i in range({PANES}):
    with columns[i % 4]:
        viewer.pane(
            photograph, (0, 0, 1, 1), values[i], placement=Placement.even(12), kind="evidence",
            description="map",
            caption=["map"], stamp="", field=None, covered=None, file="", key=str(i),
        )
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
          const stages = [...document.querySelectorAll('*')].map((e) => e.shadowRoot)
            .filter(Boolean).map((r) => r.querySelector('.stage')).filter(Boolean);
          const bar = [...document.querySelectorAll('*')].map((e) => e.shadowRoot)
            .filter(Boolean).find((r) => r.querySelector('.toolbar'));
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


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = Path(folder) / "page.py"
        script.write_text(PAGE)
        program = ["-m", "streamlit", "run", str(script)]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        with serving(Path(folder), program, {"PYTHONPATH": str(ROOT)}) as url:
            page = browser.new_page(viewport={"width": 4 * SIDE + 40, "height": 1600})
            page.add_init_script(WATCH)
            page.goto(url)
            page.locator(".stage").nth(PANES - 1).wait_for()
            page.wait_for_timeout(2000)
            width = page.locator(".stage").first.bounding_box()
            assert width is not None
            sys.stdout.write(f"{PANES} panes of {width['width']:.0f} px, milliseconds\n\n")
            sys.stdout.write("| | work, median | worst | frame, median | worst |\n")
            sys.stdout.write("| --- | --- | --- | --- | --- |\n")
            slide = "bar.querySelector('[aria-label=\"{}\"]')"
            change = "const s = {}; s.value = {}; s.dispatchEvent(new Event('input'));"
            for name, step in {
                "nothing": "",
                "pointing": "stages[0].dispatchEvent(new PointerEvent('pointermove', {pointerId: 1,"
                " bubbles: true, clientX: frame.left + 5 * i, clientY: frame.top + 4 * i}));",
                "opacity": change.format(slide.format("Opacity"), "i % 100"),
                "threshold": change.format(slide.format("Threshold"), "i % 95"),
                "zoom": "document.dispatchEvent(new KeyboardEvent('keydown',"
                " {key: i % 8 < 4 ? '+' : '-', bubbles: true, composed: true}));",
                "colours": "const c = bar.querySelector('select');"
                " c.selectedIndex = i % 4; c.dispatchEvent(new Event('change'));",
            }.items():
                measure(page, name, step)
        browser.close()


if __name__ == "__main__":
    main()
