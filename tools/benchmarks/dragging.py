"""How fast real networks follow a dragged object: `python -m tools.benchmarks.dragging`.

The four networks that the scaling lab begins with, CAM. The page in a real Chromium that shares the
cores and draws in software: the time from one place of the object to the next, when all pictures
show it. Against it the bare passes of the four engines, one after the other, which take turns with
the page, so that whatever else the machine does slows down both. 1 when a requirement does not
hold.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from effnet_viz.analysis.analysis import analyse
from effnet_viz.arrays import area_mean
from effnet_viz.models.model import Model, load
from effnet_viz.scenes.editor import compose
from effnet_viz.study import bench
from effnet_viz.ui.lab.bench import DRAGGED_MASK_SIDE, DRAGGED_SIDE
from effnet_viz.ui.lab.bench_controls import START
from effnet_viz.ui.lab.bench_networks import FIRST
from tests.browser.visitor import ARGUMENTS, WIDE, serving
from tools.benchmarks.lab import PICTURES, WATCH
from tools.requirement import Requirement, table

MOST = 1.6
"""From pointer to picture, in bare passes of the four engines."""
SECONDS = 8.0
"""Of dragging in each round."""
CENTRE = 0.5
"""Where the object is before it is dragged, across and down."""
_SWAY = 30
"""Pixels from there while it is dragged."""


def passes(models: Sequence[Model], repeats: int) -> list[float]:
    """Seconds of the four engines' forward passes, one after the other."""
    inputs = [
        np.random.default_rng(1).standard_normal(
            (1, 3, model.preprocessing.resolution, model.preprocessing.resolution), np.float32
        )
        for model in models
    ]

    def once() -> float:
        began = time.perf_counter()
        for model, image in zip(models, inputs, strict=True):
            model.engine.forward(image)
        return time.perf_counter() - began

    once()
    return [once() for _ in range(repeats)]


def work(models: Sequence[Model], repeats: int) -> list[float]:
    """Seconds of all that a frame computes, without the page."""

    def once() -> float:
        began = time.perf_counter()
        scene = compose(START, DRAGGED_SIDE)
        masks = area_mean(scene.masks, DRAGGED_MASK_SIDE, DRAGGED_MASK_SIDE)
        scene.outlines()
        for model in models:
            asked = bench.for_object(analyse(scene.photograph, model), scene, 0)
            bench.shares(asked.attribute("cam"), masks, 0)
        return time.perf_counter() - began

    once()
    return [once() for _ in range(repeats)]


def drag(page: Page) -> list[float]:
    """Seconds between the pictures of a dragged object."""
    box = page.locator(PICTURES).nth(1).bounding_box()
    assert box is not None
    x = box["x"] + CENTRE * box["width"]
    y = box["y"] + CENTRE * box["height"]
    page.evaluate("() => { window.arrivals = []; }")
    page.mouse.move(x, y)
    page.mouse.down()
    began, step = time.monotonic(), 0
    while time.monotonic() < began + SECONDS:
        step += 1
        page.mouse.move(x + _SWAY * math.cos(step / 15), y + _SWAY * math.sin(step / 15))
        page.wait_for_timeout(16)
    arrivals: list[float] = page.evaluate("arrivals")
    page.mouse.move(x, y)
    page.mouse.up()
    page.wait_for_timeout(3000)  # the full picture
    return [(later - one) / 1000 for one, later in pairwise(arrivals[1:])]


def _row(name: str, seconds: Sequence[float]) -> str:
    ordered = sorted(1000 * value for value in seconds)
    return (
        f"| {name} | {statistics.median(ordered):.0f} | {ordered[int(0.95 * len(ordered))]:.0f} | "
        f"{len(ordered)} |\n"
    )


def main() -> int:
    """Measure it; 1 when a requirement does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.dragging")
    parser.add_argument("--rounds", type=int, default=5, help="of page and bare passes in turn")
    rounds = parser.parse_args().rounds
    models = [load(key) for key in FIRST]
    bare: list[float] = []
    computed: list[float] = []
    frames: list[float] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        with serving(Path(folder), ["-m", "effnet_viz.cli", "serve"]) as url:
            page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
            page.set_default_timeout(120_000)
            page.goto(url + f"scaling_lab?first_at={CENTRE:.3f},{CENTRE:.3f}")
            page.locator(".slot .said .name").nth(len(FIRST) - 1).wait_for()
            page.wait_for_timeout(5000)
            watched = page.evaluate(WATCH)
            if watched != len(FIRST):
                raise RuntimeError(f"{watched} pictures of a scene, not {len(FIRST)}.")
            for _ in range(rounds):
                bare += passes(models, 10)
                computed += work(models, 10)
                frames += drag(page)
        browser.close()
    sys.stdout.write(
        "| milliseconds | median | 95 % within | times |\n| --- | ---: | ---: | ---: |\n"
    )
    for name, seconds in (
        ("four bare engine passes", bare),
        ("all that a frame computes", computed),
        ("page, from one picture to the next", frames),
    ):
        sys.stdout.write(_row(name, seconds))
    ratio = statistics.median(frames) / statistics.median(bare)
    found = [Requirement("from pointer to picture, of the four bare passes", ratio, MOST, "×")]
    sys.stdout.write("\n" + table(found))
    return 0 if all(requirement.holds for requirement in found) else 1


if __name__ == "__main__":
    sys.exit(main())
