"""A network that has learned planted shortcuts, and that they are found without being told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from effnet_viz.analysis import mistakes_verdict as verdict
from effnet_viz.analysis.mistakes import SAME, Study, study
from effnet_viz.cli import lab
from effnet_viz.finetuning.training import Settings, finetune
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.lab.planted import DRAWN, planted_pictures, write_planted
from effnet_viz.metrics.localization import energy_pointing_game
from effnet_viz.models.model import load
from effnet_viz.models.validation import ValidationPicture, content_of, validation_pictures
from effnet_viz.models.variants import find

PICTURES = 40
"""Of each class."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Of a network fine-tuned on planted pictures."""
    folder = tmp_path_factory.mktemp("planted")
    write_planted(folder / "faces", PICTURES)
    settings = Settings(model="lite0", epochs=0, validation=0.3)
    finetune(folder / "faces", folder / "networks", "faces", settings, progress=False)

    def read(of: ValidationPicture) -> tuple[Photograph, Photograph | None]:
        mask = None if of.mask is None else decode(content_of(of.mask))
        return decode(content_of(of.path)), mask

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFNET_VIZ_NETWORKS", str(folder / "networks"))
        return study(validation_pictures(find("own-faces")), read, load("own-faces"))


def test_accuracy_is_high_and_yet_it_goes_by_shortcuts(found: Study) -> None:
    assert len(found.looks) == found.there == 4 * 0.3 * PICTURES
    assert found.right.interval[0] > 0.7, "far more than the quarter of chance"
    assert set(verdict.shortcuts(found)) >= {"cat", "dog", "fox"}


def test_the_mark_is_found(found: Study) -> None:
    first = found.groups[0]
    assert first.is_shortcut
    assert first.label == "fox"
    assert len(first.looks) > 0.5 * 0.3 * PICTURES
    assert verdict.group_headline(first).startswith("In the bottom right corner: the same in every")
    side = len(first.place)
    assert first.place[side // 2 :, side // 2 :].sum() > 0.9 * first.place.sum()
    assert not any(group.is_shortcut for group in found.groups if group.label != "fox")
    # It would have been found without masks, too: most foxes look the same there.
    assert first.copied is not None
    assert first.copied.same > SAME


def test_the_grounds_are_found_where_masks_say_what_the_face_is(found: Study) -> None:
    of = {each.label: each for each in found.surroundings}
    for label in ("cat", "dog"):
        assert of[label].is_shortcut
        assert of[label].still.share > 0.5 > 2 * of[label].others.share
        assert of[label].outside > 0.5


def test_pictures_are_the_same_every_time_and_masks_are_where_the_face_is() -> None:
    first, again = (list(planted_pictures(2)) for _ in range(2))
    assert [picture.label for picture in first] == [label for label in DRAWN for _ in range(2)]
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.mask, other.mask)
        assert set(np.unique(one.mask)) <= set(range(256))
        assert 0.02 < (one.mask > 127).mean() < 0.3
    assert not np.array_equal(first[0].image, first[1].image)
    marked = np.abs(first[4].image[-60:-12, -60:-12].astype(int) - first[5].image[-60:-12, -60:-12])
    plain = np.abs(first[6].image[-60:-12, -60:-12].astype(int) - first[7].image[-60:-12, -60:-12])
    assert marked.mean() < plain.mean(), "the mark is in both pictures"


def test_the_command_writes_class_folders_and_masks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "faces"
    assert lab.run(["planted", str(folder), "--pictures", "1"]) == 0
    assert f"4 pictures in {folder}" in capsys.readouterr().out
    for label in DRAWN:
        with Image.open(folder / label / "000.png") as image:
            assert image.size == (384, 384)
        with Image.open(folder / "masks" / label / "000.png") as mask:
            assert mask.size == (384, 384)
            whole = np.ones((1, 384, 384), np.float32)
            share = energy_pointing_game(whole, np.asarray(mask, np.float32)[None] / 255)
            assert 0.02 < share[0] < 0.3
    assert lab.run(["planted", str(folder)]) == 1
    assert capsys.readouterr().err == f"{folder} is there already. Name a new folder.\n"
