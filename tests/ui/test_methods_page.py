"""The page "Methods" without a browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import reduced
from effnet_viz.attribution.methods import METHODS, MethodRefusedError
from effnet_viz.serving import slow_methods
from effnet_viz.ui import results, viewer
from effnet_viz.ui.methods.view import is_quick
from tests.ui.opening import address, maps, open_page, part, parts, tell, texts

QUICK = [key for key, method in METHODS.items() if is_quick(method)]
SLOW = [key for key in METHODS if key not in QUICK]


@pytest.fixture(scope="module", autouse=True)
def worker() -> Iterator[None]:
    yield
    slow_methods.close()


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
        place = "pixels (224×224), largest magnitude over the colours"
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
