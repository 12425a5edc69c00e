"""Any method in the place of Grad-CAM, on the main page and on Compare, without a browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz import analyse, compare
from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import Floats, reduced
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import METHODS, MethodRefusedError
from effnet_viz.serving import slow_methods
from effnet_viz.ui import results, viewer, words
from tests.conftest import SAMPLES, loaded
from tests.ui.opening import address, maps, open_app, open_page, part, parts, tell, texts

NETWORKS = ["lite0", "lite1"]


@pytest.fixture(scope="module", autouse=True)
def worker() -> Iterator[None]:
    yield
    slow_methods.close()


def open_comparison(**query: str) -> AppTest:
    return open_page(
        "pages/compare_scaling.py", family="a whole family", members=",".join(NETWORKS), **query
    )


def sent(shown: dict[str, Any]) -> Floats:
    """The values that the page sends."""
    values: Floats = np.frombuffer(base64.b64decode(shown["map"]["values"]), "<f4")
    return values


def as_sent(attribution: Attribution) -> Floats:
    """The same of what the package gives."""
    values: Floats = reduced(attribution.values, attribution.placement, viewer.MOST_CELLS)[0]
    return values.ravel()


def test_all_methods_are_offered_on_both_pages() -> None:
    others = set(METHODS) - {"cam"}  # which is what stands beside it, or the last stage's Grad-CAM
    for page in (open_app(), open_comparison()):
        offered = part(page, "deck")["methods"]
        assert offered["chosen"] == "grad-cam"
        assert {key for key, _ in offered["at_once"] + offered["on_demand"]} == others
        assert {METHODS[key].passes > 10 for key, _ in offered["on_demand"]} == {True}
        assert {METHODS[key].passes > 10 for key, _ in offered["at_once"]} == {False}


@pytest.mark.parametrize("key", ["layer-cam", "saliency", "feature-ablation", "finer-cam"])
def test_the_second_map_is_that_of_the_package(cat: Analysis, key: str) -> None:
    page = open_app(stage="6")
    tell(page, "deck", "method", key)
    expected = cat.attribute(key, 6)
    shown = maps(page)["grad_cam"]
    assert np.array_equal(sent(shown), as_sent(expected))
    assert shown["lead"] == METHODS[key].title
    assert f"{METHODS[key].title}, class “tiger cat”" in shown["caption"][-1]
    assert shown["map"]["shares"] == expected.scale
    assert address(page)["method"] == key
    assert "Channels of stage 6" in texts(page)


def test_a_slow_method_can_be_cancelled_and_grad_cam_is_back() -> None:
    page = open_app(method="feature-ablation")
    [slot] = [one for one in part(page, "deck")["slots"] if one["name"] == "grad_cam"]
    assert slot["note"] == words.COMPUTING
    [(cancel, _)] = slot["buttons"]
    tell(page, "deck", "ask", cancel)
    assert "method" not in address(page)
    assert maps(page)["grad_cam"]["lead"] == "Grad-CAM"


def test_why_a_network_has_no_such_map_stands_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise MethodRefusedError("It cannot be done. Choose another method.")

    monkeypatch.setattr("effnet_viz.ui.results.timed_attribution", refuse)
    page = open_app(method="layer-cam")
    assert "grad_cam" not in maps(page)
    [said] = [one["instead"]["note"] for one in parts(page, "instead")]
    assert said == "It cannot be done. Choose another method."
    compared = open_comparison(method="layer-cam")
    assert [one["instead"]["note"] for one in parts(compared, "instead")] == [said, said]


def test_an_improbable_class_keeps_the_brightness_of_another_method() -> None:
    page = open_app(target="espresso", method="layer-cam")
    assert part(page, "rows")["weak"]["ends"][2] == 0


@pytest.mark.parametrize("key", ["layer-cam", "finer-cam", "saliency"])
def test_every_network_is_compared_by_the_method(key: str) -> None:
    page = open_comparison(method=key, map_stage="7", target="tabby")
    first = analyse(SAMPLES / "cat.jpg", loaded("lite0"), "tabby")
    other = first.attribute(key, 7).other
    shown = maps(page)
    assert set(shown) == set(NETWORKS)
    for name in NETWORKS:
        analysis = analyse(SAMPLES / "cat.jpg", loaded(name), "tabby")
        expected = analysis.attribute(key, 7, other=other and other.label)
        assert np.array_equal(sent(shown[name]), as_sent(expected)), name
    stages = part(page, "deck")["stages"]
    assert (stages is None) == (key == "saliency")
    assert address(page)["method"] == key


def test_compare_takes_any_method() -> None:
    models = [loaded(name) for name in NETWORKS]
    compared = compare(SAMPLES / "cat.jpg", models, method="hires-cam", stage=8)
    for model, one in zip(models, compared.explanations, strict=True):
        own = analyse(SAMPLES / "cat.jpg", model, "tiger cat").attribute("hires-cam", 8)
        assert np.array_equal(one.attribution.values, own.values)


def test_what_a_map_will_take_follows_from_what_others_took(
    monkeypatch: pytest.MonkeyPatch, cat: Analysis
) -> None:
    monkeypatch.setattr(results, "_measured", {})
    monkeypatch.setattr(results, "_shortest", {})
    slowly = replace(cat, activations=replace(cat.activations, seconds=10.0))
    first = results.expected_seconds(slowly, METHODS["occlusion"], None)
    assert first > 10 * METHODS["occlusion"].passes
    quickly = replace(cat, activations=replace(cat.activations, seconds=0.01))
    alone = results.expected_seconds(quickly, METHODS["occlusion"], None)
    assert alone < first / 100
    # A pass that shared the processors says nothing.
    assert results.expected_seconds(slowly, METHODS["occlusion"], None) == alone
    lime = results.expected_seconds(quickly, METHODS["lime"], None)
    results._measured[cat.model.id, "lime", None] = 3 * lime
    assert results.expected_seconds(quickly, METHODS["lime"], None) == 3 * lime
    assert results.expected_seconds(quickly, METHODS["occlusion"], None) == pytest.approx(3 * alone)
