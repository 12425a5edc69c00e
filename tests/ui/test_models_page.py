"""The page "Models" without a browser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.models import checkpoints, weights, zoo
from effnet_viz.models.weights import Readiness
from effnet_viz.ui import words
from effnet_viz.ui.scaling.model_table import status_of
from tests.ui.opening import open_page

MODELS = "pages/models.py"
B = [entry for entry in zoo.MODELS.values() if entry.key.startswith("b")]


def written(page: AppTest) -> ElementTree.Element:
    bodies = [element.proto.body for element in page.get("html")]  # type: ignore[attr-defined]
    return ElementTree.fromstring(f"<div>{''.join(bodies)}</div>")


def rows(page: AppTest, label: str) -> dict[str, list[str]]:
    """The cells of every network in the table of this name."""
    [region] = written(page).findall(f".//div[@aria-label='{label}']")
    cells = [["".join(cell.itertext()) for cell in row] for row in region.findall(".//tbody/tr")]
    return {name: rest for name, *rest in cells}


@pytest.fixture
def readiness(monkeypatch: pytest.MonkeyPatch) -> dict[str, Readiness]:
    """By key; what a test does not say of a network of torchvision is that it is unreachable."""
    said: dict[str, Readiness] = {}

    def asked(entry: zoo.ModelEntry) -> Readiness:
        usual = Readiness.READY if entry.key.startswith("lite") else Readiness.UNREACHABLE
        return said.get(entry.key, usual)

    monkeypatch.setattr(checkpoints, "readiness", asked)
    return said


@pytest.mark.usefixtures("readiness")
def test_every_network_has_a_row_with_its_published_figures() -> None:
    page = open_page(MODELS)
    lite, large = rows(page, words.LITE), rows(page, words.B0_TO_B7)
    assert [*lite, *large] == [entry.title for entry in zoo.MODELS.values()]
    found = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in large["EfficientNet-B4"]]
    assert found == [
        *("1.4", "1.8", "380 px", "19.3 M", "4.39 B", "83.4 %", "96.6 %", "74 MB"),
        "torchvision IMAGENET1K_V1",
    ]
    assert lite["EfficientNet-Lite0"][6] == "–"  # nobody published its top-5 accuracy


@pytest.mark.usefixtures("readiness")
def test_what_is_missing_is_said_once_and_names_no_folder() -> None:
    text = "".join(written(open_page(MODELS)).itertext())
    assert text.count("this computer cannot reach now") == 1
    assert "not reachable" not in text
    assert "Whoever runs the app can put them into torch's folder" in text
    assert str(weights.folder()) not in text


def test_those_that_differ_are_named(readiness: dict[str, Readiness]) -> None:
    assert status_of(B).startswith("Not here: they need")
    readiness.update(
        {"b0": Readiness.READY, "b1-v2": Readiness.READY, "b2": Readiness.DOWNLOADABLE}
    )
    said = status_of(B)
    assert "Ready (B0, B1 (V2 recipe))." in said
    assert "Downloaded once (B2): " in said
    assert "Not here (B1, B3, B4, B5, B6, B7): " in said
    readiness.update({entry.key: Readiness.READY for entry in B})
    assert status_of(B) == "Ready."


@pytest.mark.usefixtures("readiness")
def test_preprocessing_and_sources_are_there_for_who_wants_them() -> None:
    found = rows(open_page(MODELS), words.PREPROCESSING)
    shorter, cut, interpolation, file, source = found["EfficientNet-B0"]
    assert (shorter, cut) == ("256\N{NO-BREAK SPACE}px", "224\N{NO-BREAK SPACE}px")
    assert (interpolation, file) == ("bicubic", zoo.MODELS["b0"].weights.filename)
    assert source.startswith("torchvision, EfficientNet_B0_Weights")
