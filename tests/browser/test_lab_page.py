"""The page "Scaling lab" in a real Chromium: where things are, dragging, presenting, a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    Locator,
    Page,
    Request,
    WebSocket,
    expect,
)

from effnet_viz.analysis.explanation import Explanation, explain
from effnet_viz.analysis.words import percent
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.demo import MaskScores
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.scene_editor import SceneSpec
from effnet_viz.lab.sprites import CLASSES
from tests.browser.visitor import PATIENCE, PHONE, WIDE, barriers
from tests.choices import one_of_many

pytestmark = pytest.mark.browser

FOX = SceneSpec(
    seed=5, label=CLASSES.index("fox"), vendor="Twitter", size=0.5, cx=0.3, cy=0.6,
    distractors=4, occlusion=0.0,
)  # fmt: skip
QUERY = (
    "scaling_lab?bench=Five+miniatures&seed=5&object=fox&drawn_by=Twitter&size=50"
    "&place=0.300,0.600&clutter=4&hidden=0"
)
SMALL = {"width": 1280, "height": 720}
COUNT = len(SCALINGS)
LOADING = 3 * PATIENCE
"""For the first visitor, who waits for all five networks."""


def stage(page: Page, place: int = 0) -> Locator:
    return page.locator(".slot .stage").nth(place)


def sources(page: Page) -> list[str]:
    images = page.locator(".slot .stage img.photograph")
    return [str(images.nth(i).get_attribute("src")) for i in range(images.count())]


def opened(page: Page, address: str, query: str = QUERY) -> None:
    page.goto(address + query)
    expect(page.locator(".slot .said .mark")).to_have_count(COUNT, timeout=LOADING)
    expect(page.locator(".slot .stage img.photograph").last).to_be_visible()
    page.wait_for_timeout(500)


def box_of(place: Locator) -> dict[str, float]:
    box = place.bounding_box()
    assert box is not None
    return {name: round(box[name]) for name in ("x", "y", "width", "height")}


def drag(page: Page, place: int, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to in shares of the picture, in ten steps."""
    box = box_of(stage(page, place))
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    (x, y), (to_x, to_y) = points
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=10)
    page.mouse.up()


def expected_of(spec: SceneSpec) -> list[tuple[Explanation, MaskScores]]:
    """What the five networks find in a scene with their class activation maps."""
    scene = scene_editor.compose(spec).scene
    photograph = demo.photograph_of(scene)
    found = [explain(photograph, model, scene.label) for model in demo.models().values()]
    return [(one, demo.score(one, scene)) for one in found]


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["1440", "1280"])
def test_five_maps_in_a_row_on_the_first_screen(
    page: Page, address: str, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(address + QUERY)
    expect(page.locator(".findings").first).to_be_visible()
    expect(stage(page, 4)).to_be_visible()
    before = [box_of(stage(page)), box_of(page.locator(".findings").first)]
    opened(page, address)
    boxes = [box_of(stage(page, place)) for place in range(COUNT)]
    side = round((size["width"] - 48 - 4 * 16) / COUNT)
    for box in boxes:
        assert box["y"] == boxes[0]["y"] < 160
        assert box["width"] == pytest.approx(box["height"], abs=1)
        assert box["width"] == pytest.approx(side, abs=1)
    found = box_of(page.locator(".findings").first)
    assert [boxes[0], found] == before  # nothing moved when the maps came
    assert found["y"] < 530
    assert page.evaluate("() => document.documentElement.scrollWidth") == size["width"]
    if size is WIDE:
        chart = box_of(page.locator(".findings .dots").first)
        assert chart["y"] + chart["height"] < size["height"]
    line = box_of(page.get_by_role("button", name="New scene"))
    assert line["y"] + line["height"] < boxes[0]["y"]


def test_answers_are_marked_right_or_wrong(page: Page, address: str) -> None:
    opened(page, address)
    for place, (one, scores) in enumerate(expected_of(FOX)):
        slot = page.locator(".slot").nth(place)
        best = one.analysis.predictions[0]
        mark = slot.locator(".mark")
        expect(mark).to_have_attribute("aria-label", "right" if best.label == "fox" else "wrong")
        expect(slot.locator(".said")).to_have_text(f"{best.label}{percent(best.probability)}")
        expect(slot.locator(".shares")).to_contain_text(
            f"Evidence on the object {percent(scores.energy)}"
        )
    shapes = page.locator(".slot .mark").evaluate_all(
        "all => all.map(m => [m.ariaLabel, getComputedStyle(m).borderRadius])"
    )
    assert {tuple(shape) for shape in shapes} <= {("right", "50%"), ("wrong", "4px")}


def test_dragging_the_object_moves_it_in_all_pictures(page: Page, address: str) -> None:
    opened(page, address)
    before = sources(page)
    assert len(set(before)) == 1
    drag(page, 3, (0.3, 0.6), (0.7, 0.4))
    expect(page).to_have_url(re.compile(r"place=0\.7\d*%2C0\.4|place=0\.69\d*%2C0\.(39|4)"))
    page.wait_for_timeout(1000)
    after = sources(page)
    assert len(set(after)) == 1
    assert after != before
    # What is on the page is what the API says of the object at its new place.
    place = re.search(r"place=([\d.]+)%2C([\d.]+)", page.url)
    assert place is not None
    cx, cy = (float(value) for value in place.groups())
    for number, (_, scores) in enumerate(
        expected_of(SceneSpec(**vars(FOX) | {"cx": cx, "cy": cy}))
    ):
        said = stage(page, number).get_attribute("aria-label")
        share = re.search(r"(\d+)\s% of the evidence", str(said))
        assert share is not None
        assert abs(int(share[1]) - 100 * scores.energy) <= 1
    labels = [stage(page, number).get_attribute("aria-label") for number in range(COUNT)]
    page.reload()
    for number, label in enumerate(labels):
        expect(stage(page, number)).to_have_attribute("aria-label", str(label))
    assert page.url.count(f"place={place[1]}%2C{place[2]}") == 1


def beside_its_outline(spec: SceneSpec) -> tuple[float, float]:
    """A point between the parts of the object: within its hull, far from its outline."""
    outline = [np.array(c, np.float32) for c in scene_editor.compose(spec).outline]
    hull = cv2.convexHull(np.concatenate(outline))
    places = [(x / 50, y / 50) for x in range(1, 50) for y in range(1, 50)]

    def depth(place: tuple[float, float]) -> float:
        around = max(cv2.pointPolygonTest(part, place, measureDist=True) for part in outline)
        return min(cv2.pointPolygonTest(hull, place, measureDist=True), -around)

    deepest = max(places, key=depth)
    assert depth(deepest) > 0.01
    return deepest


def test_the_object_can_be_taken_hold_of_between_its_parts(page: Page, address: str) -> None:
    opened(page, address)
    x, y = beside_its_outline(FOX)
    drag(page, 1, (x, y), (x + 0.2, y - 0.2))
    expect(page).to_have_url(re.compile(r"place=0\.(49|50)\d*%2C0\.(39|40)"))


def test_dragging_beside_the_object_moves_nothing(page: Page, address: str) -> None:
    opened(page, address)
    before = sources(page)
    drag(page, 0, (0.85, 0.15), (0.6, 0.3))
    page.wait_for_timeout(1000)
    assert sources(page) == before
    assert "place=0.300" in page.url


def test_keys_pressed_quickly_all_count(page: Page, address: str) -> None:
    opened(page, address)
    stage(page, 1).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"):
        page.keyboard.press(f"Shift+{key}")
    expect(page).to_have_url(re.compile(r"place=0\.400%2C0\.600"))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    expect(page).to_have_url(re.compile(r"place=0\.350%2C0\.550"))


def test_a_hand_shows_once_how_to_drag(page: Page, address: str) -> None:
    opened(page, address)
    hand = page.locator(".slot .hand")
    expect(hand).to_have_count(1)
    drag(page, 0, (0.3, 0.6), (0.4, 0.6))
    expect(hand).to_have_count(0)
    opened(page, address)
    expect(hand).to_have_count(0)


def test_what_was_chosen_outlives_a_new_scene_by_key(page: Page, address: str) -> None:
    opened(page, address)
    controls = page.locator(".st-key-dropdown_scene")
    expect(controls.get_by_text("Artist")).to_be_hidden()
    page.get_by_role("button", name="Change scene").click()
    controls.get_by_text("Grad-CAM", exact=True).click()
    expect(page).to_have_url(re.compile("map=Grad-CAM"))
    controls.locator(".st-key-object input").click()
    page.get_by_role("option", name="octopus").click()
    expect(page).to_have_url(re.compile("object=octopus"))
    expect(controls.get_by_text("Artist")).to_be_visible()
    page.keyboard.press("Escape")
    expect(controls.get_by_text("Artist")).to_be_hidden()
    before = sources(page)
    page.keyboard.press("n")
    expect(page).not_to_have_url(re.compile("seed=5&"))
    expect(stage(page).locator("img.photograph")).not_to_have_attribute("src", before[0])
    page.wait_for_timeout(1000)
    seed = re.search(r"seed=\d+", page.url)
    assert seed is not None
    stage(page).focus()
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(2000)
    assert seed[0] in page.url
    assert "map=Grad-CAM" in page.url


def test_presenting_shows_the_pictures_and_steps_between_the_maps(page: Page, address: str) -> None:
    opened(page, address)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.keyboard.press("p")
    headline = page.locator(".headline")
    expect(headline).to_have_text("Which network finds the fox?")
    expect(page.locator(".deck footer")).to_have_text(
        "N new scene · drag the fox · ← → map · Esc leaves"
    )
    boxes = [box_of(stage(page, place)) for place in range(COUNT)]
    assert boxes[0]["x"] == 48
    assert boxes[4]["x"] + boxes[4]["width"] == pytest.approx(1920 - 48, abs=1)
    sizes = page.locator(".slot .said").evaluate_all(
        "all => all.map(s => getComputedStyle(s).fontSize)"
    )
    assert sizes == ["24px"] * COUNT
    page.keyboard.press("ArrowLeft")
    expect(headline).to_have_text("Which network finds the fox? Grad-CAM")
    expect(stage(page, 4)).to_have_attribute("aria-label", re.compile("class “fox”, stage 6"))
    stage(page).focus()
    page.keyboard.press("Shift+ArrowRight")  # moves the object, and only that
    expect(page).to_have_url(re.compile(r"place=0\.350"))
    expect(headline).to_have_text("Which network finds the fox? Grad-CAM")
    page.keyboard.press("ArrowRight")
    expect(headline).to_have_text("Which network finds the fox?")
    page.keyboard.press("Escape")
    expect(headline).to_be_hidden()


def test_look_opens_the_controls_of_the_maps(page: Page, address: str) -> None:
    opened(page, address)
    look = page.get_by_role("button", name="Look")
    opacity = page.get_by_label("Opacity", exact=True)
    expect(opacity).to_be_hidden()
    look.click()
    opacity.fill("20")
    expect(page).to_have_url(re.compile("opacity=20"))
    look.click()
    expect(opacity).to_be_hidden()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_a_phone_shows_two_maps_at_once(phone: Page, address: str) -> None:
    opened(phone, address)
    first, second, third = (box_of(stage(phone, place)) for place in range(3))
    assert first["y"] == second["y"] < third["y"]
    assert second["x"] + second["width"] <= PHONE["width"] - 16
    assert second["y"] + second["height"] < PHONE["height"]
    assert phone.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    for button in ("New scene", "Change scene", "Look"):
        box = box_of(phone.get_by_role("button", name=button))
        assert box["height"] >= 44
        assert box["y"] < first["y"]
    phone.get_by_role("button", name="Change scene").click()
    size = phone.locator(".st-key-dropdown_scene").get_by_text("Size in %")
    expect(size).to_be_visible()
    box = box_of(phone.locator(".st-key-dropdown_scene"))
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_a_finger_moves_the_object_and_scrolls_beside_it(phone: Page, address: str) -> None:
    opened(phone, address)
    box = box_of(stage(phone))
    session = phone.context.new_cdp_session(phone)

    def swipe(start: tuple[float, float], end: tuple[float, float]) -> None:
        def touch(kind: str, *places: tuple[float, float]) -> None:
            points = [
                {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
                for x, y in places
            ]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", start)
        for step in range(1, 9):
            share = step / 8
            x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
            touch("touchMove", (x, y))
            phone.wait_for_timeout(30)
        touch("touchEnd")

    swipe((0.3, 0.6), (0.5, 0.3))
    expect(phone).to_have_url(re.compile(r"place=0\.(49|5)\d*%2C0\.(29|3)"))
    assert box_of(stage(phone))["y"] == pytest.approx(box["y"], abs=2)
    swipe((0.9, 0.9), (0.9, 0.3))
    phone.wait_for_timeout(500)
    assert box_of(stage(phone))["y"] < box["y"] - 20


def test_while_dragging_little_is_sent(page: Page, address: str) -> None:
    """A frame is one scene, five maps and their numbers: not the charts, not the controls."""
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: received.append(len(payload)))

    page.on("websocket", listen)
    opened(page, address)
    page.wait_for_timeout(1500)
    received.clear()
    before = sources(page)
    box = box_of(stage(page))
    x, y = (box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.05 * box["width"], y)
    expect(stage(page).locator("img.photograph")).not_to_have_attribute("src", before[0])
    page.wait_for_timeout(500)
    assert 0 < sum(received) < 60_000
    assert "place=0.300" in page.url
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"place=0\.350"))


def test_charts_are_loaded_when_they_are_opened(page: Page, address: str) -> None:
    loaded: list[str] = []

    def note(request: Request) -> None:
        if "plotly" in request.url.lower():
            loaded.append(request.url)

    page.on("request", note)
    opened(page, address)
    assert not loaded
    page.get_by_text("Learning curves", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    expect(page).to_have_url(re.compile("curves=true"))
    assert loaded
    page.reload()
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_ones_own_background(page: Page, address: str, tmp_path: Path) -> None:
    opened(page, address, QUERY + "&opacity=0")
    before = sources(page)
    green = tmp_path / "green.png"
    Image.new("RGB", (300, 200), (20, 200, 60)).save(green)
    page.get_by_role("button", name="Own background").click()
    field = page.locator("[data-testid=stPopoverBody] input[type=file]")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    field.set_input_files(broken)
    expect(page.get_by_text("broken.png:")).to_be_visible()
    assert sources(page) == before
    field.set_input_files(green)
    expect(page.get_by_role("button", name="Remove it")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_timeout(1000)
    stage(page).hover(position={"x": 250, "y": 250})
    with page.expect_download() as download:
        page.locator("figure > .save").first.click()
    saved = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    corner = saved[20:60, -60:-20].mean(axis=(0, 1))  # beside the fox
    assert corner[1] > corner[0] + 20
    assert corner[1] > corner[2] + 20


@pytest.mark.parametrize("scheme", one_of_many(["light", "dark"], ["light"]))
def test_no_barrier(chromium: Browser, address: str, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        opened(page, address)
        assert barriers(page) == []
    finally:
        context.close()
