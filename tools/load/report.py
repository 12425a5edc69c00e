"""The report of a load test, as Markdown, and whether the requirements hold."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence

import streamlit

from tools.load.scenarios import Measured, Outcome

JUDGED_SESSIONS = 30
"""Sessions with different photographs for which memory and speed are promised."""
MOST_MEMORY = 4 * 10**9
LEAST_RATIO = 0.7
MOST_GROWTH = 5.0
"""MB per minute that count as not growing: ten minutes of it are 50 MB."""
LEAST_MINUTES = 5.0
"""Shorter runs end while caches still fill up, so their growth is not judged."""
SLOPE_SHARE = 0.6
MOST_DETAILS = 20


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def growth(memory: Sequence[tuple[float, int]]) -> float | None:
    """MB per minute: the slope of a straight line through the last samples."""
    last = memory[int(len(memory) * (1 - SLOPE_SHARE)) :]
    if len(last) < 3:
        return None
    seconds, sizes = zip(*last, strict=True)
    slope = statistics.linear_regression(seconds, sizes).slope
    return slope * 60 / 1e6


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """Requirements that were run and do not hold."""
    found = []
    for outcome in outcomes:
        plan = outcome.plan
        name = f"{plan.sessions} sessions, {plan.scenario}"
        if outcome.errors:
            found.append(f"{name}: {len(outcome.errors)} errors")
        if outcome.foreign:
            found.append(f"{name}: {len(outcome.foreign)} foreign results")
        if plan.scenario != "photographs" or plan.sessions != JUDGED_SESSIONS:
            continue
        peak = max((size for _, size in outcome.memory), default=0)
        if peak >= MOST_MEMORY:
            found.append(f"{name}: {peak / 1e9:.2f} GB of memory, at most {MOST_MEMORY / 1e9:g}")
        slope = growth(outcome.memory)
        if plan.seconds >= 60 * LEAST_MINUTES and slope is not None and slope > MOST_GROWTH:
            found.append(f"{name}: memory grows by {slope:.1f} MB/min, at most {MOST_GROWTH:g}")
        if outcome.ratio is None or outcome.ratio < LEAST_RATIO:
            shown = "unknown" if outcome.ratio is None else f"{outcome.ratio:.2f}"
            found.append(f"{name}: images/s ratio {shown}, at least {LEAST_RATIO:g}")
    return found


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The whole report."""
    parts = [
        "# Load test",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Streamlit {streamlit.__version__}. Times in seconds from sending until the CAM picture "
        "of the new result is loaded: median / 95th percentile / worst. A view is one run of the "
        "page. RSS is the server's with its children; its slope is fitted to the last "
        f"{SLOPE_SHARE:.0%} of the samples. Images/s: all upload at the same moment, until the "
        "last one has the whole page, against a loop on every core that computes the same of the "
        "same files without a server, measured before and after the load, the faster one taken. "
        "The load generator runs on the same cores.",
        _table(
            [
                *("Sessions", "Scenario", "Minutes", "Views", "First picture", "Errors"),
                *("Foreign results", "Peak RSS (MB)", "RSS slope (MB/min)"),
                *("Images/s", "bare loop", "ratio", "Websocket kB/view", "Pictures kB/view"),
                "Generator (cores)",
            ],
            [_row(outcome) for outcome in outcomes],
        ),
        "## By action",
        _table(
            [
                *("Sessions", "Scenario", "Action", "Count"),
                *("First picture", "Script finished", "Websocket kB", "Pictures kB"),
            ],
            [row for outcome in outcomes for row in _action_rows(outcome)],
        ),
        "## Requirements",
        *(
            [f"- FAILED: {failure}" for failure in failures(outcomes)]
            or ["- all that were run hold"]
        ),
    ]
    for outcome in outcomes:
        for kind, details in (("Errors", outcome.errors), ("Foreign results", outcome.foreign)):
            if details:
                title = f"## {kind}: {outcome.plan.sessions} sessions, {outcome.plan.scenario}"
                lines = [f"- visitor {detail}" for detail in details[:MOST_DETAILS]]
                if len(details) > MOST_DETAILS:
                    lines.append(f"- and {len(details) - MOST_DETAILS} more")
                parts += [title, "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _times(values: Sequence[float]) -> str:
    if not values:
        return "–"
    worst = max(values)
    return f"{statistics.median(values):.2f} / {percentile(values, 0.95):.2f} / {worst:.2f}"


def _number(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)


def _mean_kilobytes(values: Sequence[int]) -> str:
    return f"{statistics.mean(values) / 1000:.0f}" if values else "–"


def _row(outcome: Outcome) -> list[str]:
    plan = outcome.plan
    views = [m for m in outcome.measured if m.action != "visit"]
    return [
        str(plan.sessions),
        plan.scenario,
        f"{plan.seconds / 60:.1f}",
        str(len(views)),
        _times([m.first_picture for m in views if m.first_picture is not None]),
        str(len(outcome.errors)),
        str(len(outcome.foreign)),
        f"{max((size for _, size in outcome.memory), default=0) / 1e6:.0f}",
        _number(growth(outcome.memory), ".1f"),
        _number(outcome.images_per_second),
        _number(outcome.bare_rate),
        _number(outcome.ratio),
        _mean_kilobytes([m.websocket_bytes for m in views]),
        _mean_kilobytes([m.picture_bytes for m in views]),
        _number(outcome.generator_cores),
    ]


def _action_rows(outcome: Outcome) -> list[list[str]]:
    groups: dict[str, list[Measured]] = {}
    for measured in outcome.measured:
        groups.setdefault(measured.action, []).append(measured)
    return [
        [
            str(outcome.plan.sessions),
            outcome.plan.scenario,
            action,
            str(len(group)),
            _times([m.first_picture for m in group if m.first_picture is not None]),
            _times([m.finished for m in group if m.finished is not None]),
            _mean_kilobytes([m.websocket_bytes for m in group]),
            _mean_kilobytes([m.picture_bytes for m in group]),
        ]
        for action, group in groups.items()
    ]
