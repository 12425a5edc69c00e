"""The page "Scaling lab" without a browser; tests/browser/test_lab_page.py has the rest."""

from __future__ import annotations

import base64
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis.explanation import Explanation, explain
from effnet_viz.analysis.words import percent
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.lab import demo, runs, scene_editor
from effnet_viz.lab.demo import MaskScores
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.scene_editor import SceneSpec
from effnet_viz.lab.scenes import Scene
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.models import model
from effnet_viz.pictures.captions import map_caption
from effnet_viz.ui import words
from effnet_viz.ui.layout import theme
from tests.ui.opening import open_page

FOX = SceneSpec(
    seed=5, label=CLASSES.index("fox"), vendor="Twitter", size=0.5, cx=0.3, cy=0.6,
    distractors=4, occlusion=0.0,
)  # fmt: skip
LINK = {
    "seed": "5", "object": "fox", "drawn_by": "Twitter", "size": "50", "place": "0.300,0.600",
    "clutter": "4", "hidden": "0",
}  # fmt: skip


def open_lab(**query: str | list[str]) -> AppTest:
    return open_page("pages/scaling_lab.py", bench="Five miniatures", **query)


def parts(page: AppTest, kind: str) -> list[dict[str, Any]]:
    """What the parts of this kind are told."""
    components = [element.proto for element in page.get("bidi_component")]
    data = [json.loads(proto.json) for proto in components if proto.json]
    return [item for item in data if item.get("part") == kind]


def maps(page: AppTest) -> list[dict[str, Any]]:
    return parts(page, "map")


def deck(page: AppTest) -> dict[str, Any]:
    (told,) = parts(page, "deck")
    return told


def photograph(page: AppTest) -> dict[str, Any]:
    """The scene as all pictures show it."""
    (told,) = parts(page, "photograph")
    shown: dict[str, Any] = told["photograph"]
    return shown


def captions(page: AppTest) -> str:
    return "\n".join(element.value for element in page.caption)


def evidence(sent: dict[str, Any]) -> NDArray[np.float32]:
    values = np.frombuffer(base64.b64decode(sent["map"]["values"]), np.float32)
    return values.reshape(sent["map"]["rows"], sent["map"]["columns"])


def expected_of(scene: Scene, *, own_answer: bool = False) -> list[tuple[Explanation, MaskScores]]:
    """What the five networks find in a scene with their class activation maps."""
    photograph, target = demo.photograph_of(scene), None if own_answer else scene.label
    found = [explain(photograph, model, target) for model in demo.models().values()]
    return [(one, demo.score(one, scene)) for one in found]


def test_networks_are_called_as_the_lab_calls_them_and_have_their_colours() -> None:
    assert all(words.NETWORKS[key] == scaling.name for key, scaling in SCALINGS.items())
    assert set(SCALINGS) <= set(theme.NETWORKS)


def test_five_networks_look_at_the_scene_of_the_link() -> None:
    page = open_lab(**LINK)
    composed = scene_editor.compose(FOX)
    expected = expected_of(composed.scene)
    shown = maps(page)
    assert [sent["slot"] for sent in shown] == list(SCALINGS)
    for sent, (one, scores) in zip(shown, expected, strict=True):
        np.testing.assert_allclose(evidence(sent), one.attribution.values, rtol=1e-4, atol=1e-5)
        assert sent["caption"][-2:] == map_caption(one.attribution)[-2:]
        assert sent["objects"][0]["centre"] == [0.3, 0.6]
        assert sent["objects"][0]["outline"] == [[list(c) for c in p] for p in composed.outline]
        answer, best = sent["answer"], one.analysis.predictions[0]
        assert (answer["label"], answer["share"]) == (best.label, percent(best.probability))
        assert answer["right"] == (best.label == "fox")
        assert answer["evidence"] == pytest.approx(scores.energy)
        assert answer["possible"] == pytest.approx(max(scores.energy, scores.upper_bound))
        share = percent(scores.energy)
        assert answer["words"][:2] == [f"Evidence on the object {share}", f"On the object {share}"]
        assert f"{share} of the evidence lies on the object" in sent["description"]
        assert f"{percent(scores.recall)} of the object is covered" in sent["description"]
    picture = photograph(page)
    content = base64.b64decode(picture["source"].split(",")[1])
    sent_image = Image.open(io.BytesIO(content)).resize((scene_editor.SIDE, scene_editor.SIDE))
    difference = np.asarray(sent_image).astype(float) - composed.scene.image
    assert np.abs(difference).mean() < 12  # noise does not survive JPEG
    assert {sent["photograph"]["id"] for sent in shown} == {picture["id"]}


def test_the_deck_names_the_networks_and_asks_who_finds_the_object() -> None:
    told = deck(open_lab(**LINK))
    assert [(slot["title"], slot["detail"], slot["colour"]) for slot in told["slots"]] == [
        ("Baseline", "64 px", "baseline"),
        ("Deeper", "d = 4", "depth"),
        ("Wider", "w = 2", "width"),
        ("Higher resolution", "r = 2", "resolution"),
        ("Compound", "d 1.4 · w 1.2 · r 1.3", "compound"),
    ]
    assert told["presented"]["headline"] == "Which network finds the fox?"
    assert told["presented"]["keys"] == "N new scene · drag the fox · ← → map · Esc leaves"
    assert told["asks"] == [["new", "New scene"]]
    assert (told["movable"], told["folded"], told["layout"]) == (True, True, "row")


def test_controls_change_the_scene() -> None:
    page = open_lab(**LINK)
    first = photograph(page)["id"]
    page.slider(key="hidden").set_value(40).run()
    hidden = scene_editor.compose(SceneSpec(**(vars(FOX) | {"occlusion": 0.4}))).occlusion
    said = f"never seen in training. Of what lies inside the picture, {percent(hidden)} is hidden."
    assert said in captions(page)
    assert photograph(page)["id"] != first
    page.selectbox(key="drawn_by").set_value("Google").run()
    assert "Drawn by Google, seen in training." in captions(page)
    page.segmented_control(key="map").set_value("Grad-CAM").run()
    assert all("Grad-CAM, class “fox”, stage 6" in sent["caption"][-1] for sent in maps(page))
    assert deck(page)["presented"]["headline"] == "Which network finds the fox? Grad-CAM"


def test_each_networks_own_answer_can_be_explained() -> None:
    page = open_lab(**(LINK | {"hidden": "60", "clutter": "12", "size": "20"}))
    page.segmented_control(key="explained").set_value("its own answer").run()
    composed = scene_editor.compose(
        SceneSpec(**(vars(FOX) | {"occlusion": 0.6, "distractors": 12, "size": 0.2}))
    )
    found = expected_of(composed.scene, own_answer=True)
    answers = [one.analysis.predictions[0].label for one, _ in found]
    for sent, answer in zip(maps(page), answers, strict=True):
        assert f"class “{answer}”" in sent["caption"][-1]


def test_a_new_scene_is_one_that_training_could_have_drawn() -> None:
    page = open_lab(**LINK)
    (button,) = [one for one in page.button if one.label == "New scene"]
    button.click().run()
    made = scene_editor.chosen_by_chance(page.number_input(key="seed").value, "Twitter")
    assert page.selectbox(key="object").value == demo.display_name(CLASSES[made.label])
    assert page.slider(key="size").value == round(100 * made.size)
    assert maps(page)[0]["objects"][0]["centre"] == [made.cx, made.cy]
    assert {"place": f"{made.cx:.3f},{made.cy:.3f}"} in [
        told["values"] for told in parts(page, "address")
    ]


def test_a_vendor_that_did_not_draw_the_class_is_replaced_and_it_says_so() -> None:
    page = open_lab(object="sailboat", drawn_by="Mozilla")
    assert "There is no sailboat by Mozilla here; this one is Twitter's." in captions(page)
    assert "Drawn by Twitter" in captions(page)


@pytest.mark.parametrize("place", ["2,0.5", "middle", "nan,0.5", ""])
def test_a_place_that_is_none_is_not_taken(place: str) -> None:
    page = open_lab(**(LINK | {"place": place}))
    first = scene_editor.chosen_by_chance(11, "Twitter")
    assert maps(page)[0]["objects"][0]["centre"] == [first.cx, first.cy]
    assert {"place": f"{first.cx:.3f},{first.cy:.3f}"} in [
        told["values"] for told in parts(page, "address")
    ]


def test_without_weights_the_results_are_shown_and_it_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Nothing loaded yet, and engines that need no conversion: this loads twice.
    monkeypatch.setattr(demo, "_models", cache(demo._models.__wrapped__))
    monkeypatch.setattr(model, "create", lambda network, _: TorchEngine(network))
    folder = runs.LAB
    monkeypatch.setattr(runs, "LAB", tmp_path)

    def said() -> str:
        page = open_lab()
        assert not parts(page, "deck")
        assert any("Tan and Le, 2019" in one.proto.body for one in page.get("html"))
        return "\n".join(one.value for one in page.info)

    assert "The networks cannot be shown: baseline-0 is not there." in said()
    (tmp_path / "runs").mkdir()
    for key in SCALINGS:
        (tmp_path / "runs" / f"{key}-0.safetensors").write_bytes(b"version of a pointer")
    assert "baseline-0.safetensors is damaged" in said()
    monkeypatch.setattr(runs, "LAB", folder)
    assert len(maps(open_lab())) == len(SCALINGS)
