"""What is measured of a fresh server is judged by the right figures."""

from __future__ import annotations

import math

from tools.benchmarks.opening import Opening, Round, figures, first_maps, requirements
from tools.load.scenarios import Measured, Outcome, Plan
from tools.requirement import Requirement, table


def tabs(*first_pictures: float | None) -> Outcome:
    plan = Plan("sample", len(first_pictures), seconds=0)
    opened = [
        Measured(number, "open", first, first, 0, 0, [], [])
        for number, first in enumerate(first_pictures)
    ]
    return Outcome(plan, [*opened, Measured(0, "stage", 0.1, 0.1, 0, 0, [], [])])


def photographs(pages_per_second: float, bare: float) -> Outcome:
    return Outcome(
        Plan("photographs", 30, seconds=0), burst_seconds=30 / pages_per_second, bare_rate=bare
    )


def rounds(*starts: float) -> list[Round]:
    """Of a server that answers after so many seconds, and an empty page that takes 1 more."""
    return [
        Round(
            Opening(2, 3, 1),
            Opening(start, start + 4, 4),
            Opening(start, start + 2, 2),
            tabs(*[1.0] * 28, 4.0, 9.0),
        )
        for start in starts
    ]


def test_what_is_reached_is_told_beside_what_is_to_be_reached() -> None:
    found = {one.what: one for one in requirements(rounds(1, 9, 1), photographs(8, 10))}
    assert [(round(one.measured, 9), one.holds) for one in found.values()] == [
        (1, True),  # medians
        (4, True),  # 5 s, of which an empty page has 1
        (2, True),
        (4, True),
        (0.8, True),
        (0, True),
    ]
    told = figures(rounds(1, 9, 1), photographs(8, 10))
    assert "| the main page, first map: process start until it is shown | 5.00 s | 5.00, 13.00" in (
        told
    )
    assert "| 8.0 of 10.0 |" in told
    slow = requirements(rounds(3, 3, 3), photographs(6, 10))
    assert [one.holds for one in slow] == [False, False, True, True, False, True]


def test_a_tab_without_a_map_waits_for_ever() -> None:
    assert first_maps(tabs(0.5, None)) == [0.5, math.inf]
    broken = tabs(0.5)
    broken.measured.append(Measured(0, "open", None, None, 0, 0, ["disconnected"], []))
    [one] = rounds(1)
    found = requirements([Round(one.empty, one.app, one.lab, broken)], photographs(8, 10))
    assert [requirement.holds for requirement in found[-3:]] == [False, True, False]


def test_more_can_be_better() -> None:
    most, least = Requirement("a", 2, 3, "s"), Requirement("b", 2, 3, "", at_least=True)
    assert (most.holds, least.holds) == (True, False)
    assert table([most, least]).splitlines()[2:] == [
        "| a | 2.000 s | ≤ 3 | yes |",
        "| b | 2.000  | ≥ 3 | **no** |",
    ]
