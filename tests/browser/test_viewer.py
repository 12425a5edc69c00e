"""The viewer in a real Chromium: its pixels, its silence towards the server, its every way in."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, WebSocket, expect

from effnet_viz import analyse
from effnet_viz.arrays import full_range
from effnet_viz.engines.structure import Stage
from effnet_viz.images.decode import decode
from effnet_viz.models import structures, variants
from effnet_viz.models.classes import imagenet
from effnet_viz.pictures import render
from tests.browser.visitor import (
    PATIENCE,
    PHONE,
    WIDE,
    await_all_stages,
    barriers,
    choose_stage,
    explained,
    go_to,
    more,
    pane_of,
    reading_of,
)
from tests.choices import one_of_many
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser

PALACE = "?image=palace"


def test_looking_asks_the_server_nothing(page: Page, address: str, sent: list[int]) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.wait_for_timeout(1500)  # until the page is quiet
    before = len(sent)
    assert before > 0
    more(page)
    page.get_by_role("slider", name="Opacity").fill("20")
    page.get_by_label("Hide below").fill("40")
    page.get_by_label("Colours", exact=True).select_option("viridis")
    for button in ("Contours", "Divider", "True grid", "Whole photograph"):
        page.get_by_role("button", name=button, exact=True).click()
    page.get_by_role("button", name="Zoom in").click()
    page.keyboard.press("Escape")
    for choice in ("For and against", "Comparable", "Locked"):
        page.get_by_role("radio", name=choice, exact=True).click()
    divider = page.get_by_role("slider", name="Divider").first
    divider.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", "52")
    pane_of(page, "CAM").hover(position={"x": 40, "y": 40})
    pane_of(page, "CAM").click(position={"x": 60, "y": 50})
    page.keyboard.down("h")
    page.keyboard.up("h")
    page.wait_for_timeout(1500)  # what a setting sends comes at once
    assert len(sent) == before
    wanted = ("opacity=20", "threshold=40", "scale=fixed", "view=photograph", "divider=52", "pin=")
    for part in wanted:
        assert part in page.url
    choose_stage(page, 7)  # and this does ask, at last
    expect(pane_of(page, "Grad-CAM")).to_have_attribute("aria-label", re.compile("stage 7 "))
    expect(page).to_have_url(re.compile("stage=7"))
    assert len(sent) > before
    expect(page).to_have_url(re.compile("opacity=20"))  # the server wrote the address; it is back


def test_one_scrubs_through_all_stages_without_asking_the_server(page: Page, address: str) -> None:
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(address + PALACE)
    play = await_all_stages(page)
    explained(page, "palace")
    page.wait_for_timeout(1500)
    before = len(sent)
    pane = pane_of(page, "Grad-CAM")
    labels = page.get_by_role("radiogroup", name="Stage of Grad-CAM").evaluate(
        """async (group) => {
            const said = [], pane = group.closest(".slot").querySelector(".stage");
            for (const one of group.querySelectorAll("button")) {
                one.click();
                said.push(pane.getAttribute("aria-label"));
            }
            return said;
        }"""
    )
    for stage, label in enumerate(labels, start=1):
        assert f", stage {stage} " in label
    assert len(sent) == before
    expect(page).to_have_url(re.compile("stage=9"))  # when one stays, the rest of the page follows
    assert len(sent) == before + 1
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    for stage in (1, 4, 6):
        choose_stage(page, stage)
        expect(pane).to_have_attribute("aria-label", re.compile(f", stage {stage} "))
        values = result.grad_cam(stage)  # (h, w)
        pane.hover(position={"x": 150, "y": 150})
        said = reading_of(page, "Grad-CAM")
        expect(said).to_contain_text("row")
        found = re.search(r"· (−?[\d.e-]+), row (\d+), column (\d+)", said.text_content() or "")
        assert found is not None
        value, row, column = found.groups()
        expected = float(values[int(row) - 1, int(column) - 1])
        # Three digits of one of 65,536 levels.
        close = pytest.approx(expected, rel=0.01, abs=float(np.ptp(values)) / 50_000)
        assert float(value.replace("−", "-")) == close
    expect(page).to_have_url(re.compile("stage=6"))
    page.wait_for_timeout(1500)  # the page has followed, and the focus is where it was
    page.keyboard.press("ArrowLeft")
    expect(pane).to_have_attribute("aria-label", re.compile(", stage 5 "))
    play.click()
    expect(pane).to_have_attribute("aria-label", re.compile(", stage 9 "))
    play.click()
    expect(page).to_have_url(re.compile("stage=[91]"))


def test_settings_come_back_after_a_reload(page: Page, address: str) -> None:
    page.goto(address + "?opacity=30&evidence=signed&threshold=20&pin=0.500,0.400")
    explained(page, "tiger cat")
    reading = reading_of(page, "CAM").text_content()
    assert reading is not None
    assert "row" in reading
    page.reload()
    explained(page, "tiger cat")
    expect(page.get_by_role("slider", name="Opacity")).to_have_value("30")
    expect(page.get_by_role("radio", name="For and against")).to_be_checked()
    expect(reading_of(page, "CAM")).to_have_text(reading)


def test_settings_with_nonsense_are_the_defaults(page: Page, address: str) -> None:
    page.goto(address + "?opacity=900&evidence=evil&colours=rainbow&pin=7,8&scale=fixed")
    explained(page, "tiger cat")
    expect(page.get_by_role("slider", name="Opacity")).to_have_value("55")
    expect(page.get_by_role("radio", name="Each alone")).to_be_checked()
    more(page)
    expect(page.get_by_label("Colours", exact=True)).to_have_value("magma")


def expected_reading(values: NDArray[np.float32], row: int, column: int) -> str:
    value = values[row, column]
    smaller = int(100 * (values < value).mean())
    place = f"row {row + 1}, column {column + 1}"
    return f"Stronger than {smaller} % of this map · {render.number(float(value))}, {place}"


def cell_at(place: float, stage: Stage) -> int:
    """The cell of one axis whose centre is the nearest one to a place of the crop, 0 to 1."""
    return int(np.abs(stage.placement.centres(stage.side) - place).argmin())


def test_linked_readings_are_the_values_of_the_api(page: Page, address: str) -> None:
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    page.goto(address + PALACE + "&stage=5")
    explained(page, "palace")
    pane = pane_of(page, "CAM")
    frame = pane.bounding_box()
    assert frame is not None
    for x, y in ((0.1, 0.2), (0.52, 0.93), (0.77, 0.4)):
        pane.hover(position={"x": x * frame["width"], "y": y * frame["height"]})
        for method, stage, values in (
            ("CAM", 9, result.cam),
            ("Grad-CAM", 5, result.grad_cam(5)),
        ):
            structure = structures.structure_of(variants.find("lite0"))
            row, column = (cell_at(place, structure.stages[stage]) for place in (y, x))
            said = reading_of(page, method)
            expect(said).to_contain_text(expected_reading(values, row, column))
            field = structure.stages[stage].field(row, column)
            width, height = field[2] - field[0], field[3] - field[1]
            whole = (width, height) == (224, 224)
            looks = "the whole square" if whole else f"{width}×{height} px of 224×224"
            expect(said).to_contain_text(f"looks at {looks}")


def test_pointing_outlines_the_strongest_channels(page: Page, address: str) -> None:
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    page.goto(address + PALACE + "&stage=6")
    explained(page, "palace")
    pane = pane_of(page, "CAM")
    frame = pane.bounding_box()
    assert frame is not None
    pane.hover(position={"x": 0.6 * frame["width"], "y": 0.3 * frame["height"]})
    stage = result.model.structure.stages[6]
    at_place = result.stages[6][:, cell_at(0.3, stage), cell_at(0.6, stage)]  # (C,)
    best = np.argsort(-at_place)[:5].tolist()
    wall = page.get_by_role("group", name="Channels of stage 6")
    expect(
        page.get_by_text("Strongest at this place: #" + ", #".join(map(str, best)))
    ).to_be_visible()
    on_page = np.argsort(-result.stages[6].max(axis=(1, 2)), kind="stable")[:24]
    outlined = wall.locator("button.strongest").evaluate_all("all => all.map(b => b.dataset.key)")
    assert {int(key) for key in outlined} == set(best) & set(on_page.tolist())


def test_keys_move_pin_and_let_go(page: Page, address: str) -> None:
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    page.goto(address + PALACE)
    explained(page, "palace")
    pane_of(page, "CAM").focus()
    page.keyboard.press("ArrowRight")  # from the middle cell
    expect(reading_of(page, "CAM")).to_contain_text(expected_reading(result.cam, 3, 4))
    expect(reading_of(page, "CAM")).to_have_attribute("aria-live", "polite")
    page.keyboard.press("ArrowUp")
    expect(reading_of(page, "CAM")).to_contain_text(expected_reading(result.cam, 2, 4))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("pin="))
    pane_of(page, "Grad-CAM").hover()  # pinned: it stays
    expect(reading_of(page, "CAM")).to_contain_text(expected_reading(result.cam, 2, 4))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("pin="))
    page.keyboard.press("+")
    more(page)
    expect(page.locator(".zoom")).to_have_text("150 %")
    page.keyboard.press("0")
    expect(page.locator(".zoom")).to_have_text("100 %")


def test_zooming_keeps_what_is_under_the_pointer(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    pane, zoom = pane_of(page, "CAM"), page.locator(".zoom")
    frame = pane.bounding_box()
    assert frame is not None
    place, cell = {"x": 0.1 * frame["width"], "y": 0.9 * frame["height"]}, "row 7, column 1"
    pane.hover(position=place)
    expect(reading_of(page, "CAM")).to_contain_text(cell)
    pane.dblclick(position=place)
    expect(zoom).to_have_text("200 %")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(zoom).to_have_text(re.compile("[3-9].. %"))
    pane.hover()
    expect(reading_of(page, "CAM")).not_to_contain_text(cell)
    pane.hover(position=place)
    expect(reading_of(page, "CAM")).to_contain_text(cell)


def test_a_scale_is_the_one_that_a_map_really_has(page: Page, address: str) -> None:
    page.goto(address + PALACE + "&stage=2&scale=shared")
    explained(page, "palace")
    low, high = full_range(analyse(SAMPLES / "palace.jpg", loaded("lite0")).stages[2])
    dialog = page.get_by_role("dialog")
    for choice in ("Comparable", "Locked"):
        page.get_by_role("radio", name=choice, exact=True).click()
        page.get_by_role("group", name="Channels of stage 2").locator("button").nth(9).click()
        ends = dialog.locator(".scale span")
        expect(ends.first).to_have_text(render.number(low))
        expect(ends.last).to_have_text(render.number(high))
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


def test_the_answer_follows_the_drawn_part(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    page.get_by_role("button", name="Cover", exact=True).click()
    photo = page.locator('[data-slot="photograph"] .stage')
    expect(photo).to_be_visible()
    expect(pane_of(page, "Grad-CAM")).to_be_hidden()
    live = page.locator(".live:visible")
    expect(page.get_by_role("group", name=re.compile("^Channels of stage"))).to_be_visible()
    main = page.locator("[data-testid=stMain]")
    main.evaluate("main => { main.scrollTop = 60; }")
    frame = photo.bounding_box()
    assert frame is not None

    def place(x: float, y: float) -> tuple[float, float]:
        assert frame is not None
        return frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]

    main.evaluate(
        """(main) => {
          const look = () => {
            window.lowest = Math.min(window.lowest ?? Infinity, main.scrollHeight);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    page.mouse.move(*place(0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*place(0.5, 0.5))
    expect(live).to_contain_text("palace")  # while it is drawn
    page.mouse.move(*place(0.7, 0.8))
    page.mouse.up()
    expect(page).to_have_url(re.compile("box="))
    expect(page.get_by_role("heading", name="Without this part: ")).to_be_visible()
    page.wait_for_timeout(1500)  # what was drawn last has arrived
    box = [float(edge) for edge in re.findall(r"\d\.\d+", page.url.split("box=")[1])]
    left, top, right, bottom = box
    photograph = decode(SAMPLES / "palace.jpg").covered((left, top, right, bottom), keep=False)
    after = analyse(photograph, loaded("lite0")).predictions
    share = 100 * after.of(imagenet().index("palace")).probability
    expect(live).to_contain_text(f"{share:.0f}\N{NO-BREAK SPACE}%")
    before = photo.screenshot()
    page.mouse.move(*place(0.45, 0.5))  # inside: it moves
    page.mouse.down()
    page.mouse.move(*place(0.55, 0.4))
    page.mouse.up()
    page.wait_for_timeout(1500)
    moved = [float(edge) for edge in re.findall(r"\d\.\d+", page.url.split("box=")[1])]
    assert moved[2] - moved[0] == pytest.approx(right - left, abs=0.003)
    assert moved[0] > left
    assert moved[1] < top
    assert photo.screenshot() != before
    page.get_by_role("button", name="Remove the box").click()
    expect(page.get_by_role("heading", name="Palace, ")).to_be_visible()
    expect(page).not_to_have_url(re.compile("box="))
    # A page that is shorter for a moment loses where it is scrolled to.
    assert page.evaluate("() => window.lowest") >= main.evaluate("main => main.scrollHeight") - 60
    assert main.evaluate("main => main.scrollTop") == 60
    page.keyboard.press("Escape")
    expect(pane_of(page, "Grad-CAM")).to_be_visible()


def test_a_part_is_covered_by_keys(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    page.get_by_role("button", name="Cover", exact=True).press("Enter")
    photo = page.locator('[data-slot="photograph"] .stage')
    expect(photo).to_be_visible()  # what is hidden takes no focus: Enter would press Cover again
    photo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Without this part: ")).to_be_visible()
    box = page.get_by_role("group", name="Covered part").first
    expect(page).to_have_url(re.compile("box="))
    first = page.url
    box.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).not_to_have_url(first)
    expect(box).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("heading", name="Palace, ")).to_be_visible()


def test_a_finger_pins_and_reads(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(address + PALACE)
        explained(page, "palace")
        pane_of(page, "CAM").tap()
        text = page.locator("figure", has=pane_of(page, "CAM")).locator(".reading")
        expect(text).to_have_text(re.compile(r"row \d+, column \d+"))
        expect(page).to_have_url(re.compile("pin="))
        pane_of(page, "CAM").tap()
        expect(page).not_to_have_url(re.compile("pin="))
    finally:
        context.close()


def test_presenting_fills_the_screen_and_steps(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(address + PALACE)
    explained(page, "palace")
    page.keyboard.press("p")
    deck = page.locator(".deck.presenting")
    expect(deck).to_be_visible()
    for method in ("CAM", "Grad-CAM"):
        box = pane_of(page, method).bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(min(0.75 * 1080, 0.45 * 1920), abs=2)
    expect(page.locator(".headline")).to_have_css("font-size", "28px")
    answers = page.locator(".answers li")
    expect(answers).to_have_count(5)
    expect(answers.first).to_have_css("font-size", "24px")
    leave = page.get_by_role("button", name="Exit")
    box = leave.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    page.keyboard.press("ArrowLeft")
    expect(pane_of(page, "Grad-CAM")).to_have_attribute("aria-label", re.compile("stage 7 "))
    page.keyboard.press("ArrowDown")
    lite1 = re.compile("EfficientNet-Lite1 at 240 px")
    expect(pane_of(page, "CAM")).to_have_attribute("aria-label", lite1)
    expect(deck).to_be_visible()
    leave.click()
    expect(deck).to_be_hidden()
    expect(page.get_by_text("Stage by stage")).to_be_visible()


def test_h_in_any_case_is_let_go_in_any_way(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    maps = pane_of(page, "CAM").locator(".over")

    def hidden(down: str) -> None:
        page.keyboard.down(down)
        expect(maps).to_have_css("visibility", "hidden")

    hidden("H")  # Caps Lock
    page.keyboard.up("H")
    expect(maps).to_have_css("visibility", "visible")
    hidden("h")
    page.keyboard.down("Shift")
    page.keyboard.up("H")
    page.keyboard.up("Shift")
    expect(maps).to_have_css("visibility", "visible")
    hidden("h")
    page.evaluate("window.dispatchEvent(new Event('blur'))")  # another window has the keys
    expect(maps).to_have_css("visibility", "visible")
    page.keyboard.up("h")
    page.keyboard.press("P")
    expect(page.locator(".deck.presenting")).to_be_visible()


def test_a_pin_stays_on_its_page(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    pane_of(page, "CAM").click()
    expect(page).to_have_url(re.compile("pin="))
    go_to(page, "Compare scaling")
    expect(page.locator(".stage:visible").first).to_be_visible()
    expect(page).to_have_url(re.compile("compare_scaling"))
    page.wait_for_timeout(1000)
    assert "pin=" not in page.url


def test_keys_typed_into_a_field_are_letters(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.get_by_label("Explain another class").press_sequentially("php")
    expect(page.locator(".deck.presenting")).to_have_count(0)


PAGES = ("", "compare_scaling", "methods", "mistakes", "scaling_lab", "scaling_rules", "models")
LOOKS = [
    (path, scheme, size)
    for path in PAGES
    for scheme in ("light", "dark")
    for size in ("wide", "phone")
]


@pytest.mark.parametrize(
    ("path", "scheme", "size"),
    one_of_many(
        LOOKS,
        [*((path, "dark", "wide") for path in PAGES), ("compare_scaling", "light", "phone")],
    ),
)
def test_no_barrier(chromium: Browser, address: str, path: str, scheme: str, size: str) -> None:
    context = chromium.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport=WIDE if size == "wide" else PHONE,  # type: ignore[arg-type]
    )
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(address + path)
        if path in ("", "compare_scaling", "methods", "scaling_lab"):
            expect(page.locator(".stage:visible").first).to_be_visible()
            expect(page.locator('.stage[aria-busy="true"]:visible')).to_have_count(0)
        else:
            expect(page.get_by_role("heading", level=2).first).to_be_visible()
        page.wait_for_timeout(1000)
        assert barriers(page) == []
    finally:
        context.close()


def test_what_is_sent_is_small(page: Page, address: str) -> None:
    """Everything of a view but the code and the photographs, which are sent once."""
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: received.append(len(payload)))

    page.on("websocket", listen)
    page.goto(address)
    explained(page, "tiger cat")
    page.wait_for_timeout(1500)
    received.clear()
    choose_stage(page, 2)  # the largest grids: 112×112
    expect(pane_of(page, "Grad-CAM")).to_have_attribute("aria-label", re.compile("stage 2 "))
    page.wait_for_timeout(1500)
    assert 0 < sum(received) < 200_000
