"""The viewer in a real Chromium: its pixels, its silence towards the server, its every way in."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, WebSocket, expect

from effnet_viz import analyse
from effnet_viz.arrays import full_range
from effnet_viz.engines.structure import Stage
from effnet_viz.images.decode import decode
from effnet_viz.models import architectures, variants
from effnet_viz.models.classes import imagenet
from effnet_viz.pictures import render
from tests.browser.visitor import (
    PATIENCE,
    PHONE,
    choose,
    explained,
    more,
    pane_of,
    reading_of,
    serious_barriers,
)
from tests.choices import one_of_many
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser

PALACE = "?image=palace"


@pytest.fixture
def sent(page: Page) -> list[int]:
    """Sizes of the websocket messages from the browser to the server."""
    sizes: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: sizes.append(len(payload)))

    page.on("websocket", listen)
    return sizes


def test_looking_asks_the_server_nothing(page: Page, address: str, sent: list[int]) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.wait_for_timeout(1500)  # until the page is quiet
    before = len(sent)
    assert before > 0
    more(page)
    page.get_by_label("Opacity").fill("20")
    page.get_by_label("Threshold").fill("40")
    page.get_by_label("Colours").select_option("viridis")
    for choice in ("Signed", "Shared", "Fixed", "Crop"):
        page.get_by_role("radio", name=choice, exact=True).click()
    for button in ("Contours", "Divider", "True grid"):
        page.get_by_role("button", name=button, exact=True).click()
    divider = page.get_by_role("slider", name="Divider").first
    divider.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", "52")
    page.get_by_role("button", name="Zoom in").click()
    pane_of(page, "CAM").hover(position={"x": 40, "y": 40})
    pane_of(page, "CAM").click(position={"x": 60, "y": 50})
    page.keyboard.down("h")
    page.keyboard.up("h")
    page.wait_for_timeout(1500)  # what a setting sends comes at once
    assert len(sent) == before
    for part in ("opacity=20", "threshold=40", "scale=fixed", "view=crop", "divider=52", "pin="):
        assert part in page.url
    choose(page, "Stages of the network", "8")  # and this does ask
    expect(page.get_by_text("Grad-CAM, class “tiger cat”, stage 8 (7×7)")).to_be_visible()
    assert len(sent) > before
    expect(page).to_have_url(re.compile("opacity=20"))  # the server wrote the address; it is back


def test_settings_come_back_after_a_reload(page: Page, address: str) -> None:
    page.goto(address + "?opacity=30&evidence=signed&threshold=20&pin=0.500,0.400")
    explained(page, "tiger cat")
    reading = reading_of(page, "CAM").text_content()
    assert reading is not None
    assert "row" in reading
    page.reload()
    explained(page, "tiger cat")
    expect(page.get_by_label("Opacity")).to_have_value("30")
    expect(page.get_by_role("radio", name="Signed")).to_have_attribute("aria-checked", "true")
    expect(reading_of(page, "CAM")).to_have_text(reading)


def test_settings_with_nonsense_are_the_defaults(page: Page, address: str) -> None:
    page.goto(address + "?opacity=900&evidence=evil&colours=rainbow&pin=7,8&scale=fixed")
    explained(page, "tiger cat")
    expect(page.get_by_label("Opacity")).to_have_value("55")
    expect(page.get_by_label("Colours")).to_have_value("magma")
    expect(page.get_by_role("radio", name="Own")).to_have_attribute("aria-checked", "true")


def expected_reading(values: NDArray[np.float32], row: int, column: int) -> str:
    value = values[row, column]
    above = int(100 * (values < value).mean())
    place = f"row {row + 1}, column {column + 1}"
    return f"{render.number(float(value))} at {place}: above {above} % of the map"


def cell_at(place: float, stage: Stage) -> int:
    """The cell of one axis whose centre is the nearest one to a place of the crop, 0 to 1."""
    return int(np.abs(stage.placement.centres(stage.side) - place).argmin())


def test_linked_readings_are_the_values_of_the_api(page: Page, address: str) -> None:
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    page.goto(address + PALACE + "&view=crop&stage=5")
    explained(page, "palace")
    pane = pane_of(page, "CAM")
    frame = pane.bounding_box()
    assert frame is not None
    for x, y in ((0.1, 0.2), (0.5, 0.93), (0.77, 0.4)):
        pane.hover(position={"x": x * frame["width"], "y": y * frame["height"]})
        for method, stage, values in (
            ("CAM", 9, result.cam),
            ("Grad-CAM", 5, result.grad_cam(5)),
        ):
            structure = architectures.structure_of(variants.find("lite0"))
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
    page.goto(address + PALACE + "&view=crop&stage=6")
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
    expect(page.locator(".zoom")).to_have_text("150 %")
    page.keyboard.press("0")
    expect(page.locator(".zoom")).to_have_text("100 %")


def test_zooming_keeps_what_is_under_the_pointer(page: Page, address: str) -> None:
    page.goto(address + PALACE + "&view=crop")
    explained(page, "palace")
    pane, zoom = pane_of(page, "CAM"), page.locator(".zoom")
    frame = pane.bounding_box()
    assert frame is not None
    place, cell = {"x": 0.1 * frame["width"], "y": 0.9 * frame["height"]}, "row 7, column 1:"
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


def test_captions_name_the_scale_that_a_map_really_has(page: Page, address: str) -> None:
    page.goto(address + PALACE + "&stage=2&scale=shared")
    explained(page, "palace")
    low, high = full_range(analyse(SAMPLES / "palace.jpg", loaded("lite0")).stages[2])
    of_stage = f"shared scale {render.number(low)} to {render.number(high)}"
    dialog = page.get_by_role("dialog")
    for _ in ("shared", "fixed"):
        page.get_by_role("group", name="Channels of stage 2").locator("button").nth(9).click()
        expect(dialog.locator("figcaption")).to_contain_text(of_stage)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.get_by_role("radio", name="Fixed", exact=True).click()
    expect(page.locator("figcaption").filter(has_text="Grad-CAM")).to_contain_text("fixed scale")
    page.get_by_role("link", name="Compare scaling").click()
    disagreement = page.locator("figcaption").filter(has_text="standard deviation of ranks")
    expect(disagreement).to_contain_text("own scale")
    expect(page.locator("figcaption").first).to_contain_text("fixed scale")


def test_a_panorama_lies_under_all_maps(page: Page, address: str, tmp_path: Path) -> None:
    panorama = tmp_path / "panorama.png"
    Image.open(SAMPLES / "palace.jpg").resize((2000, 80)).save(panorama)
    page.goto(address)
    explained(page, "tiger cat")
    page.get_by_role("link", name="Compare scaling").click()
    expect(page.get_by_text("Where they disagree")).to_be_visible()
    page.locator("input[type=file]").set_input_files(panorama)
    square = page.locator('.stage[style*="--aspect: 1;"]')
    expect(square).to_have_count(4)  # three networks and where they disagree
    expect(square.locator("img.photograph:visible")).to_have_count(4)


def test_a_drawn_box_is_hidden_from_the_model(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    more(page)
    page.get_by_role("button", name="Cover a part").click()
    pane = pane_of(page, "CAM")
    page.wait_for_timeout(1000)  # until nothing moves: the mouse goes by coordinates
    frame = pane.bounding_box()
    assert frame is not None
    for x, y in ((0.3, 0.2), (0.5, 0.5), (0.6, 0.8)):
        page.mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])
        if x == 0.3:
            page.mouse.down()
    page.mouse.up()
    expect(page.get_by_text("With a part covered")).to_be_visible()
    box = [float(edge) for edge in re.findall(r"\d\.\d+", page.url.split("box=")[1])]
    assert np.allclose(box, [0.3, 0.2, 0.6, 0.8], atol=0.01)
    left, top, right, bottom = box
    photograph = decode(SAMPLES / "palace.jpg").covered((left, top, right, bottom), keep=False)
    result = analyse(photograph, loaded("lite0"))
    probability = result.predictions.of(imagenet().index("palace")).probability
    expect(page.get_by_text(f"to {probability:.1%}")).to_be_visible()
    page.get_by_role("button", name="Remove the box").click()
    expect(page.get_by_text("With a part covered")).to_be_hidden()
    assert "box=" not in page.url


def test_a_box_by_keys(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    more(page)
    page.get_by_role("button", name="Cover a part").press("Enter")
    pane_of(page, "CAM").focus()
    for key in ("ArrowLeft", "Enter", "ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("With a part covered")).to_be_visible()


def test_a_finger_pins_and_reads(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(address + PALACE)
        explained(page, "palace")
        pane_of(page, "CAM").tap()
        for method in ("CAM", "Grad-CAM"):
            expect(reading_of(page, method)).to_contain_text(re.compile(r"at row \d+, column \d+"))
        expect(page).to_have_url(re.compile("pin="))
        pane_of(page, "CAM").tap()
        expect(page).not_to_have_url(re.compile("pin="))
    finally:
        context.close()


def test_presenting_shows_little_and_steps(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    page.keyboard.press("p")
    sidebar = page.locator("[data-testid=stSidebar]")
    expect(sidebar).to_be_hidden()
    expect(page.get_by_text("Stage by stage")).to_be_hidden()
    expect(pane_of(page, "Grad-CAM")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Grad-CAM, class “palace”, stage 7 (7×7)")).to_be_visible()
    page.keyboard.press("ArrowDown")
    caption = page.locator("figcaption").filter(has_text="EfficientNet-Lite1 at 240 px")
    expect(caption.first).to_be_visible()
    expect(sidebar).to_be_hidden()
    page.keyboard.press("Escape")
    expect(sidebar).to_be_visible()


@pytest.mark.parametrize(
    ("link", "stepped"),
    [("Compare scaling", "CAM, class “palace”, stage 8"), ("Scaling lab", "Grad-CAM, class")],
)
def test_the_presenters_keys_are_those_of_the_page(
    page: Page, address: str, sent: list[int], link: str, stepped: str
) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    body = page.locator("body")
    expect(body).to_have_attribute("data-steps", "← → stage, ↑ ↓ model")
    page.get_by_role("link", name=link).click()
    expect(body).to_have_attribute("data-steps", "← → stage")
    expect(page.locator("figcaption").nth(2)).to_be_visible()
    page.wait_for_timeout(3000)  # until the page is quiet
    page.evaluate("addEventListener('keydown', e => { window.taken = e.defaultPrevented })")
    page.keyboard.press("p")
    before = len(sent)
    page.keyboard.press("ArrowDown")
    assert not page.evaluate("window.taken")
    page.wait_for_timeout(1000)
    assert len(sent) == before
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("window.taken")
    expect(page.locator("figcaption").filter(has_text=stepped).nth(2)).to_be_visible()


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
    expect(page.locator("[data-testid=stSidebar]")).to_be_hidden()


def test_the_box_tool_stays_on_its_page(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    more(page)
    page.get_by_role("button", name="Cover a part").click()
    expect(pane_of(page, "CAM")).to_have_class(re.compile("drawing"))
    page.get_by_role("link", name="Compare scaling").click()
    expect(page.locator("body")).to_have_attribute("data-steps", "← → stage")
    expect(page.get_by_text("Where they disagree")).to_be_visible()
    pane = pane_of(page, "CAM").first
    expect(pane).not_to_have_class(re.compile("drawing"))
    pane.click()
    expect(page).to_have_url(re.compile("pin="))


def test_keys_typed_into_a_field_are_letters(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.get_by_label("Explain another class").press_sequentially("php")
    expect(page.locator("[data-testid=stSidebar]")).to_be_visible()


@pytest.mark.parametrize("scheme", one_of_many(["light", "dark"], ["dark"]))
def test_no_serious_barrier(chromium: Browser, address: str, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(address + PALACE)
        explained(page, "palace")
        more(page)
        assert serious_barriers(page) == []
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
    choose(page, "Stages of the network", "2")  # the largest grids: 112×112
    expect(page.get_by_text("Grad-CAM, class “tiger cat”, stage 2 (112×112)")).to_be_visible()
    page.wait_for_timeout(1500)
    assert 0 < sum(received) < 150_000
