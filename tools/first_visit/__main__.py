"""`python -m tools.first_visit`: opens every page as for the first time; what that costs."""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from effnet_viz.ui.words import PAGES
from tests.browser.visitor import ARGUMENTS
from tools.first_visit.visit import Line, Size, Visit, visit
from tools.load import server
from tools.load.protocol import HOST
from tools.requirement import Requirement, table

FIRST_MAP = "canvas.heat"
"""What a visitor comes for, as a CSS selector; it is looked for in shadow trees, too."""
SIZES = (Size(1440, 900), Size(1280, 720), Size(390, 844))
MAIN = PAGES["app.py"][0]
MOST_MEGABYTES = 2
MOST_SHIFT = 0.05

SLOW = Line(bits_per_second=8e6, latency=0.04, slowdown=4)
ROUNDS = 3
"""Slow visits to each of the two pages, in turn; the median counts."""
MOST_BEHIND_EMPTY = 2.0
"""Seconds."""
EMPTY = """import streamlit as st
st.set_page_config(layout="wide")
st.write("An empty page")
"""
EMPTY_SHOWN = "[data-testid=stMarkdownContainer] p"

TOLD = 3
"""How many of the worst shifts and of the largest files are told."""


def main() -> int:
    """Measure a first visit of every page; 1 when a requirement does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.first_visit", description=main.__doc__)
    parser.add_argument(
        "--slow",
        action="store_true",
        help="measure on a slow line and computer, beside an empty page, when the first map comes",
    )
    measure = measure_slow if parser.parse_args().slow else measure_pages
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        found = measure(browser, Path(folder))
    sys.stdout.write("\n" + table(found))
    return 0 if all(requirement.holds for requirement in found) else 1


def measure_pages(browser: Browser, folder: Path) -> list[Requirement]:
    """Every page in every size, on a server that has just started."""
    found: list[Requirement] = []
    told: list[str] = []
    columns = ("page", "size", "kB", "requests", "layout shift", "first map (s)")
    sys.stdout.write(f"| {' | '.join(columns)} |\n{'| --- ' * len(columns)}|\n")
    with server.running(folder) as running:
        for path, (title, _) in PAGES.items():
            visits = [
                visit(browser, page_address(running, path), size, FIRST_MAP) for size in SIZES
            ]
            for size, made in zip(SIZES, visits, strict=True):
                sys.stdout.write(_row(title, size, made))
                told += _worst(title, size, made)
            if title == MAIN:
                heaviest = max(visits, key=lambda made: made.total)
                told += _largest(title, heaviest)
                megabytes = heaviest.total / 1e6
                found.append(
                    Requirement(f"{title}: over the wire", megabytes, MOST_MEGABYTES, "MB")
                )
            most_moved = max(made.layout_shift for made in visits)
            found.append(Requirement(f"{title}: layout shift", most_moved, MOST_SHIFT, ""))
    sys.stdout.write("\n" + "".join(told))
    return found


def measure_slow(browser: Browser, folder: Path) -> list[Requirement]:
    """The main page beside an empty one of Streamlit's.

    Somebody has opened both before: what a server computes once for all is not measured.
    """
    app, empty = folder / "app", folder / "empty"
    for directory in (app, empty):
        directory.mkdir()
    script = empty / "empty.py"
    script.write_text(EMPTY, encoding="utf-8")
    plain = ("-m", "streamlit", "run", str(script), "--browser.gatherUsageStats", "false")
    with (
        server.running(app) as ours,
        server.running(empty, plain, directory=empty) as streamlits,
    ):
        pages = [(page_address(ours, ""), FIRST_MAP), (page_address(streamlits, ""), EMPTY_SHOWN)]
        for url, selector in pages:
            visit(browser, url, SIZES[0], selector, wait_for_it=True)
        rounds = [
            [
                visit(browser, url, SIZES[0], selector, line=SLOW, wait_for_it=True).shown
                for url, selector in pages
            ]
            for _ in range(ROUNDS)
        ]
    maps, words = zip(*rounds, strict=True)
    sys.stdout.write(
        f"{SLOW.bits_per_second / 1e6:g} Mbit/s, {SLOW.latency * 1000:g} ms, a computer "
        f"{SLOW.slowdown:g} times slower, {SIZES[0]}; seconds until it is shown:\n\n"
        f"- first map of “{MAIN}”: {_seconds(maps)}\n- an empty page: {_seconds(words)}\n"
    )
    behind = statistics.median(maps) - statistics.median(words)
    return [Requirement("first map after an empty page", behind, MOST_BEHIND_EMPTY, "s")]


def page_address(running: server.Server, path: str) -> str:
    """The address of a page, which Streamlit makes of its file's name."""
    page = Path(path)
    return f"http://{HOST}:{running.port}/{page.stem if page.parent.name else ''}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks no server of its maker's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        yield browser
        browser.close()


def _row(title: str, size: Size, made: Visit) -> str:
    shown = "–" if made.shown is None else f"{made.shown:.2f}"
    kilobytes = f"{made.total / 1000:.0f}"
    cells = (title, size, kilobytes, made.requests, f"{made.layout_shift:.3f}", shown)
    return f"| {' | '.join(map(str, cells))} |\n"


def _worst(title: str, size: Size, made: Visit) -> list[str]:
    """The shifts that moved most, and what they moved."""
    return [
        f"- {title}, {size}: {shift.value:.3f} after {shift.at:.2f} s\n"
        + "".join(f"  - {source}\n" for source in shift.sources)
        for shift in made.shifts[:TOLD]
    ]


def _largest(title: str, made: Visit) -> list[str]:
    """What is largest of what came over the wire."""
    by_size = sorted(made.received.items(), key=lambda item: -item[1])
    return [f"- {title}: {size / 1000:.0f} kB, {source}\n" for source, size in by_size[:TOLD]]


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({', '.join(f'{value:.2f}' for value in values)})"


if __name__ == "__main__":
    sys.exit(main())
