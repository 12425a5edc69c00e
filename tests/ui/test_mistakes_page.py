"""The page of a network's mistakes: pictures in their order, two maps, sentences; or what to do."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis import mistakes
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import model
from effnet_viz.ui import words
from effnet_viz.ui.mistakes import wall as the_wall
from tests.ui.opening import address, maps, open_page, part, parts, texts
from tests.ui.own_network import put_network, put_pictures

PAGE = "pages/mistakes.py"
LABELS = ("discs", "stripes")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network without pictures, and one with twelve."""
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path))
    # Converting a network for another engine takes seconds, and its maps are the same.
    monkeypatch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
    put_network(tmp_path / "Bare", LABELS)
    put_network(tmp_path / "Shapes", LABELS)
    put_pictures(tmp_path / "Shapes", LABELS, 6)
    return tmp_path


def wall(page: AppTest) -> list[dict[str, str]]:
    """The pictures to choose from."""
    [grid] = [
        json.loads(element.proto.json)
        for element in page.get("bidi_component")
        if element.proto.json
        and "pictures" in json.loads(element.proto.json)
        and "size" in json.loads(element.proto.json)
    ]
    found: list[dict[str, str]] = grid["pictures"]
    return found


def test_a_network_with_its_pictures() -> None:
    page = open_page(PAGE)
    assert not page.error
    assert address(page)["network"] == "own-shapes"
    assert page.selectbox(key="network").options == ["Shapes · own-shapes"]
    assert "of 12 right" in texts(page)
    tiles = wall(page)
    assert len(tiles) == 12
    wrong = [tile["badge"] == words.WRONG for tile in tiles]
    assert wrong == sorted(wrong, reverse=True)
    assert any(wrong), "a random network is not always right"
    assert not all(wrong)
    shown = maps(page)
    assert set(shown) == {"taken_for", "instead"}
    predicted, own = tiles[0]["title"].split(", ")[0], tiles[0]["caption"].removeprefix("is ")
    assert f"class “{predicted}”" in shown["taken_for"]["caption"][-1]
    assert f"class “{own}”" in shown["instead"]["caption"][-1]
    assert shown["taken_for"]["lead"] == words.TAKEN_FOR
    assert shown["instead"]["lead"] == words.IT_IS
    # A network of random weights that came in a file is somebody's own, and says what it is.
    assert any("Shapes" in line for line in shown["taken_for"]["caption"])
    assert words.NO_MASKS not in texts(page)
    assert "With the thing painted out" in texts(page)


def test_order_class_and_picture_are_in_the_address() -> None:
    page = open_page(PAGE, order="least sure", shows="stripes")
    tiles = wall(page)
    assert len(tiles) == 6
    sure = [
        float(tile["title"].split(", ")[1].removesuffix("\N{NO-BREAK SPACE}%")) for tile in tiles
    ]
    assert sure == sorted(sure)
    there = open_page(PAGE, order="least sure", shows="stripes", picture=tiles[3]["key"])
    assert address(there) == {
        "network": "own-shapes",
        "order": "least sure",
        "shows": "stripes",
        "picture": tiles[3]["key"],
    }
    assert maps(there) != maps(page)
    gone = open_page(PAGE, picture="0" * 16)
    assert "picture" not in address(gone)
    assert maps(gone)


def test_without_masks_it_says_what_they_would_tell(folder: Path) -> None:
    for mask in (folder / "Shapes" / "masks").rglob("*.png"):
        mask.unlink()
    page = open_page(PAGE)
    assert words.NO_MASKS in texts(page)
    assert "painted out, " not in texts(page)
    options = page.selectbox(key="_order").options
    assert words.ORDERS["most outside the thing"] not in options


def test_a_picture_that_is_none_is_left_out_and_named(folder: Path) -> None:
    broken = folder / "Shapes" / "pictures" / "0" / "2.png"
    broken.write_bytes(b"no picture")
    page = open_page(PAGE)
    [warning] = page.warning
    assert warning.value.startswith("Left out, because they cannot be read: 1. 0/2.png: This is")
    assert len(wall(page)) == 11
    for picture in (folder / "Shapes" / "pictures").rglob("*.png"):
        picture.write_bytes(b"no picture")
    page = open_page(PAGE)
    [error] = page.error
    assert error.value.startswith("None of the 12 pictures can be read:")


def test_a_table_that_does_not_fit_says_so(folder: Path) -> None:
    table = folder / "Shapes" / "validation.csv"
    rows = list(csv.reader(table.open(newline="")))
    table.write_text("\n".join(",".join([name, "eagle"]) for name, _ in rows[1:]))
    page = open_page(PAGE)
    [error] = page.error
    assert "validation.csv has no columns path and label" in error.value
    assert not parts(page, "map")


def test_without_a_network_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path / "nothing"))
    page = open_page(PAGE)
    assert words.NO_OWN_NETWORKS in texts(page)
    assert words.MAKE_A_NETWORK.strip() in [text.value.strip() for text in page.markdown]
    assert not page.selectbox
    assert part(page, "strip")["page"] == "Mistakes"


def test_of_many_pictures_some_are_looked_at_and_all_have_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(the_wall, "SHOWN", 4)
    monkeypatch.setattr(mistakes.drawn, "__defaults__", (10,))
    page = open_page(PAGE)
    assert "10 of its 12 pictures were looked at" in texts(page)
    first = wall(page)
    assert len(first) == 4
    page.number_input(key="_page").set_value(3).run()
    last = wall(page)
    assert len(last) == 2
    assert not {tile["key"] for tile in first} & {tile["key"] for tile in last}


def test_what_is_taken_for_what_and_how_it_was_trained(folder: Path) -> None:
    page = open_page(PAGE, confusion="true", training="true", method_found="true")
    assert words.NO_CURVES in texts(page)
    assert words.FOUND_HELP.strip() in [text.value.strip() for text in page.markdown]
    [table] = [text for text in texts(page).split("\n") if words.CONFUSION_ROW in text]
    counts = [int(cell) for cell in re.findall(r"<td>(\d+)</td>", table)]
    assert sum(counts) == 12
    right = sum(tile["badge"] != words.WRONG for tile in wall(page))
    assert f"{right} of 12 right" in texts(page)
    epoch = {"phase": "head", "training_loss": 1, "validation_loss": 0.5}
    curves = {"best": 0, "epochs": [epoch | {"validation_accuracy": 0.75}] * 3}
    (folder / "Shapes" / "curves.json").write_text(json.dumps(curves))
    page = open_page(PAGE, training="true")
    assert "3 epochs. The dotted line is at the one that was kept, number 1, of the head" in texts(
        page
    )
    assert page.get("plotly_chart")
