"""The lab's bench of real networks without a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis.analysis import Analysis, analyse
from effnet_viz.analysis.localized import localization
from effnet_viz.analysis.words import percent
from effnet_viz.attribution.methods import METHODS
from effnet_viz.models import variants
from effnet_viz.models.model import Model
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import WeightsError
from effnet_viz.scenes import Background
from effnet_viz.scenes.editor import SIDE, Placed, Scene, SceneSpec, compose
from effnet_viz.study import bench
from effnet_viz.study.design import NETWORKS
from effnet_viz.ui import results, words
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.lab import bench_networks
from effnet_viz.ui.lab.bench import DRAGGED_SIDE
from tests.conftest import eager
from tests.ui.opening import maps, open_page, part, parts, tell, texts
from tests.ui.own_network import put_network

TIGER = Placed("tiger-lying", 0.5, 0.35, 0.4, turned=10, mirrored=True)
HEN = Placed("hen", 0.3, 0.7, 0.7)
SPEC = SceneSpec((TIGER,), 7, Background.MADE, ground=5)
LINK = {
    "networks": "lite0", "first": "a lying tiger", "first_size": "50", "first_at": "0.350,0.400",
    "first_turn": "10", "first_mirrored": "true", "behind": "made by chance", "ground": "5",
    "scene": "7",
}  # fmt: skip
WITH_HEN = LINK | {"second": "a brown hen", "second_size": "30", "second_at": "0.700,0.700"}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One network as it is, without queue and conversion."""
    whole = results.model

    def model(ref: ModelRef) -> Model:
        return eager("lite0") if ref.key == "lite0" else whole(ref)

    monkeypatch.setattr(results, "model", model)
    yield
    results.clear()


def opened(**query: str) -> AppTest:
    return open_page("pages/scaling_lab.py", **(LINK | query))


def expected(scene: Scene, target: int = 0) -> Analysis:
    return bench.for_object(analyse(scene.photograph, eager("lite0")), scene, target)


def scene_of(page: AppTest) -> np.ndarray:
    shown = part(page, "photograph")["photograph"]
    content = base64.b64decode(shown["source"].split(",")[1])
    return np.asarray(Image.open(io.BytesIO(content))).astype(float)


def test_a_network_looks_at_the_scene_of_the_link() -> None:
    page = opened()
    scene = compose(SPEC)
    sent = maps(page)["lite0"]
    seen = expected(scene)
    attribution = seen.attribute("cam")
    scores = localization(attribution, scene.masks[0])
    values = np.frombuffer(base64.b64decode(sent["map"]["values"]), np.float32)
    np.testing.assert_allclose(values, attribution.values.ravel(), rtol=1e-4, atol=1e-5)
    answer = sent["answer"]
    assert answer["label"] == seen.predictions[0].label
    assert answer["right"] == (answer["label"] == "tiger")
    assert answer["evidence"] == pytest.approx(scores.energy)
    assert answer["possible"] == pytest.approx(max(scores.energy, scores.upper_bound))
    assert answer["words"][0] == f"Evidence on the object {percent(scores.energy)}"
    assert answer["more"] == "Explained: tiger"
    [shown] = sent["objects"]
    assert shown["centre"] == [0.35, 0.4]
    assert shown["target"]
    assert shown["outline"] == [[list(c) for c in polygon] for polygon in scene.outlines()[0]]
    image = scene_of(page)
    assert image.shape == (SIDE, SIDE, 3)
    assert np.abs(image - scene.image).mean() < 12  # JPEG
    assert all(sentence in sent["caption"] for sentence in scene.credits)
    assert scene.credits


def test_networks_have_their_names_and_resolutions() -> None:
    page = open_page("pages/scaling_lab.py", first="a lying tiger", networks="lite0,lite0-r448")
    slots = [(slot["title"], slot["detail"]) for slot in part(page, "deck")["slots"]]
    assert slots == [("Lite0", "224 px"), ("Lite0", "448 px")]
    assert "Two networks look at a lying tiger." in texts(page)
    assert "One network looks at a lying tiger." in texts(opened())
    assert bench_networks.FIRST == ("lite0", "lite0-r448", "lite1", "lite2")


@pytest.mark.parametrize(
    ("key", "value", "name", "expected_value"),
    [
        ("covered", 40, "hidden", 0.4), ("around", 3, "distractors", 3),
        ("light", -50, "light", -0.5),
        ("warmth", 70, "warmth", 0.7),
    ],
)  # fmt: skip
def test_sliders_change_the_scene(key: str, value: int, name: str, expected_value: float) -> None:
    page = opened()
    page.slider(key=key).set_value(value).run()
    changed = SceneSpec(**(vars(SPEC) | {name: expected_value}))
    assert np.abs(scene_of(page) - compose(changed).image).mean() < 12
    assert np.abs(scene_of(page) - compose(SPEC).image).mean() > 0.5


def test_the_object_and_its_background_can_be_others() -> None:
    page = opened()
    page.selectbox(key="first").set_value("a zebra").run()
    page.selectbox(key="behind").set_value("blurred photograph").run()
    page.number_input(key="ground").set_value(9).run()
    placed = (Placed("zebra", 0.5, 0.35, 0.4, 10, mirrored=True),)
    scene = compose(SceneSpec(placed, 7, Background.BLURRED, ground=9))
    assert np.abs(scene_of(page) - scene.image).mean() < 12
    assert maps(page)["lite0"]["answer"]["more"] == "Explained: zebra"


def test_a_click_on_the_other_object_asks_for_it() -> None:
    page = opened(**WITH_HEN)
    scene = compose(SceneSpec((TIGER, HEN), 7, Background.MADE, ground=5))
    for target, label in ((0, "tiger"), (1, "hen")):
        sent = maps(page)["lite0"]
        scores = bench.shares(expected(scene, target).attribute("cam"), scene.masks, target)
        assert scores.on_other is not None
        other = f"on the other object {percent(scores.on_other)}"
        assert sent["answer"]["more"] == f"Explained: {label} · {other}"
        assert [one["target"] for one in sent["objects"]] == [target == 0, target == 1]
        tell(page, "deck", "target", 1)
    assert {"first_at": "0.350,0.400", "second_at": "0.700,0.700", "asked": "second"} in [
        told["values"] for told in parts(page, "address")
    ]
    page.selectbox(key="_asked").set_value("first").run()
    assert maps(page)["lite0"]["answer"]["more"].startswith("Explained: tiger")


def test_either_object_can_be_moved() -> None:
    page = opened(**WITH_HEN)
    tell(page, "deck", "move", [0.6, 0.5, 1, 1])
    moved = SceneSpec((TIGER, Placed("hen", 0.3, 0.6, 0.5)), 7, Background.MADE, ground=5)
    assert np.abs(scene_of(page) - compose(moved).image).mean() < 12
    tell(page, "deck", "move", [0.3, 0.45, 0, 2])
    first, second = maps(page)["lite0"]["objects"]
    assert (first["centre"], second["centre"]) == ([0.3, 0.45], [0.6, 0.5])
    assert part(page, "deck")["answered"] == 2


def test_while_one_drags_a_smaller_scene_is_passed() -> None:
    page = opened()
    assert part(page, "follow")["photograph"] is None
    tell(page, "follow", "move", [0.6, 0.5, 0, 1])
    passed = part(page, "follow")
    scene = compose(replace(SPEC, objects=(replace(TIGER, cx=0.6, cy=0.5),)), DRAGGED_SIDE)
    assert (passed["photograph"]["width"], passed["answered"]) == (DRAGGED_SIDE, 1)
    [picture] = passed["pictures"]
    assert picture["slot"] == "lite0"
    values = np.frombuffer(base64.b64decode(picture["map"]["values"]), np.float32)
    attribution = expected(scene).attribute("cam")
    np.testing.assert_allclose(values, attribution.values.ravel(), rtol=1e-4, atol=1e-5)
    share = localization(attribution, scene.masks[0]).energy
    assert picture["answer"]["evidence"] == pytest.approx(share, abs=0.005)
    tell(page, "deck", "move", [0.6, 0.5, 0, 2])
    assert part(page, "follow")["photograph"] is None
    assert part(page, "photograph")["photograph"]["width"] == SIDE


def test_a_place_that_comes_late_is_not_followed() -> None:
    """Of a question that was asked before the object was let go, and heard after it."""
    page = opened()
    tell(page, "deck", "move", [0.7, 0.5, 0, 2])
    tell(page, "follow", "move", [0.6, 0.5, 0, 1])
    assert maps(page)["lite0"]["objects"][0]["centre"] == [0.7, 0.5]
    assert part(page, "follow")["photograph"] is None
    assert part(page, "deck")["answered"] == 2


@pytest.mark.parametrize("told", [[0.5, 0.5, 2, 1], [0.5, 0.5, "first", 1]])
def test_what_is_no_object_cannot_be_moved(told: list[object]) -> None:
    page = opened()
    tell(page, "deck", "move", told)
    assert maps(page)["lite0"]["objects"][0]["centre"] == [0.35, 0.4]


@pytest.mark.parametrize("count", [1, 2])
def test_a_new_scene_shows_as_many_objects(count: int) -> None:
    page = opened(**(WITH_HEN if count == 2 else LINK))
    tell(page, "deck", "ask", "new")
    made = bench.spec_by_chance(page.number_input(key="scene").value, count)
    centres = [list(one["centre"]) for one in maps(page)["lite0"]["objects"]]
    assert centres == [[placed.cx, placed.cy] for placed in made.objects]
    assert page.slider(key="first_size").value == round(100 * made.objects[0].size)


def test_what_the_study_has_measured_can_be_ticked() -> None:
    chooser = opened().multiselect(key="_networks")
    for key in NETWORKS:
        entry = variants.find(key)
        name = entry.title.removeprefix("EfficientNet-").partition(",")[0]
        assert f"{name} · {entry.resolution} px" in chooser.options


def test_every_quick_method_can_take_the_place_of_cam() -> None:
    page = opened()
    chooser = page.selectbox(key="by")
    assert chooser.options == [one.title for one in METHODS.values() if is_quick(one)]
    chooser.set_value("Grad-CAM").run()
    sent = maps(page)["lite0"]
    assert "Grad-CAM, class “tiger”, stage 8" in sent["caption"][-1]
    assert part(page, "deck")["presented"]["headline"].endswith("lying tiger? Grad-CAM")


def test_a_network_of_ones_own_explains_its_own_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path))
    put_network(tmp_path / "Shapes")
    answer = maps(opened(networks="own-shapes"))["own-shapes"]["answer"]
    assert answer["label"] in ("discs", "stripes")
    assert answer["right"] is None
    assert answer["more"] == words.EXPLAINED_OWN


def test_a_network_that_cannot_be_loaded_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: ModelRef) -> Model:
        raise WeightsError("Its file is gone. Put it back.")

    monkeypatch.setattr(results, "model", fail)
    page = opened()
    [instead] = parts(page, "instead")
    assert "Its file is gone. Put it back." in instead["instead"]["note"]
    tell(page, "follow", "move", [0.6, 0.5, 0, 1])
    assert part(page, "follow")["pictures"] == []


def test_without_an_object_of_ones_own_a_link_to_it_shows_another_and_says_why() -> None:
    page = opened(first=words.OWN_OBJECT)
    assert page.selectbox(key="first").value == "a walking Sumatran tiger"
    assert [one.value for one in page.info] == [words.LINK_TO_OBJECT]
    page.run()
    assert not page.info
    both = opened(first=words.OWN_OBJECT, covered="7")
    [told] = both.info
    assert told.value.startswith(words.LINK_TO_OBJECT)
    assert "(`covered`)" in told.value


def test_an_object_that_was_removed_here_is_not_blamed_on_a_link() -> None:
    page = opened()
    page.session_state["own_object"] = None
    page.query_params["first"] = words.OWN_OBJECT
    page.run()
    assert not page.info


def test_more_networks_than_a_row_has_are_refused() -> None:
    page = open_page("pages/scaling_lab.py", networks="lite0,lite1,lite2,lite3,lite4,b0")
    assert "(`networks`)" in page.info[0].value
