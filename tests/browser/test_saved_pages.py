"""Pages that were saved and open without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from effnet_viz import compare
from effnet_viz.images.decode import decode
from effnet_viz.pictures import report
from tests.browser.visitor import PHONE, WIDE
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser


def test_a_saved_comparison_fits_the_window(page: Page, tmp_path: Path) -> None:
    models = [loaded("lite0"), loaded("lite1")]
    compared = compare(SAMPLES / "cat.jpg", models)
    saved = tmp_path / "comparison.html"
    saved.write_text(
        report.comparison_html(compared, decode(SAMPLES / "cat.jpg").pixels, "cat"), "utf-8"
    )
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(saved.as_uri())
        beyond = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert beyond == 0
        assert page.locator("figure img").count() == len(models)
