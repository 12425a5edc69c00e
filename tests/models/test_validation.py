"""The pictures beside an own network: found, bounded, and none from outside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from effnet_viz.images.decode import MAX_BYTES
from effnet_viz.images.photograph import ImageError
from effnet_viz.models import validation
from effnet_viz.models.validation import (
    Epoch,
    ValidationError,
    ValidationPicture,
    content_of,
    fingerprint,
    folder_of,
    learning_curves,
    validation_pictures,
)
from effnet_viz.models.weights import OwnFile
from effnet_viz.models.zoo import MODELS, ModelEntry


@pytest.fixture
def entry(tmp_path: Path) -> ModelEntry:
    folder = tmp_path / "birds"
    for name in ("pictures/owl/1.png", "pictures/owl/2.jpg", "pictures/wren/3.png"):
        put(folder / name)
    put(folder / "masks/owl/2.png")
    put(tmp_path / "secret.png")
    table(folder, "owl/1.png,owl", "owl/2.jpg,owl", "wren/3.png,wren")
    weights = OwnFile(folder / "weights.safetensors", "0" * 64)
    return replace(MODELS["b0"], title="Birds", weights=weights, labels=("owl", "wren"))


def put(path: Path, content: bytes = b"picture") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def table(folder: Path, *lines: str, head: str = "path,label") -> None:
    put(folder / "validation.csv", "\n".join([head, *lines, ""]).encode())


def refusal(entry: ModelEntry) -> str:
    with pytest.raises(ValidationError) as error:
        validation_pictures(entry)
    return str(error.value)


def test_pictures_and_masks_are_found_in_the_order_of_the_table(
    entry: ModelEntry, tmp_path: Path
) -> None:
    folder = tmp_path / "birds"
    assert folder_of(entry) == folder
    assert validation_pictures(entry) == (
        ValidationPicture(folder / "pictures/owl/1.png", "owl/1.png", "owl", None),
        ValidationPicture(
            folder / "pictures/owl/2.jpg", "owl/2.jpg", "owl", folder / "masks/owl/2.png"
        ),
        ValidationPicture(folder / "pictures/wren/3.png", "wren/3.png", "wren", None),
    )
    assert folder_of(MODELS["lite0"]) is None


def test_nothing_outside_of_the_folder_is_read(entry: ModelEntry, tmp_path: Path) -> None:
    folder = tmp_path / "birds"
    outside = tmp_path / "secret.png"
    (folder / "pictures/link.png").symlink_to(outside)
    (folder / "pictures/circle.png").symlink_to(folder / "pictures/circle.png")
    names = ["../../secret.png", str(outside), "link.png", "circle.png", "no\0name.png", "owl"]
    table(folder, *(f"{name},owl" for name in names), "owl/1.png,owl")
    assert [picture.name for picture in validation_pictures(entry)] == ["owl/1.png"]


def test_what_is_wrong_with_the_table_is_said(entry: ModelEntry, tmp_path: Path) -> None:
    folder = tmp_path / "birds"
    table(folder, "a,b", head="file,class")
    assert refusal(entry) == (
        "validation.csv has no columns path and label. Name them so in its first line."
    )
    table(folder, "owl/1.png,`eagle`")
    assert refusal(entry).startswith("validation.csv of Birds has the label")
    assert "which the network does not know. Write its labels" in refusal(entry)
    table(folder)
    assert "has 0 lines; it may have 1 to 50,000" in refusal(entry)
    table(folder, "owl/9.png,owl")
    assert "None of the 1 pictures in validation.csv of Birds is in its folder" in refusal(entry)
    put(folder / "validation.csv", b"\xff\xfe\x00")
    assert refusal(entry) == "validation.csv is no CSV file in UTF-8. Save it as such."
    put(folder / "validation.csv", b"path,label\n" + b"x" * validation._TABLE_BYTES)
    assert "has more than 16 MB. Leave out what is not needed" in refusal(entry)
    (folder / "validation.csv").unlink()
    assert "has no pictures. Put validation.csv, with the columns path and label" in refusal(entry)


def test_a_picture_is_read_within_limits(entry: ModelEntry, tmp_path: Path) -> None:
    one, *_ = validation_pictures(entry)
    assert content_of(one.path) == b"picture"
    with one.path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageError, match=r"has more than \d+ MB; save a smaller copy"):
        content_of(one.path)
    one.path.unlink()
    with pytest.raises(ImageError, match=r"cannot be read \(No such file or directory\); put it"):
        content_of(one.path)
    with pytest.raises(ImageError, match=r"is a folder"):
        content_of(tmp_path)


def test_the_fingerprint_is_another_one_when_anything_is(entry: ModelEntry, tmp_path: Path) -> None:
    folder = tmp_path / "birds"
    found = [fingerprint(validation_pictures(entry))]
    put(folder / "pictures/owl/1.png", b"another picture")
    found.append(fingerprint(validation_pictures(entry)))
    put(folder / "masks/owl/2.png", b"another mask")
    found.append(fingerprint(validation_pictures(entry)))
    put(folder / "masks/owl/1.png")
    found.append(fingerprint(validation_pictures(entry)))
    table(folder, "owl/1.png,wren", "owl/2.jpg,owl", "wren/3.png,wren")
    found.append(fingerprint(validation_pictures(entry)))
    assert len(set(found)) == len(found)
    assert fingerprint(validation_pictures(entry)) == found[-1]


def test_learning_curves_are_read_or_there_are_none(entry: ModelEntry, tmp_path: Path) -> None:
    path = tmp_path / "birds" / "curves.json"
    assert learning_curves(entry) == ()
    one = {"phase": "head", "training_loss": 1, "validation_loss": 0.5, "validation_accuracy": 0.75}
    path.write_text(json.dumps({"format": 1, "best": 1, "epochs": [one, one | {"phase": "all"}]}))
    assert learning_curves(entry) == (
        Epoch("head", 1.0, 0.5, 0.75, best=False),
        Epoch("all", 1.0, 0.5, 0.75, best=True),
    )
    for content in ("no JSON", "[]", '{"best": 0}', '{"best": 0, "epochs": [{}]}', "[" * 100_000):
        path.write_text(content)
        assert learning_curves(entry) == ()
