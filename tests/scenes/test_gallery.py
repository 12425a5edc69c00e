"""The scenes beside the sample photographs are what their table says, and name their authors."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from effnet_viz.images.samples import samples
from effnet_viz.scenes.gallery import gallery, scene_of
from effnet_viz.scenes.objects import named

each = pytest.mark.parametrize("key", gallery())


def test_there_are_six_and_none_is_called_as_a_photograph() -> None:
    assert len(gallery()) == 6
    assert not set(gallery()) & set(samples())


def test_one_shows_two_objects_of_different_classes() -> None:
    two = [scene_of(key) for key in gallery() if len(scene_of(key).objects) == 2]
    assert two
    for scene in two:
        one, other = scene.objects
        assert not set(one.labels) & set(other.labels)


@each
def test_the_picture_is_made_from_its_row(key: str) -> None:
    with Image.open(gallery()[key].path) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.float32)  # (S, S, 3)
    made = scene_of(key).image
    assert pixels.shape == made.shape
    assert np.abs(pixels - made).mean() < 6  # of 255: the file is compressed


@each
def test_all_that_it_shows_is_credited(key: str) -> None:
    scene, said = scene_of(key), gallery()[key].credits
    assert said == scene.credits
    for thing in scene.objects:
        assert named(thing.name).credit in said
