"""The page "Compare scaling" in a real Chromium."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from effnet_viz import analyse, compare
from effnet_viz.analysis.comparison_verdict import comparison_verdict
from effnet_viz.models.variants import ModelRef
from effnet_viz.pictures import render
from effnet_viz.ui import words
from effnet_viz.ui.compare.agreement import pairs_table
from effnet_viz.ui.inputs.network_picker import ROLES, ChosenNetwork
from effnet_viz.ui.layout import theme
from effnet_viz.ui.panes import map_of
from tests.browser.visitor import PATIENCE, PHONE, WIDE, add_photographs, await_all_stages
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser

NAMES = ["Baseline", "Higher resolution", "Compound"]
"""Of those five that have weights."""
INK_IN_THE_DARK = "rgb({}, {}, {})".format(*bytes.fromhex(theme.COLOURS["ink"][1][1:]))


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


def drag(page: Page, *places: Locator) -> None:
    """A finger goes from place to place."""
    session = page.context.new_cdp_session(page)
    for number, place in enumerate(places):
        box = place.bounding_box()
        assert box is not None
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


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
    expect(page.get_by_role("radio", name="Comparable")).to_be_checked()  # one scale for all
    ends = page.locator(".st-key-differ .scale span")
    assert ends.all_inner_texts() == [words.ALIKE, words.APART]


def test_the_verdict_is_the_headline_of_a_presentation(page: Page, address: str) -> None:
    open_comparison(page, address)
    expected = compare(
        SAMPLES / "cat.jpg", [loaded(key) for key in ("lite0", "lite0-r448", "lite2")]
    )
    text = comparison_verdict(expected, NAMES).text
    expect(page.locator(".claim h2")).to_have_text(text)
    page.keyboard.press("p")
    expect(page.locator(".deck.presenting .headline")).to_have_text(text)
    expect(page.locator(".deck.presenting .headline")).to_have_css("font-size", "28px")
    for answer in page.locator(".deck.presenting .answered").all():
        expect(answer).to_have_css("font-size", "24px")
    page.keyboard.press("ArrowLeft")
    shown = page.locator(".deck .stage[aria-label^='Grad-CAM over the photograph']")
    expect(shown).to_have_count(3)
    expect(page.locator(".deck.presenting")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".deck.presenting")).to_have_count(0)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_the_heads_of_untrained_networks_do_not_meet(page: Page, address: str, count: int) -> None:
    """In a fifth of a small laptop's window."""
    networks = [
        ChosenNetwork(ModelRef("b0", True), role, words.NETWORKS[role], "", role)
        for role in list(ROLES.values())[-count:]
    ]
    table = pairs_table(np.eye(count), networks, words.AGREEMENT_OF)
    page.goto(address + "scaling_rules")
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    page.evaluate(
        "table => { const box = document.createElement('div'); box.style.width = '233px';"
        " box.innerHTML = table; document.querySelector('.stApp').replaceChildren(box); }",
        table,
    )
    heads = page.locator(".pairs th[scope=col]")
    expect(heads).to_have_count(count)
    words_wide = heads.evaluate_all(
        """all => all.map((head) => {
          const range = document.createRange();
          range.selectNodeContents(head);
          const { left, right } = range.getBoundingClientRect();
          return [left, right];
        })"""
    )
    assert all(right <= left for (_, right), (left, _) in pairwise(words_wide)), words_wide


def test_a_stage_is_chosen_among_the_controls(page: Page, address: str) -> None:
    open_comparison(page, address)
    strip = page.get_by_role("radiogroup", name="Stage", exact=True)
    strip.get_by_role("radio", name="Stage 8, Grad-CAM").click()
    shown = page.locator(".deck .stage[aria-label^='Grad-CAM over the photograph']")
    expect(shown).to_have_count(3)
    page.wait_for_url("**map_stage=8*")


SCRUB = """async (group, frames) => {
    const [root, said] = [group.getRootNode(), []];
    const all = (what, text) => [...root.querySelectorAll(what)].map(text);
    const texts = (what) => all(what, (one) => one.textContent);
    for (const one of group.querySelectorAll("button")) {
        one.click();
        for (let i = 0; i < frames; i += 1) await new Promise(requestAnimationFrame);
        said.push({
            labels: all(".slot .stage[aria-label]", (one) => one.ariaLabel),
            readings: texts(".slot .answered + .reading"),
            scale: texts(".controls > .scale > span"),
        });
    }
    return said;
}"""
"""Goes through all stages; gives what the pictures say at each, after so many frames."""


def test_one_scrubs_through_the_stages_of_all_networks_without_asking_the_server(
    page: Page, address: str, sent: list[int]
) -> None:
    open_comparison(page, address, "?image=palace&pin=0.420,0.510")
    play = await_all_stages(page)
    arrived(page)
    page.wait_for_timeout(1500)  # until the page is quiet
    before = len(sent)
    strip = page.get_by_role("radiogroup", name="Stage", exact=True)
    for stage, said in enumerate(strip.evaluate(SCRUB, 0), start=1):
        assert len(said["labels"]) == 3
        for label in said["labels"]:
            assert f", stage {stage} " in label
    assert len(sent) == before
    strip.get_by_role("radio", name="Stage 9").press("ArrowLeft")
    expect(page.locator("body[data-passing]")).to_have_count(1)  # what is said is of stage 9
    page.wait_for_url("**map_stage=8*")
    expect(page.locator("body[data-passing]")).to_have_count(0)
    assert len(sent) == before + 1
    models = [loaded(key) for key in ("lite0", "lite0-r448", "lite2")]
    verdict = comparison_verdict(compare(SAMPLES / "palace.jpg", models, stage=8), NAMES).text
    expect(page.locator(".claim h2")).to_have_text(verdict)
    results = [analyse(SAMPLES / "palace.jpg", model, "palace") for model in models]
    for stage, said in enumerate(strip.evaluate(SCRUB, 3), start=1):
        maps = [map_of(result.attribute(stage=stage)).values for result in results]  # each (h, w)
        # All share one scale at every stage, from 0 to the strongest evidence of that stage.
        assert said["scale"] == ["0", render.number(max(float(one.max()) for one in maps))]
        for values, reading in zip(maps, said["readings"], strict=True):
            found = re.search(r"· (−?[\d.e−-]+), row (\d+), column (\d+)", reading)
            assert found is not None
            value, row, column = found.groups()
            expected = float(values[int(row) - 1, int(column) - 1])
            # Three digits of one of 65,536 levels.
            close = pytest.approx(expected, rel=0.01, abs=float(np.ptp(values)) / 50_000)
            assert float(value.replace("−", "-")) == close
    page.wait_for_timeout(1500)
    before = len(sent)
    play.click()
    for stage in (1, 2, 3):
        shown = page.locator(f".slot .stage[aria-label*=', stage {stage} ']")
        expect(shown).to_have_count(3)
    assert len(sent) == before
    play.click()
    page.wait_for_url("**map_stage=*")
    page.wait_for_timeout(1500)
    assert len(sent) == before + 1


def test_another_class_costs_one_message_and_is_scrubbed_through_as_well(
    page: Page, address: str, sent: list[int]
) -> None:
    open_comparison(page, address, "?image=cat-and-espresso&map_stage=8")
    await_all_stages(page)
    arrived(page)
    page.locator(".st-key-open_class").get_by_role("button").click()
    chooser = page.get_by_role("combobox", name="Explain another class")
    chooser.fill("espresso")
    page.wait_for_timeout(1500)
    before = len(sent)
    page.get_by_role("option", name="espresso", exact=True).click()
    expect(page.locator(".slot .stage[aria-label*='“espresso”']")).to_have_count(3)
    assert len(sent) == before + 1
    play = page.get_by_role("button", name="Play all stages")
    expect(play).to_be_visible()
    arrived(page)
    page.wait_for_timeout(1500)
    before = len(sent)
    strip = page.get_by_role("radiogroup", name="Stage", exact=True)
    for stage, said in enumerate(strip.evaluate(SCRUB, 0), start=1):
        assert len(said["labels"]) == 3
        for label in said["labels"]:
            assert f"class “espresso”, stage {stage} " in label
    assert len(sent) == before


def test_a_presenter_scrubs_with_the_arrow_keys(page: Page, address: str, sent: list[int]) -> None:
    open_comparison(page, address)
    await_all_stages(page)
    arrived(page)
    page.keyboard.press("p")
    headline = page.locator(".deck.presenting .headline")
    claim = headline.inner_text()
    page.wait_for_timeout(1500)
    before = len(sent)
    for stage in (8, 7, 6, 5):
        page.keyboard.press("ArrowLeft")
        shown = page.locator(f".slot .stage[aria-label*=', stage {stage} ']")
        assert shown.count() == 3
        assert headline.inner_text() == f"Stage {stage}, Grad-CAM"
    assert len(sent) == before
    page.wait_for_url("**map_stage=5*")
    expect(headline).not_to_have_text("Stage 5, Grad-CAM")
    assert headline.inner_text() != claim
    assert len(sent) == before + 1


@pytest.mark.exhaustive
def test_networks_with_other_numbers_of_stages_are_scrubbed_from_their_last_ones(
    page: Page, address: str, sent: list[int]
) -> None:
    members = "?family=a+whole+family&members=lite0,resnet18&untrained_too=true"
    open_comparison(page, address, members, 2)
    await_all_stages(page)
    arrived(page, 2)
    page.wait_for_timeout(1500)
    before = len(sent)
    strip = page.get_by_role("radiogroup", name="Stage", exact=True)
    for stage, said in enumerate(strip.evaluate(SCRUB, 0), start=1):
        for label, last in zip(said["labels"], (9, 5), strict=True):
            assert f", stage {max(1, stage - 9 + last)} " in label
    assert len(sent) == before


@pytest.mark.exhaustive
def test_with_a_method_that_takes_runs_the_server_is_asked_for_a_stage(
    page: Page, address: str
) -> None:
    open_comparison(page, address)
    await_all_stages(page)
    page.get_by_role("toolbar").get_by_label("Method").select_option("HiRes-CAM")
    hires = page.locator(".deck .stage[aria-label^='HiRes-CAM over the photograph']")
    expect(hires).to_have_count(3)
    expect(page.get_by_role("button", name="Play all stages")).to_have_count(0)
    strip = page.get_by_role("radiogroup", name="Stage", exact=True)
    strip.get_by_role("radio", name="Stage 7").click()
    expect(page.locator(".deck .stage[aria-label*=', stage 7 ']")).to_have_count(3)
    page.wait_for_url("**map_stage=7*")


def test_a_still_leads_to_the_scaling_lab(page: Page, address: str) -> None:
    open_comparison(page, address)
    still = page.locator(".slot[data-slot='lite0-d4']")
    expect(still.locator(".mini img")).to_be_visible(timeout=2 * PATIENCE)
    still.get_by_role("link", name="See trained miniatures").click()
    page.wait_for_url("**/scaling_lab*")
    expect(page.get_by_role("heading", name="Baseline").first).to_be_visible()


def test_what_takes_long_can_be_cancelled_and_started_again(page: Page, address: str) -> None:
    open_comparison(page, address, "?image=cat-and-espresso")
    card = page.locator(".st-key-race")
    card.get_by_role("button", name="Start, about").click()
    bar = card.get_by_role("progressbar")
    expect(bar).to_be_visible()
    page.get_by_role("radiogroup", name="Stage").get_by_role("radio", name="Stage 7").click()
    expect(card.get_by_text(words.MEASURING_ENDED)).to_be_visible()
    page.emulate_media(color_scheme="dark")
    card.get_by_role("button", name="Start, about").click()
    expect(bar).to_be_visible()
    expect(card.get_by_role("button", name="Cancel")).to_have_css("color", INK_IN_THE_DARK)
    expect(card.get_by_text(words.MEASURING_ENDED)).to_have_count(0)
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


def test_a_scale_of_ones_own_comes_from_the_rules_and_back(page: Page, address: str) -> None:
    """Whatever the sliders have put into the address; one press of Back leads to them."""
    page.goto(address + "scaling_rules?phi=2")
    page.get_by_role("button", name="Depth only").click()
    expect(page).to_have_url(re.compile("alpha=2"))
    page.wait_for_timeout(1000)
    entries = page.evaluate("history.length")
    page.get_by_role("button", name=words.COMPARE_THIS).click()
    expect(page.locator(".slot .head .name").last).to_have_text(words.NETWORKS["custom"])
    expect(page).to_have_url(re.compile("compare_scaling.*custom=b0-d4"))
    page.wait_for_timeout(1000)
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Scaling rules")
    expect(page).to_have_url(re.compile("scaling_rules.*alpha=2"))
    expect(page.get_by_role("button", name=words.COMPARE_THIS)).to_be_visible()


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
        await_all_stages(page)
        strip = page.get_by_role("radiogroup", name="Stage", exact=True)
        box = strip.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"]  # in sight with the maps
        strip.get_by_role("radio", name="Stage 6").tap()
        expect(page.locator(".slot .stage[aria-label*=', stage 6 ']")).to_have_count(2)
        drag(page, *(strip.get_by_role("radio", name=f"Stage {stage}") for stage in (6, 4, 2)))
        expect(page.locator(".slot .stage[aria-label*=', stage 2 ']")).to_have_count(2)
        assert sideways(page) == 0
        for control in toolbar.get_by_role("button").all():
            box = control.bounding_box()
            assert box is None or box["x"] + box["width"] <= PHONE["width"]
    finally:
        context.close()


@pytest.mark.exhaustive
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
