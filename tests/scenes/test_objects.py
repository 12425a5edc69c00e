"""The photographed objects are what their table says, each with its licence and its credit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from effnet_viz.assets import OBJECTS
from effnet_viz.models.classes import imagenet
from effnet_viz.scenes.objects import PhotoObject, objects
from effnet_viz.scenes.treatment import LEVELS, SPECK
from tools.objects import collection
from tools.objects.collection import LONGEST

CREDITS = (OBJECTS.parent / "CREDITS.md").read_text(encoding="utf-8")
GPL_GOES = {
    "GPL-2.0-or-later",
    "GPL, one of three licences (GFDL, CC BY-SA, GPL)",
    "CeCILL, which allows passing on under the GPL",
    "public domain",
    "no restrictions",
}
"""Terms under which a picture may be passed on under the GPL, version 2 or later."""

each = pytest.mark.parametrize("thing", objects(), ids=lambda thing: thing.name)


def test_there_are_enough_for_intervals_over_objects() -> None:
    classes = {thing.labels[0] for thing in objects()}
    assert len(objects()) >= 100
    assert len(classes) >= 80
    assert len({thing.name for thing in objects()}) == len(objects())
    assert len({thing.source for thing in objects()}) == len(objects())
    several = [c for c in classes if sum(thing.labels[0] == c for thing in objects()) > 1]
    assert len(several) >= 10


def test_the_folder_is_whole_small_and_as_its_table_says() -> None:
    assert collection.problems(OBJECTS) == []


@each
def test_every_accepted_label_exists_and_is_there_once(thing: PhotoObject) -> None:
    assert thing.labels
    assert len(set(thing.labels)) == len(thing.labels)
    for label in thing.labels:
        assert imagenet()[imagenet().index(label)] == label


@each
def test_every_object_is_credited_and_may_be_passed_on_under_the_gpl(thing: PhotoObject) -> None:
    assert thing.terms in GPL_GOES
    [line] = [line for line in CREDITS.splitlines() if f"`{thing.name}`" in line]
    assert f"| {thing.author or 'nobody is named'} |" in line
    assert f"| {thing.terms} |" in line


@each
def test_the_edge_is_a_mask_feathered_over_one_pixel(thing: PhotoObject) -> None:
    pixels = thing.rgba()
    assert pixels.shape == (thing.height, thing.width, 4)
    assert pixels.dtype == np.uint8
    assert not pixels.flags.writeable
    assert max(thing.width, thing.height) <= LONGEST
    opacity = pixels[..., 3]
    assert set(np.unique(opacity)) <= set(LEVELS)
    border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert not border.any()
    assert not pixels[opacity == 0].any()


@each
def test_an_object_is_large_enough_to_be_seen_and_has_no_specks(thing: PhotoObject) -> None:
    mask = thing.rgba()[..., 3] >= 128
    rows, columns = mask.any(axis=1).sum(), mask.any(axis=0).sum()
    assert max(rows, columns) >= 70
    assert min(rows, columns) >= 45
    parts, count = ndimage.label(thing.rgba()[..., 3] > 0, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    assert count == len(sizes)
    assert sizes.min() >= SPECK * mask.sum()


def test_what_is_read_is_read_once() -> None:
    thing = objects()[0]
    assert thing.rgba() is thing.rgba()
    with pytest.raises(ValueError, match="read-only"):
        thing.rgba()[0, 0] = 255
