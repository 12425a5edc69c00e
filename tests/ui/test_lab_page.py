"""The page "Scaling lab" without a browser and in a real one."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    WebSocket,
    expect,
)
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis.explanation import Explanation, explain
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.lab import demo, runs, scene_editor
from effnet_viz.lab.demo import MaskScores
from effnet_viz.lab.networks import SCALINGS
from effnet_viz.lab.scene_editor import SceneSpec
from effnet_viz.lab.scenes import Scene
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.models import model
from effnet_viz.pictures.captions import map_caption
from tests.browser.visitor import PATIENCE, PHONE, serious_barriers
from tests.choices import one_of_many
from tests.ui.opening import open_page, panes, texts

FOX = SceneSpec(
    seed=5, label=CLASSES.index("fox"), vendor="Twitter", size=0.5, cx=0.3, cy=0.6,
    distractors=4, occlusion=0.0,
)  # fmt: skip
LINK = {
    "seed": "5", "object": "fox", "drawn_by": "Twitter", "size": "50", "place": "0.300,0.600",
    "clutter": "4", "hidden": "0",
}  # fmt: skip
QUERY = "scaling_lab?" + "&".join(f"{name}={value}" for name, value in LINK.items())


def open_lab(**query: str | list[str]) -> AppTest:
    return open_page("pages/scaling_lab.py", **query)


def pictures(page: AppTest) -> list[dict[str, Any]]:
    """What the toolbar is told of the photograph."""
    components = [element.proto for element in page.get("bidi_component")]
    data = [json.loads(proto.json) for proto in components if proto.json]
    return [item["photograph"] for item in data if item.get("part") == "toolbar"]


def evidence(pane: dict[str, Any]) -> NDArray[np.float32]:
    sent = pane["map"]
    values = np.frombuffer(base64.b64decode(sent["values"]), np.float32)
    return values.reshape(sent["rows"], sent["columns"])


def expected_of(scene: Scene, *, own_answer: bool = False) -> list[tuple[Explanation, MaskScores]]:
    """What the five networks find in a scene with their class activation maps."""
    photograph, target = demo.photograph_of(scene), None if own_answer else scene.label
    found = [explain(photograph, model, target) for model in demo.models().values()]
    return [(one, demo.score(one, scene)) for one in found]


def test_five_networks_look_at_the_scene_of_the_link() -> None:
    page = open_lab(**LINK)
    composed = scene_editor.compose(FOX)
    expected = expected_of(composed.scene)
    scores = [of_map for _, of_map in expected]
    shown = panes(page)
    assert len(shown) == len(SCALINGS)
    for pane, (one, of_map) in zip(shown, expected, strict=True):
        values = one.attribution.values
        np.testing.assert_allclose(evidence(pane), values, rtol=1e-4, atol=1e-5)
        assert pane["caption"] == map_caption(one.attribution)
        assert pane["object"]["centre"] == [0.3, 0.6]
        assert pane["object"]["outline"] == [[list(c) for c in p] for p in composed.outline]
        assert f"{of_map.energy:.0%} of the evidence lies on it" in pane["description"]
    numbers = page.table[0].value
    assert list(numbers["evidence on the object"]) == [f"{one.energy:.0%}" for one in scores]
    assert list(numbers["a perfect map"]) == [f"{one.upper_bound:.0%}" for one in scores]
    assert list(numbers["object covered"]) == [f"{one.recall:.0%}" for one in scores]
    (picture,) = pictures(page)
    content = base64.b64decode(picture["source"].split(",")[1])
    sent = Image.open(io.BytesIO(content)).resize((scene_editor.SIDE, scene_editor.SIDE))
    difference = np.asarray(sent).astype(float) - composed.scene.image
    assert np.abs(difference).mean() < 12  # noise does not survive JPEG


def test_controls_change_the_scene() -> None:
    page = open_lab(**LINK)
    first = pictures(page)[0]["id"]
    page.slider(key="hidden").set_value(40).run()
    hidden = scene_editor.compose(SceneSpec(**(vars(FOX) | {"occlusion": 0.4}))).occlusion
    assert f"never seen in training. Of what lies inside the picture, {hidden:.0%} is" in texts(
        page
    )
    assert pictures(page)[0]["id"] != first
    page.selectbox(key="drawn_by").set_value("Google").run()
    assert "Drawn by Google, seen in training." in texts(page)
    page.segmented_control(key="map").set_value("Grad-CAM").run()
    assert all("Grad-CAM, class “fox”, stage 6" in pane["caption"][1] for pane in panes(page))


def test_each_networks_own_answer_can_be_explained() -> None:
    page = open_lab(**(LINK | {"hidden": "60", "clutter": "12", "size": "20"}))
    page.segmented_control(key="explained").set_value("its own answer").run()
    composed = scene_editor.compose(
        SceneSpec(**(vars(FOX) | {"occlusion": 0.6, "distractors": 12, "size": 0.2}))
    )
    found = expected_of(composed.scene, own_answer=True)
    answers = [one.analysis.predictions[0].label for one, _ in found]
    for pane, answer in zip(panes(page), answers, strict=True):
        assert f"class “{answer}”" in pane["caption"][1]


def test_a_new_scene_is_one_that_training_could_have_drawn() -> None:
    page = open_lab(**LINK)
    page.button[0].click().run()
    assert page.button[0].label == "New scene"
    made = scene_editor.chosen_by_chance(page.number_input(key="seed").value, "Twitter")
    assert page.selectbox(key="object").value == demo.display_name(CLASSES[made.label])
    assert page.slider(key="size").value == round(100 * made.size)
    assert panes(page)[0]["object"]["centre"] == [made.cx, made.cy]
    assert page.query_params["place"] == f"{made.cx:.3f},{made.cy:.3f}"


def test_a_vendor_that_did_not_draw_the_class_is_replaced_and_it_says_so() -> None:
    page = open_lab(object="sailboat", drawn_by="Mozilla")
    assert "There is no sailboat by Mozilla here; this one is Twitter's." in texts(page)
    assert "Drawn by Twitter" in texts(page)


@pytest.mark.parametrize("place", ["2,0.5", "middle", "nan,0.5", ""])
def test_a_place_that_is_none_is_not_taken(place: str) -> None:
    page = open_lab(**(LINK | {"place": place}))
    first = scene_editor.chosen_by_chance(11, "Twitter")
    assert panes(page)[0]["object"]["centre"] == [first.cx, first.cy]


def test_without_weights_the_results_are_shown_and_it_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Nothing loaded yet, and engines that need no conversion: this loads twice.
    monkeypatch.setattr(demo, "_models", cache(demo._models.__wrapped__))
    monkeypatch.setattr(model, "create", lambda network, _: TorchEngine(network))
    folder = runs.LAB
    monkeypatch.setattr(runs, "LAB", tmp_path)
    page = open_lab()
    assert "The networks cannot be shown: baseline-0 is not there." in texts(page)
    assert "What was measured" in texts(page)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "baseline-0.safetensors").write_bytes(b"version of a pointer")
    assert "baseline-0.safetensors is damaged" in texts(open_lab())
    monkeypatch.setattr(runs, "LAB", folder)
    assert len(panes(open_lab())) == len(SCALINGS)


@pytest.mark.parametrize("roles", [["depth 4"], ["width 2"]])
def test_compare_scaling_leads_here_for_depth_and_width(roles: list[str]) -> None:
    page = open_page("pages/compare_scaling.py", roles=["baseline", *roles])
    links = [link.proto.label for link in page.get("page_link")]
    assert "Compare trained ones in the Scaling lab" in links
    assert "A trained one, in miniature: Scaling lab" in links
    page = open_page("pages/compare_scaling.py")
    links = [link.proto.label for link in page.get("page_link")]
    assert not any("trained" in label for label in links)


# In a real browser


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails the test when anything in it is reported as an error.

    But for Streamlit's own questions after its health, which it asks at the wrong place whenever a
    page that is not the first is opened directly.
    """
    page = context.new_page()
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield page
    assert errors == []


def stage(page: Page, place: int = 0) -> Locator:
    return page.locator(".stage").nth(place)


def sources(page: Page) -> list[str]:
    images = page.locator(".stage img.photograph")
    return [str(images.nth(i).get_attribute("src")) for i in range(images.count())]


def opened(page: Page, address: str, query: str = QUERY) -> None:
    page.goto(address + query)
    expect(page.locator(".stage")).to_have_count(len(SCALINGS))
    expect(page.locator(".stage img.photograph").last).to_be_visible()
    # The results further down: then the page is at rest.
    expect(page.get_by_text("Had they learned all they could?")).to_be_attached()
    page.wait_for_timeout(500)


def drag(page: Page, place: int, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to in shares of the picture, in ten steps."""
    box = stage(page, place).bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    (x, y), (to_x, to_y) = points
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=10)
    page.mouse.up()


@pytest.mark.browser
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
    moved = SceneSpec(**(vars(FOX) | {"cx": cx, "cy": cy}))
    expected = expected_of(scene_editor.compose(moved).scene)
    for number, (_, of_map) in enumerate(expected):
        said = stage(page, number).get_attribute("aria-label")
        share = re.search(r"(\d+)% of the evidence", str(said))
        assert share is not None
        assert abs(int(share[1]) - 100 * of_map.energy) <= 1
    labels = [stage(page, number).get_attribute("aria-label") for number in range(len(SCALINGS))]
    page.reload()
    expect(page.locator(".stage img.photograph").last).to_be_visible()
    for number, label in enumerate(labels):
        expect(stage(page, number)).to_have_attribute("aria-label", str(label))
    assert page.url.count(f"place={place[1]}%2C{place[2]}") == 1


@pytest.mark.browser
def test_dragging_beside_the_object_moves_nothing(page: Page, address: str) -> None:
    opened(page, address)
    before = sources(page)
    drag(page, 0, (0.85, 0.15), (0.6, 0.3))
    page.wait_for_timeout(1000)
    assert sources(page) == before
    assert "place=0.300" in page.url


@pytest.mark.browser
def test_the_object_moves_by_keys(page: Page, address: str) -> None:
    opened(page, address)
    stage(page, 1).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile(r"place=0\.350%2C0\.600"))
    page.keyboard.press("Shift+ArrowUp")
    expect(page).to_have_url(re.compile(r"place=0\.350%2C0\.550"))


@pytest.mark.browser
def test_keys_pressed_quickly_all_count(page: Page, address: str) -> None:
    opened(page, address)
    stage(page, 1).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"):
        page.keyboard.press(f"Shift+{key}")
    expect(page).to_have_url(re.compile(r"place=0\.400%2C0\.600"))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page).to_have_url(re.compile(r"place=0\.300%2C0\.600"))
    expect(page.locator(".stage img.photograph").first).to_be_visible()


@pytest.mark.browser
def test_presenting_shows_the_pictures_and_steps_between_the_maps(page: Page, address: str) -> None:
    opened(page, address)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="New scene")).to_be_hidden()
    expect(page.get_by_text("What was measured")).to_be_hidden()
    expect(stage(page, 4)).to_be_visible()
    page.keyboard.press("ArrowLeft")
    caption = page.locator("figcaption").filter(has_text="Grad-CAM, class “fox”, stage 6")
    expect(caption.last).to_be_visible()
    expect(caption).to_have_count(len(SCALINGS))
    stage(page).focus()
    page.keyboard.press("Shift+ArrowRight")  # moves the object, and only that
    expect(page).to_have_url(re.compile(r"place=0\.350"))
    expect(caption).to_have_count(len(SCALINGS))
    page.keyboard.press("ArrowRight")
    expect(caption).to_have_count(0)
    page.keyboard.press("Escape")
    chosen = page.get_by_role("radio", name="CAM", exact=True)
    expect(chosen).to_be_visible()


@pytest.mark.browser
def test_a_finger_moves_the_object_and_scrolls_beside_it(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        opened(page, address)
        stage(page).scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        box = stage(page).bounding_box()
        assert box is not None
        session = context.new_cdp_session(page)

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
                page.wait_for_timeout(30)
            touch("touchEnd")

        def top() -> float:
            place = stage(page).bounding_box()
            assert place is not None
            return place["y"]

        before = top()
        swipe((0.3, 0.6), (0.5, 0.3))
        expect(page).to_have_url(re.compile(r"place=0\.(49|5)\d*%2C0\.(29|3)"))
        assert top() == pytest.approx(before, abs=2)
        swipe((0.9, 0.9), (0.9, 0.5))
        page.wait_for_timeout(500)
        assert top() < before - 20
    finally:
        context.close()


@pytest.mark.browser
def test_while_dragging_little_is_sent(page: Page, address: str) -> None:
    """A frame is one scene, five maps and their numbers: not the charts, not the controls."""
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: received.append(len(payload)))

    page.on("websocket", listen)
    opened(page, address)
    page.wait_for_timeout(1500)
    received.clear()
    stage(page).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile(r"place=0\.350"))
    page.wait_for_timeout(1500)
    assert 0 < sum(received) < 120_000


@pytest.mark.browser
def test_ones_own_background(page: Page, address: str, tmp_path: Path) -> None:
    opened(page, address, QUERY + "&opacity=0")
    before = sources(page)
    green = tmp_path / "green.png"
    Image.new("RGB", (300, 200), (20, 200, 60)).save(green)
    page.get_by_role("button", name="Background").click()
    field = page.locator("input[type=file]")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    field.set_input_files(broken)
    expect(page.get_by_text("broken.png:")).to_be_visible()
    assert sources(page) == before
    field.set_input_files(green)
    expect(page.get_by_role("button", name="Draw a background again")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_timeout(1000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").first.click()
    saved = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    corner = saved[20:60, -60:-20].mean(axis=(0, 1))  # beside the fox
    assert corner[1] > corner[0] + 20
    assert corner[1] > corner[2] + 20


@pytest.mark.browser
@pytest.mark.parametrize("scheme", one_of_many(["light", "dark"], ["light"]))
def test_no_serious_barrier(chromium: Browser, address: str, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        opened(page, address)
        assert serious_barriers(page) == []
    finally:
        context.close()
