"""How long until a server that has just started shows something.

    python -m tools.benchmarks.opening [--rounds 5]

Every figure is of a fresh process, in turn with an empty page of Streamlit's; converted networks
lie in the cache, which is filled first. The browser's tab is open before the server is started.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tools.first_visit.__main__ import EMPTY, EMPTY_SHOWN, FIRST_MAP, SIZES, chromium, page_address
from tools.first_visit.visit import NOTICE, PATIENCE
from tools.load import expectations, report, server
from tools.load.expectations import Book
from tools.load.scenarios import Outcome, Plan, carry_out
from tools.requirement import Requirement, table

LAST_MAP = f".slot:last-child {FIRST_MAP}"
"""Of the lab, which shows its five networks in turn."""
LAB = "pages/scaling_lab.py"

MOST_UNTIL_ANSWER = 1.5
MOST_BEYOND_EMPTY = 4.0
MOST_FOR_LAB = 3.0
MOST_FOR_TABS = 5.0
"""Seconds."""
TABS = 30
SHARE = 0.95

_LOOK = "() => ({shown: window.firstVisit.shown, origin: performance.timeOrigin})"


@dataclass(frozen=True)
class Opening:
    """A page of a server that has just started, opened as soon as the server answers; seconds."""

    answered: float
    """From the start of the process to its first answer."""
    shown: float
    """From the start of the process until the page showed what one comes for."""
    page: float
    """From asking for the page until then."""


@dataclass(frozen=True)
class Round:
    """Every page once, each on a server of its own."""

    empty: Opening
    app: Opening
    lab: Opening
    tabs: Outcome


def main() -> int:
    """Measure it; 1 when a requirement does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.opening", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of which the medians count")
    arguments = parser.parse_args()

    _say("Filling the cache of converted networks …")
    convert = [sys.executable, "-m", "effnet_viz.cli", "convert"]
    subprocess.run(convert, cwd=server.ROOT, check=True)
    _say(f"Computing what {TABS} photographs must show …")
    book = expectations.write_book(TABS, seed=1, models=[expectations.FIRST_MODEL])
    _one_round(book)  # files are read from the disk once
    rounds = []
    for number in range(arguments.rounds):
        _say(f"Round {number + 1} of {arguments.rounds} …")
        rounds.append(_one_round(book))
    _say(f"{TABS} photographs at once …")
    photographs = carry_out(_plan("photographs"), book)
    found = requirements(rounds, photographs)
    sys.stdout.write(figures(rounds, photographs) + "\n" + table(found))
    return 0 if all(requirement.holds for requirement in found) else 1


def _one_round(book: Book) -> Round:
    with chromium() as browser:
        empty = _open_empty(browser)
        app, lab = _open(browser, "app.py", FIRST_MAP), _open(browser, LAB, LAST_MAP)
    return Round(empty, app, lab, carry_out(_plan("sample"), book))


def _plan(scenario: str) -> Plan:
    """Everybody at once, a few clicks, and no more."""
    return Plan(scenario, TABS, seconds=0, reload_every=0, lite1_share=0)


def _open(browser: Browser, path: str, selector: str) -> Opening:
    return _opening(browser, server.APP, server.ROOT, path, selector)


def _open_empty(browser: Browser) -> Opening:
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "empty.py"
        script.write_text(EMPTY, encoding="utf-8")
        program = ("-m", "streamlit", "run", str(script), "--browser.gatherUsageStats", "false")
        return _opening(browser, program, script.parent, "empty.py", EMPTY_SHOWN)


def _opening(
    browser: Browser, program: Sequence[str], directory: Path, path: str, selector: str
) -> Opening:
    size = SIZES[0]
    context = browser.new_context(viewport={"width": size.width, "height": size.height})
    page = context.new_page()
    page.add_init_script(f"{{\nconst SELECTOR = {selector!r};\n{NOTICE}}}")
    with (
        tempfile.TemporaryDirectory() as folder,
        server.running(Path(folder), program, directory=directory) as running,
    ):
        page.goto(page_address(running, path), wait_until="commit")
        page.wait_for_function("() => window.firstVisit.shown !== null", timeout=1000 * PATIENCE)
        seen = page.evaluate(_LOOK)
        context.close()
    shown = seen["shown"] / 1000
    return Opening(running.answered, seen["origin"] / 1000 + shown - running.started, shown)


def first_maps(outcome: Outcome) -> list[float]:
    """Seconds until each tab had its first map; of one that never had any, infinitely many."""
    return [
        float("inf") if made.first_picture is None else made.first_picture
        for made in outcome.measured
        if made.action == "open"
    ]


def requirements(rounds: Sequence[Round], photographs: Outcome) -> list[Requirement]:
    """What was reached, and what is to be reached."""
    median = statistics.median
    beyond = median(one.app.shown for one in rounds) - median(one.empty.page for one in rounds)
    tabs = median(report.percentile(first_maps(one.tabs), SHARE) for one in rounds)
    runs = [photographs, *(one.tabs for one in rounds)]
    wrong = sum(len(run.errors) + len(run.foreign) for run in runs)
    return [
        Requirement(
            "process start to the first answer",
            median(opened.answered for one in rounds for opened in (one.app, one.lab)),
            MOST_UNTIL_ANSWER,
            "s",
        ),
        Requirement(
            "process start to the first explained sample, beyond an empty page's own time",
            beyond,
            MOST_BEYOND_EMPTY,
            "s",
        ),
        Requirement(
            "first opening of the scaling lab, to the last of its maps",
            median(one.lab.page for one in rounds),
            MOST_FOR_LAB,
            "s",
        ),
        Requirement(
            f"{TABS} tabs at once, first map ({SHARE:.0%} of them)", tabs, MOST_FOR_TABS, "s"
        ),
        Requirement(
            f"{TABS} photographs at once, of a bare loop's images/s",
            photographs.ratio or 0.0,
            report.LEAST_RATIO,
            "",
            at_least=True,
        ),
        Requirement("errors and foreign results", wrong, 0, ""),
    ]


def figures(rounds: Sequence[Round], photographs: Outcome) -> str:
    """What the requirements are computed from, every round."""
    lines = ["| | median | all |", "| --- | ---: | --- |"]
    openings = {
        "an empty page": [one.empty for one in rounds],
        "the main page, first map": [one.app for one in rounds],
        "the scaling lab, last map": [one.lab for one in rounds],
    }
    for name, opened in openings.items():
        lines += [
            _row(f"{name}: process start to the first answer", [one.answered for one in opened]),
            _row(f"{name}: process start until it is shown", [one.shown for one in opened]),
            _row(f"{name}: opened until it is shown", [one.page for one in opened]),
        ]
    for share, name in ((0.5, "median"), (SHARE, f"{SHARE:.0%}"), (1.0, "last")):
        waits = [report.percentile(first_maps(one.tabs), share) for one in rounds]
        lines.append(_row(f"{TABS} tabs at once, first map, {name}", waits))
    rates = (photographs.images_per_second, photographs.bare_rate)
    told = " of ".join("–" if rate is None else f"{rate:.1f}" for rate in rates)
    lines.append(f"| {TABS} photographs at once, of the bare loop's images/s | {told} | |")
    return "\n".join(lines) + "\n"


def _row(name: str, seconds: Sequence[float]) -> str:
    every = ", ".join(f"{value:.2f}" for value in seconds)
    return f"| {name} | {statistics.median(seconds):.2f} s | {every} |"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
