"""How fast the scaling lab follows: `python -m tools.benchmarks.lab` prints milliseconds a frame.

First the work alone: a scene put together, five networks on it, maps and measures. Then the page in
a real Chromium that shares the cores and draws in software: the time from one place of the dragged
object to the next, when all five pictures show it.
"""

from __future__ import annotations

import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from effnet_viz.analysis.explanation import explain
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.scalings import SCALINGS
from tests.browser.visitor import ARGUMENTS, WIDE, serving

FRAMES = 60
PICTURES = "[data-slot] .stage:visible"
"""Of all networks."""
CENTRE = 0.5
"""Where the object is before it is dragged, across and down."""
WATCH = """
() => {
  const stages = [...document.querySelectorAll("*")].map((part) => part.shadowRoot)
    .filter(Boolean).flatMap((root) => [...root.querySelectorAll("[data-slot] img.photograph")])
    .filter((image) => image.checkVisibility());
  window.arrivals = [];
  let last = "";
  const look = () => {
    const shown = new Set(stages.map((image) => image.src));
    if (shown.size === 1 && stages[0].src !== last) {
      last = stages[0].src;
      window.arrivals.push(performance.now());
    }
    requestAnimationFrame(look);
  };
  look();
  return stages.length;
}
"""


def work(method: str) -> list[float]:
    """Seconds of every frame."""
    spec = scene_editor.chosen_by_chance(11, demo.UNSEEN_VENDOR)

    def frame(number: int) -> float:
        began = time.perf_counter()
        moved = replace(spec, cx=0.3 + 0.4 * number / FRAMES)
        scene = scene_editor.compose(moved).scene
        photograph = demo.photograph_of(scene)
        for model in demo.models().values():
            demo.score(explain(photograph, model, scene.label, demo.STAGES[method]), scene)
        return time.perf_counter() - began

    frame(0)
    return [frame(number) for number in range(FRAMES)]


def drag(page: Page) -> list[float]:
    """Seconds between the pictures of a dragged object."""
    page.locator(f"{PICTURES} img.photograph").nth(len(SCALINGS) - 1).wait_for()
    page.wait_for_timeout(3000)
    watched = page.evaluate(WATCH)
    if watched != len(SCALINGS):
        raise RuntimeError(f"{watched} pictures of a scene, not {len(SCALINGS)}.")
    box = page.locator(PICTURES).nth(2).bounding_box()
    assert box is not None
    x = box["x"] + CENTRE * box["width"]
    y = box["y"] + CENTRE * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    began, step = time.monotonic(), 0
    while time.monotonic() < began + 10:
        step += 1
        page.mouse.move(x + 30 * math.cos(step / 15), y + 30 * math.sin(step / 15))
        page.wait_for_timeout(16)
    page.mouse.up()
    arrivals: list[float] = page.evaluate("arrivals")
    return [(later - one) / 1000 for one, later in pairwise(arrivals[1:])]


def say(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(1000 * value for value in seconds)
    sys.stdout.write(
        f"{name}: median {statistics.median(ordered):.0f} ms, "
        f"95 % within {ordered[int(0.95 * len(ordered))]:.0f} ms, {len(ordered)} frames\n"
    )


def main() -> None:
    measured: dict[str, Callable[[], list[float]]] = {
        "scene, five networks, CAM": lambda: work("CAM"),
        "scene, five networks, Grad-CAM": lambda: work("Grad-CAM"),
    }
    for name, measure in measured.items():
        say(name, measure())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        with serving(Path(folder), ["-m", "effnet_viz.cli", "serve"]) as url:
            page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
            page.set_default_timeout(120_000)
            page.goto(url + f"scaling_lab?bench=Five+miniatures&place={CENTRE:.3f},{CENTRE:.3f}")
            say("page, dragging", drag(page))
        browser.close()


if __name__ == "__main__":
    main()
