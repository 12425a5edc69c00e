"""The page "Methods" without a browser."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis.analysis import Analysis, analyse
from effnet_viz.analysis.contrast import contrast
from effnet_viz.analysis.evaluation import score_method
from effnet_viz.analysis.map_difference import map_difference, sentences
from effnet_viz.analysis.pointing_game import GridCell, entry_for_mosaic, grid_pointing
from effnet_viz.arrays import reduced
from effnet_viz.attribution.methods import METHODS, Method, MethodRefusedError
from effnet_viz.images.decode import decode
from effnet_viz.models.variants import find
from effnet_viz.serving import slow_methods
from effnet_viz.ui import results, viewer
from effnet_viz.ui.methods.sanity import scrambled
from effnet_viz.ui.methods.view import is_quick
from tests.conftest import SAMPLES, loaded
from tests.ui.opening import address, maps, open_page, part, parts, tell, texts

QUICK = [key for key, method in METHODS.items() if is_quick(method)]
SLOW = [key for key in METHODS if key not in QUICK]


@pytest.fixture(scope="module", autouse=True)
def worker() -> Iterator[None]:
    yield
    slow_methods.close()


@pytest.fixture(scope="module", autouse=True)
def computed_once() -> Iterator[None]:
    """A map is the same in every test: each is computed for the first that shows it."""
    real = results.timed_attribution
    known: dict[object, results.TimedAttribution] = {}

    def remembered(analysis: Analysis, method: Method, *rest: Any) -> results.TimedAttribution:
        key = analysis.id, method.key, rest[:2]
        if key not in known:
            known[key] = real(analysis, method, *rest)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "timed_attribution", remembered)
        yield


def open_methods(**query: str | list[str]) -> AppTest:
    return open_page("pages/methods.py", **query)


def places(page: AppTest) -> dict[str, dict[str, Any]]:
    """The places of the deck, by method."""
    return {one["name"]: one for one in part(page, "deck")["slots"]}


def instead(page: AppTest) -> dict[str, str]:
    """What is said where there is no map after all, by method."""
    return {one["slot"]: one["instead"]["note"] for one in parts(page, "instead")}


def test_quick_methods_are_there_and_slow_ones_say_what_they_take() -> None:
    page = open_methods()
    found = places(page)
    assert list(found) == [*QUICK, *SLOW]
    assert {*maps(page), *instead(page)} == set(QUICK)
    for key in SLOW:
        assert found[key]["note"] == METHODS[key].computes
        [(name, text)] = found[key]["buttons"]
        assert name == f"compute {key}"
        assert re.fullmatch(r"Compute, about \d+ (s|min)", text)
    assert address(page) == {"image": "cat"}


def test_the_maps_are_those_of_the_package(cat: Analysis) -> None:
    page = open_methods(stage="7", target="espresso")
    for key in ("grad-cam", "gradient-x-activation", "layer-cam", "saliency"):
        expected = cat.attribute(key, 7, "espresso")
        sent, _ = reduced(expected.values, expected.placement, viewer.MOST_CELLS)
        shown = np.frombuffer(base64.b64decode(maps(page)[key]["map"]["values"]), "<f4")
        assert np.array_equal(shown.reshape(sent.shape), sent), key
        caption = maps(page)[key]["caption"][-1]
        place = "pixels (224×224), largest magnitude over the colours, shown as averages (112×112)"
        at = place if expected.stage is None else "stage 7 (7×7)"
        assert caption == f"{METHODS[key].title}, class “espresso”, {at}"


def test_a_slow_method_comes_when_it_is_asked_for_and_is_in_the_link() -> None:
    page = open_methods()
    tell(page, "deck", "ask", "compute feature-ablation")
    assert "feature-ablation" in maps(page)
    assert address(page)["run"] == ["feature-ablation"]
    assert "feature-ablation" in maps(open_methods(run="feature-ablation"))
    tell(page, "deck", "ask", "cancel feature-ablation")
    assert "feature-ablation" not in maps(page)
    assert "run" not in address(page)


def test_a_method_that_compares_says_with_what() -> None:
    page = open_methods(other="espresso")
    assert maps(page)["finer-cam"]["text"] == "rather than espresso"
    assert "class “tiger cat” rather than “espresso”" in maps(page)["finer-cam"]["caption"][-1]
    assert address(page)["other"] == "espresso"


def test_why_there_is_no_map_stands_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    real = results.timed_attribution

    def refuse(analysis: Analysis, method: Any, *rest: Any) -> Any:
        if method.key == "saliency":
            raise MethodRefusedError("It cannot be. Choose another.")
        if method.key == "layer-cam":
            raise MemoryError("There is not enough memory. Take a smaller one.")
        return real(analysis, method, *rest)

    monkeypatch.setattr(results, "timed_attribution", refuse)
    page = open_methods()
    assert instead(page)["saliency"] == "It cannot be. Choose another."
    assert "needs more memory than this machine has free" in instead(page)["layer-cam"]
    assert "saliency" not in maps(page)
    assert "grad-cam" in maps(page)


def test_the_table_has_every_method_with_its_source_and_its_seconds() -> None:
    said = texts(open_methods())
    for method in METHODS.values():
        for text in (method.title, method.paper):
            assert text.replace("&", "&amp;") in said


def test_doubts_stand_at_the_map(cat: Analysis) -> None:
    shown = maps(open_methods())
    for key, doubts in results.doubts(cat.model).items():
        if key in shown:
            assert [text for _, text in shown[key]["care"]] == list(doubts), key
    assert shown["eigen-cam"]["care"]
    assert not shown["grad-cam"]["care"]


def test_which_to_trust_is_measured_when_asked(
    cat: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("cam", "grad-cam", "saliency")
    real = results.method_scores

    def scores(analysis: Analysis, method: Any, *rest: Any) -> Any:
        if method.key not in few:
            raise MethodRefusedError("Not now. Choose another.")
        return real(analysis, method, *rest)

    monkeypatch.setattr(results, "method_scores", scores)
    page = open_methods()
    assert "Deletion" not in texts(page)
    page.get_by_key("measure_now").click().run()  # type: ignore[attr-defined]
    assert not page.exception
    table = next(
        element.proto.body for element in page.get("html") if "Deletion ↓" in element.proto.body
    )
    for key in few:
        assert f">{METHODS[key].title}</th>" in table
    expected = score_method(cat, "cam")
    assert f"{expected.deletion:.2f} (" in table
    assert f"{expected.road:.2f} (" in table
    files = [SAMPLES / f"{key}.jpg" for key in ("cat", "espresso", "palace")]
    cells = [GridCell(decode(file), analyse(file, cat.model).target.index) for file in files]
    doubled = loaded(entry_for_mosaic(find(cat.model.id.key)).key)
    assert f"{grid_pointing(doubled, cells).mean:.2f} (" in table
    assert address(page)["measure"] == "true"


def test_weights_are_scrambled_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    few = (METHODS["cam"], METHODS["grad-cam"])
    monkeypatch.setattr("effnet_viz.ui.methods.sanity.checked", lambda: few)
    page = open_methods(scramble="true")
    shown = parts(page, "pane")
    assert [one["lead"] for one in shown[:2]] == ["CAM", "Grad-CAM"]
    assert not any(one["stamp"] for one in shown[:2])
    assert shown[0]["text"] == "ρ 1.00, SSIM 1.00"
    page.slider(key="position").set_value(10).run()
    now = parts(page, "pane")
    assert all(one["stamp"] == "SCRAMBLED weights" for one in now[:2])
    assert any("everything random" in line for line in now[0]["caption"])
    assert "Now: everything random." in texts(page)
    assert now[0]["map"]["values"] != shown[0]["map"]["values"]
    curve = parts(page, "curves")[0]["charts"][0]["lines"][0]["values"]
    assert len(curve) == 11
    assert curve[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("position", "said"),
    [
        (0, "as trained"),
        (1, "head random"),
        (2, "head and stage 9 random"),
        (4, "head and stages 7 to 9 random"),
        (10, "everything random"),
    ],
)
def test_what_is_scrambled_is_told(position: int, said: str) -> None:
    assert scrambled(position, 9) == said


def test_why_this_class_and_not_that_one(cat: Analysis) -> None:
    page = open_methods(other="espresso")
    found = contrast(cat, None, "espresso")
    said = texts(page)
    assert "Why tiger cat and not espresso?" in said
    strongest = found.strongest(1)[0]
    assert f'<th scope="row">{strongest.index}</th>' in said
    assert f"{strongest.difference:+.2f}" in said
    [pane] = [one for one in parts(page, "pane") if one["text"] == "Bright speaks for tiger cat"]
    shown = np.frombuffer(base64.b64decode(pane["map"]["values"]), "<f4")
    assert np.array_equal(shown.reshape(found.values.shape), found.values)
    [finer] = [one for one in parts(page, "pane") if one["lead"] == "Finer-CAM"]
    values = np.frombuffer(base64.b64decode(finer["map"]["values"]), "<f4")
    expected = cat.attribute("finer-cam", 8, other="espresso").values
    assert np.array_equal(values.reshape(expected.shape), expected)


def test_why_two_maps_differ(cat: Analysis) -> None:
    page = open_methods(left="cam", right="eigen-cam")
    found = map_difference(cat.attribute("cam"), cat.attribute("eigen-cam", 8))
    assert html.escape(sentences(found)) in texts(page)
    [pane] = [one for one in parts(page, "pane") if one["text"] == "Bright: higher in CAM"]
    shown = np.frombuffer(base64.b64decode(pane["map"]["values"]), "<f4")
    assert np.array_equal(shown.reshape(found.values.shape), found.values)
    assert address(page) == {"image": "cat", "left": "cam", "right": "eigen-cam"}
    page.selectbox(key="_right").set_value("saliency").run()
    assert address(page)["right"] == "saliency"
