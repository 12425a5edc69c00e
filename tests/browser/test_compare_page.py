"""The page "Compare scaling" in a real Chromium."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from effnet_viz import compare
from effnet_viz.analysis.comparison_verdict import comparison_verdict
from tests.browser.visitor import PATIENCE, PHONE, WIDE, add_photographs
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser

NAMES = ["Baseline", "Higher resolution", "Compound"]
"""Of those five that have weights."""


def open_comparison(page: Page, address: str, query: str = "", count: int = 3) -> None:
    """Waits until all maps are there and what is said of them."""
    page.goto(f"{address}compare_scaling{query}")
    arrived(page, count)


def arrived(page: Page, count: int = 3) -> None:
    stages = page.locator(".deck .stage[aria-label*='over the photograph']")
    expect(stages).to_have_count(count)
    expect(page.locator(".deck .stage[aria-busy='true']:visible")).to_have_count(0)
    expect(page.locator(".claim h2")).to_have_text(re.compile(r"\S"))
    expect(page.locator(".st-key-pointing button")).to_be_visible()


def sideways(page: Page) -> int:
    """By how many pixels the page can be scrolled to the side."""
    excess: int = page.evaluate(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth; }"
    )
    return excess


@pytest.mark.parametrize("size", [WIDE, {"width": 1280, "height": 720}], ids=["1440", "1280"])
def test_five_columns_stand_in_one_row_over_one_row_of_controls(
    page: Page, address: str, size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    open_comparison(page, address)
    pictures = page.locator(".slot .stage:visible, .slot .instead:visible")
    expect(pictures).to_have_count(5)
    boxes = [picture.bounding_box() for picture in pictures.all()]
    assert all(boxes)
    widths = {round(box["width"]) for box in boxes if box}
    assert max(widths) - min(widths) <= 1
    assert min(widths) >= 200
    assert all(abs(box["height"] - box["width"]) <= 1 for box in boxes if box)
    assert max(box["y"] for box in boxes if box) - min(box["y"] for box in boxes if box) <= 1
    titles = page.locator(".slot .head .name")
    assert titles.all_inner_texts() == [
        "Baseline", "Deeper", "Wider", "Higher resolution", "Compound",
    ]  # fmt: skip
    controls = page.get_by_role("toolbar").bounding_box()
    claim = page.locator(".claim").bounding_box()
    assert controls is not None
    assert claim is not None
    assert controls["height"] <= 45
    assert controls["y"] + controls["height"] < size["height"]
    assert claim["height"] <= 30
    assert sideways(page) == 0
    expect(page.get_by_text("No weights were published for d = 4")).to_be_visible()


def test_the_verdict_is_the_headline_of_a_presentation(page: Page, address: str) -> None:
    open_comparison(page, address)
    expected = compare(
        SAMPLES / "cat.jpg", [loaded(key) for key in ("lite0", "lite0-r448", "lite2")]
    )
    text = comparison_verdict(expected, NAMES).text
    expect(page.locator(".claim h2")).to_have_text(text)
    page.keyboard.press("p")
    expect(page.locator(".deck.presenting .headline")).to_have_text(text)
    page.keyboard.press("ArrowLeft")
    shown = page.locator(".deck .stage[aria-label^='Grad-CAM over the photograph']")
    expect(shown).to_have_count(3)
    expect(page.locator(".deck.presenting")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".deck.presenting")).to_have_count(0)


def test_a_stage_is_chosen_among_the_controls(page: Page, address: str) -> None:
    open_comparison(page, address)
    page.get_by_role("toolbar").get_by_label("Stage").select_option("8, Grad-CAM")
    shown = page.locator(".deck .stage[aria-label^='Grad-CAM over the photograph']")
    expect(shown).to_have_count(3)
    page.wait_for_url("**map_stage=8*")


def test_a_still_leads_to_the_scaling_lab(page: Page, address: str) -> None:
    open_comparison(page, address)
    still = page.locator(".slot[data-slot='lite0-d4']")
    expect(still.locator(".mini img")).to_be_visible(timeout=2 * PATIENCE)
    still.get_by_role("link", name="See trained miniatures").click()
    page.wait_for_url("**/scaling_lab*")


def test_what_takes_long_can_be_cancelled_and_started_again(page: Page, address: str) -> None:
    open_comparison(page, address, "?image=cat-and-espresso")
    card = page.locator(".st-key-race")
    card.get_by_role("button", name="Start, about").click()
    bar = card.get_by_role("progressbar")
    expect(bar).to_be_visible()
    page.wait_for_url("**race=true*")
    card.get_by_role("button", name="Cancel").click()
    expect(card.get_by_role("button", name="Start, about")).to_be_visible()
    expect(bar).to_have_count(0)
    page.wait_for_timeout(1500)  # nothing goes on
    expect(bar).to_have_count(0)
    assert "race" not in page.url
    card.get_by_role("button", name="Start, about").press("Enter")
    expect(card.get_by_role("button", name="Look closer")).to_be_visible()
    expect(card.locator("polyline")).to_have_count(6)
    expect(card.get_by_role("row")).to_have_count(4)
    expect(card.get_by_role("row").nth(3)).to_contain_text(re.compile(r"Compound.*\d+\s%"))


def test_what_to_know_before_reading_a_map_opens_beside_it(page: Page, address: str) -> None:
    open_comparison(page, address)
    slot = page.locator(".slot[data-slot='lite0-r448']")
    slot.get_by_role("button", name="Read with care").click()
    expect(slot.get_by_role("dialog")).to_contain_text("Another resolution than the weights' own")


def test_all_maps_are_linked(page: Page, address: str) -> None:
    open_comparison(page, address, "?image=palace")
    stages = page.locator(".deck .stage[aria-label^='CAM over the photograph']")
    stages.nth(1).hover(position={"x": 60, "y": 70})
    readings = page.locator(".deck .answered + .reading")
    expect(readings).to_have_count(3)
    for i in range(3):
        expect(readings.nth(i)).to_contain_text(re.compile(r"row \d+, column \d+"))


def test_on_a_phone_two_maps_stand_side_by_side(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        open_comparison(page, address, "?roles=baseline&roles=compound", 2)
        first, second = (box.bounding_box() for box in page.locator(".slot").all())
        assert first is not None
        assert second is not None
        assert first["y"] == second["y"]
        assert first["width"] >= 160
        assert sideways(page) == 0
        toolbar = page.get_by_role("toolbar")
        toolbar.get_by_role("radio", name="Each alone").click()
        page.wait_for_url("**scale=own*")
        for control in toolbar.get_by_role("button").all():
            box = control.bounding_box()
            assert box is None or box["x"] + box["width"] <= PHONE["width"]
    finally:
        context.close()


def test_the_saved_numbers_are_those_of_the_api(
    context: BrowserContext, page: Page, address: str, tmp_path: Path
) -> None:
    """Two Lite models and two resolutions on a photograph of a visitor's."""
    upload = tmp_path / "my photograph.jpg"
    Image.open(SAMPLES / "palace.jpg").crop((60, 0, 600, 427)).save(upload, quality=92)
    open_comparison(page, address, "?roles=baseline&roles=resolution&roles=compound")
    add_photographs(page, upload)
    shown = page.locator('.deck .stage[aria-label*="palace"]')
    expect(shown).to_have_count(3, timeout=PATIENCE)
    arrived(page)
    for card in ("race", "pointing"):
        page.locator(f".st-key-{card}").get_by_role("button", name="Start").click()
        closer = page.locator(f".st-key-{card}").get_by_role("button", name="Look closer")
        expect(closer).to_be_visible(timeout=2 * PATIENCE)
    page.get_by_role("toolbar").get_by_role("button", name="Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["model"] for row in rows] == ["lite0", "lite0-r448", "lite2"]
    expected = compare(upload, [loaded(key) for key in ("lite0", "lite0-r448", "lite2")])
    for i, (row, result) in enumerate(zip(rows, expected.networks, strict=True)):
        explanation, both = result.explanation, result.deletion_insertion
        assert both is not None
        assert float(row["pointing: mean share"]) > 0.6  # an even map has 0.25
        assert row["target"] == explanation.attribution.target.label
        for name, value in (
            ("probability", explanation.attribution.target.probability),
            ("area under deletion", both.deletion.area),
            ("highest", float(explanation.attribution.values.max())),
            ("area with half of the positive evidence", explanation.concentration.area),
            ("spearman with lite0", expected.rank_correlation[i, 0]),
        ):
            assert float(row[name]) == pytest.approx(float(value), rel=1e-3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Page that opens without a server").click()
    saved = tmp_path / "comparison.html"
    saved.write_bytes(Path(download.value.path()).read_bytes())
    asked: list[str] = []
    alone = context.new_page()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(saved.as_uri())
    expect(alone.locator("figure img")).to_have_count(3)
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert "efficientnet-lite2-9656183e.pth" in (alone.locator("pre").text_content() or "")
    assert alone.evaluate("[...document.images].every((i) => i.naturalWidth > 100)")
