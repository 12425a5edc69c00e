"""What a first visit costs, and that nothing moves while a page comes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from effnet_viz.ui.words import PAGES
from tests.choices import one_of_many
from tools.first_visit.__main__ import FIRST_MAP, MOST_MEGABYTES, MOST_SHIFT, SIZES
from tools.first_visit.visit import Size, visit

pytestmark = pytest.mark.browser

WIDE, LAPTOP, PHONE = SIZES
MAIN = "app.py"
VISITS = [(file, size) for file in PAGES for size in SIZES]
QUICK = [
    (MAIN, WIDE),
    ("pages/compare_scaling.py", LAPTOP),
    ("pages/scaling_lab.py", PHONE),
    ("pages/methods.py", LAPTOP),
]


def path_of(file: str) -> str:
    return "" if file == MAIN else file.removeprefix("pages/").removesuffix(".py")


@pytest.mark.parametrize(("file", "size"), one_of_many(VISITS, QUICK))
def test_nothing_moves_and_little_is_sent(
    chromium: Browser, address: str, file: str, size: Size
) -> None:
    made = visit(chromium, address + path_of(file), size, FIRST_MAP)
    worst = max(made.shifts, key=lambda shift: shift.value, default=None)
    assert made.layout_shift <= MOST_SHIFT, worst
    if file == MAIN:
        assert made.total < MOST_MEGABYTES * 1e6
        assert not any("PlotlyChart" in path for path in made.received)
