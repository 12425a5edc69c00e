"""The lab's bench of real networks in a real Chromium: dragging, two objects, a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from effnet_viz.scenes.editor import SIDE
from effnet_viz.ui.lab.bench import DRAGGED_SIDE
from tests.browser.test_lab_page import LOADING, box_of, drag, sources, stage
from tests.browser.visitor import PATIENCE, PHONE, WIDE, barriers
from tests.choices import one_of_many

pytestmark = pytest.mark.browser

TIGER = (
    "scaling_lab?networks=lite0,lite1&first=a+lying+tiger&first_size=50&first_at=0.350,0.400"
    "&behind=made+by+chance&ground=5&scene=7&view=photograph"
)
WITH_HEN = TIGER + "&second=a+brown+hen&second_size=30&second_at=0.750,0.750"
SIZE_OF_PHOTOGRAPH = """() => {
  const roots = [document];
  for (const root of roots) {
    for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) roots.push(shadowRoot);
  }
  return roots.flatMap((root) => [...root.querySelectorAll(".slot img.photograph")])
    .map(({ naturalWidth }) => naturalWidth);
}"""
ALL_ARE = f"() => ({SIZE_OF_PHOTOGRAPH})().every((side) => side === %d)"


def opened(page: Page, address: str, query: str, count: int = 2) -> None:
    page.goto(address + query)
    expect(page.locator(".slot .said .mark")).to_have_count(count, timeout=LOADING)
    expect(page.locator(".slot .stage img.photograph").last).to_be_visible()
    page.wait_for_timeout(500)


def explained(page: Page, label: str) -> None:
    expect(page.locator(".slot .more").last).to_contain_text(f"Explained: {label}")


@pytest.mark.parametrize("size", [WIDE, {"width": 1280, "height": 720}], ids=["1440", "1280"])
def test_four_maps_in_a_row_on_the_first_screen(
    page: Page, address: str, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    opened(page, address, "scaling_lab", 4)
    boxes = [box_of(stage(page, place)) for place in range(4)]
    for place, box in enumerate(boxes):
        assert box["y"] == boxes[0]["y"] < 160
        said = box_of(page.locator(".slot .more").nth(place))
        assert said["y"] + said["height"] < size["height"]
    assert page.evaluate("() => document.documentElement.scrollWidth") == size["width"]
    heads = page.locator(".slot .head").all_inner_texts()
    assert [re.split(r"\s+", head, maxsplit=1)[0] for head in heads] == [
        "Lite0",
        "Lite0",
        "Lite1",
        "Lite2",
    ]


def test_dragging_shows_a_smaller_scene_and_letting_go_the_full_one(
    page: Page, address: str
) -> None:
    opened(page, address, TIGER)
    assert set(page.evaluate(SIZE_OF_PHOTOGRAPH)) == {SIDE}
    before = sources(page)
    box = box_of(stage(page, 1))
    x, y = (box["x"] + 0.35 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.2 * box["width"], y + 0.1 * box["height"], steps=10)
    page.wait_for_function(ALL_ARE % DRAGGED_SIDE)
    assert "first_at=0.350" in page.url
    page.mouse.up()
    page.wait_for_function(ALL_ARE % SIDE)
    expect(page).to_have_url(re.compile(r"first_at=0\.5(5|49)\d*%2C0\.(5|49)"))
    assert len(set(sources(page))) == 1
    assert sources(page) != before
    labels = [stage(page, place).get_attribute("aria-label") for place in range(2)]
    page.reload()
    for place, label in enumerate(labels):
        expect(stage(page, place)).to_have_attribute("aria-label", str(label))


def test_dragged_back_to_where_it_was_all_is_as_before(page: Page, address: str) -> None:
    opened(page, address, TIGER)
    labels = [stage(page, place).get_attribute("aria-label") for place in range(2)]
    box = box_of(stage(page))
    x, y = (box["x"] + 0.35 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.3 * box["width"], y, steps=5)
    page.wait_for_function(ALL_ARE % DRAGGED_SIDE)
    expect(stage(page)).not_to_have_attribute("aria-label", str(labels[0]))
    page.mouse.move(x, y, steps=5)
    page.mouse.up()
    page.wait_for_function(ALL_ARE % SIDE)
    for place, label in enumerate(labels):
        expect(stage(page, place)).to_have_attribute("aria-label", str(label))


def test_with_two_objects_each_is_dragged_by_itself(page: Page, address: str) -> None:
    opened(page, address, WITH_HEN)
    drag(page, 0, (0.75, 0.75), (0.65, 0.65))
    expect(page).to_have_url(re.compile(r"second_at=0\.6(5|49)\d*%2C0\.6(5|49)"))
    assert "first_at=0.350" in page.url
    explained(page, "tiger")  # dragging is no tap


def test_a_click_on_the_other_object_makes_its_class_the_target(page: Page, address: str) -> None:
    opened(page, address, WITH_HEN)
    explained(page, "tiger")
    box = box_of(stage(page, 1))
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.75 * box["height"])
    explained(page, "hen")
    expect(page).to_have_url(re.compile("asked=second"))
    stage(page).focus()
    page.keyboard.press("Shift+ArrowLeft")  # keys move the target
    expect(page).to_have_url(re.compile(r"second_at=0\.700%2C0\.750"))
    page.reload()
    explained(page, "hen")
    page.get_by_role("button", name="Change scene").click()
    last = page.get_by_role("combobox", name="Map")
    last.scroll_into_view_if_needed()
    inside, panel = box_of(last), box_of(page.locator(".st-key-dropdown_scene"))
    assert inside["y"] + inside["height"] < panel["y"] + panel["height"] <= WIDE["height"]
    page.locator(".st-key-_asked input").click()
    page.get_by_role("option", name="a lying tiger").click()
    explained(page, "tiger")
    expect(page).not_to_have_url(re.compile("asked="))


def test_a_new_scene_by_key(page: Page, address: str) -> None:
    opened(page, address, WITH_HEN)
    before = sources(page)
    page.keyboard.press("n")
    expect(page).not_to_have_url(re.compile("scene=7(&|$)"))
    expect(stage(page).locator("img.photograph")).not_to_have_attribute("src", before[0])
    expect(page.locator(".slot .more").first).to_contain_text("on the other object")


def test_other_networks_can_be_ticked(page: Page, address: str) -> None:
    opened(page, address, TIGER)
    page.get_by_role("button", name="2 networks").click()
    page.locator(".st-key-_networks input").fill("Lite2")
    page.get_by_role("option", name="Lite2 · 260 px").click()
    expect(page.locator(".slot .said .mark")).to_have_count(3, timeout=LOADING)
    expect(page).to_have_url(re.compile("networks=lite0%2Clite1%2Clite2"))


def test_the_miniatures_are_the_other_bench(page: Page, address: str) -> None:
    opened(page, address, TIGER)
    page.get_by_role("radio", name="Five miniatures").or_(
        page.get_by_role("button", name="Five miniatures")
    ).click()
    expect(page.locator(".slot .said .mark")).to_have_count(5, timeout=LOADING)
    expect(page).to_have_url(re.compile("bench=Five(%20|\\+)miniatures"))


def test_ones_own_background(page: Page, address: str, tmp_path: Path) -> None:
    opened(page, address, TIGER + "&opacity=0")
    before = sources(page)
    green = tmp_path / "green.png"
    Image.new("RGB", (300, 200), (20, 200, 60)).save(green)
    page.get_by_role("button", name="Own background").click()
    field = page.locator("[data-testid=stPopoverBody] input[type=file]")
    field.set_input_files(green)
    expect(page.get_by_role("button", name="Remove it")).to_be_visible()
    expect(stage(page).locator("img.photograph")).not_to_have_attribute("src", before[0])
    page.keyboard.press("Escape")
    page.wait_for_timeout(1000)
    stage(page).hover(position={"x": 250, "y": 250})
    with page.expect_download() as download:
        page.locator("figure > .save").first.click()
    saved = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    beside = saved[300:340, 500:540].mean(axis=(0, 1))  # right of the tiger, seen by the network
    assert beside[1] > beside[0] + 50
    assert beside[1] > beside[2] + 50


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_a_phone_shows_two_maps_at_once(phone: Page, address: str) -> None:
    opened(phone, address, WITH_HEN)
    first, second = (box_of(stage(phone, place)) for place in range(2))
    assert first["y"] == second["y"]
    assert first["y"] + first["height"] < PHONE["height"]
    assert phone.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    for name in ("Real networks", "2 networks", "Own background", "New scene", "Change scene"):
        box = box_of(phone.get_by_text(name, exact=True).first)
        assert 0 <= box["x"] < box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] + box["height"] <= first["y"]
    phone.get_by_role("button", name="Change scene").click()
    box = box_of(phone.locator(".st-key-dropdown_scene"))
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("scheme", one_of_many(["light", "dark"], ["light"]))
def test_no_barrier(chromium: Browser, address: str, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        opened(page, address, WITH_HEN)
        assert barriers(page) == []
    finally:
        context.close()
