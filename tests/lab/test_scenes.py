"""Scenes are the same every time, and their masks are exact."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from effnet_viz.arrays import Floats
from effnet_viz.assets import LAB
from effnet_viz.lab import scenes, sprites
from effnet_viz.lab.runs import HELD_OUT_VENDORS
from effnet_viz.lab.scenes import Arrangement
from effnet_viz.lab.sprites import CLASSES, SETS, VENDORS


@pytest.fixture(scope="module")
def all_but_twitter() -> sprites.Drawings:
    return sprites.of_vendors(*sprites.all_but("Twitter"))


def arranged(source: sprites.Drawings, index: int) -> Arrangement:
    return scenes.arrange(source, index % len(CLASSES), np.random.default_rng(index))


def painted(arrangement: Arrangement, white: set[int]) -> Floats:
    """The arrangement on black, some layers white and the others black."""
    layers = []
    for number, layer in enumerate(arrangement.layers):
        opacity = layer[..., 3:]
        colour = opacity if number in white else np.zeros_like(opacity)
        layers.append(np.concatenate([colour, colour, colour, opacity], axis=2))
    black = np.zeros_like(arrangement.background)
    return dataclasses.replace(arrangement, background=black, layers=tuple(layers)).composite()


def test_a_scene_is_the_same_every_time(all_but_twitter: sprites.Drawings) -> None:
    one, other = (scenes.make(all_but_twitter, scenes.TRAINING, 7) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.mask, other.mask)
    assert one.label == other.label == 7
    for stream, index in ((scenes.TRAINING, 8), (scenes.UNSEEN, 7)):
        assert (scenes.make(all_but_twitter, stream, index).image != one.image).any()


def test_a_scene_does_not_depend_on_those_made_before(all_but_twitter: sprites.Drawings) -> None:
    def digest(order: list[int]) -> dict[int, str]:
        made = {i: scenes.make(all_but_twitter, scenes.SEEN, i).image.tobytes() for i in order}
        return {index: hashlib.sha256(image).hexdigest() for index, image in made.items()}

    assert digest([3, 1, 2]) == digest([1, 2, 3])


@pytest.mark.parametrize("index", range(6))
def test_the_mask_is_what_a_white_target_leaves_on_black(
    all_but_twitter: sprites.Drawings, index: int
) -> None:
    arrangement = arranged(all_but_twitter, index)
    mask = arrangement.visible[arrangement.target]
    composite = painted(arrangement, {arrangement.target})
    np.testing.assert_allclose(composite, np.repeat(mask[..., None], 3, axis=2), atol=1e-6)
    others = set(range(len(arrangement.layers))) - {arrangement.target}
    rest = arrangement.visible.sum(axis=0) - mask
    np.testing.assert_allclose(painted(arrangement, others)[..., 0], rest, atol=1e-6)


def test_background_and_layers_add_up_to_the_composite(
    all_but_twitter: sprites.Drawings,
) -> None:
    arrangement = arranged(all_but_twitter, 3)
    uncovered = 1 - arrangement.visible.sum(axis=0)  # (S, S)
    expected = arrangement.background * uncovered[..., None]
    for layer, share in zip(arrangement.layers, arrangement.visible, strict=True):
        colour = layer[..., :3] / np.maximum(layer[..., 3:], 1e-12)
        expected = expected + colour * share[..., None]
    np.testing.assert_allclose(arrangement.composite(), expected, atol=1e-5)


def test_the_target_shows_enough(all_but_twitter: sprites.Drawings) -> None:
    for index in range(48):
        arrangement = arranged(all_but_twitter, index)
        whole = arrangement.layers[arrangement.target][..., 3].sum()
        left = arrangement.visible[arrangement.target].sum()
        assert left >= (1 - scenes.LARGEST_HIDDEN_SHARE) * whole - 1e-2
        assert left > 0.02 * scenes.SIDE**2


def test_held_out_vendors_drew_every_class() -> None:
    for vendor in HELD_OUT_VENDORS:
        assert all(sprites.of_vendors(vendor).targets.values())
        training = sprites.of_vendors(*sprites.all_but(vendor))
        assert min(len(kinds) for kinds in training.targets.values()) >= 3


def test_no_drawing_of_a_held_out_vendor_is_trained_on() -> None:
    def prints(source: sprites.Drawings) -> set[bytes]:
        targets = [one for kinds in source.targets.values() for one in kinds]
        return {drawing.tobytes() for drawing in (*targets, *source.distractors)}

    for vendor in HELD_OUT_VENDORS:
        unseen, seen = (
            prints(sprites.of_vendors(*vendors)) for vendors in ((vendor,), sprites.all_but(vendor))
        )
        assert not unseen & seen


def test_classes_are_never_distractors() -> None:
    assert len(set(CLASSES)) == len(CLASSES) >= 24
    assert not set(CLASSES) & set(sprites.DISTRACTORS)


def test_an_unknown_vendor_is_named_and_the_choices_listed() -> None:
    with pytest.raises(ValueError, match=r"no vendor 'Acme'.*Google"):
        sprites.of_vendors("Google", "Acme")


def test_share_alike_sets_are_left_out_and_every_set_is_credited() -> None:
    credit = (LAB.parent / "CREDITS.md").read_text(encoding="utf-8")
    for drawing_set in SETS:
        assert "SA" not in drawing_set.licence.split("-")
        assert f"`{drawing_set.package}` {drawing_set.version}" in credit
        assert drawing_set.licence_url in credit
    assert len(VENDORS) >= 4
