"""Scenes of photographed objects are the same every time, and their masks are exact."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools

import numpy as np
import pytest

from effnet_viz import scenes
from effnet_viz.arrays import part_mean
from effnet_viz.scenes import editor
from effnet_viz.scenes.backgrounds import Background
from effnet_viz.scenes.editor import MOST_DISTRACTORS, SceneSpec, by_chance, compose
from effnet_viz.scenes.objects import CutOut, UnknownObjectError, objects

SIDE = 224


def painted(name: str, value: int) -> CutOut:
    """An object of the collection, all black or all white."""
    thing = editor.find(name)
    rgba = thing.rgba.copy()
    rgba[..., :3] = value
    return dataclasses.replace(thing, rgba=rgba)


def busy(seed: int) -> SceneSpec:
    """Two objects, distractors, and something in front."""
    return dataclasses.replace(by_chance(seed, "tiger-walking", "zebra"), distractors=4, hidden=0.4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("number", [0, 1])
def test_the_mask_is_what_changes_when_the_object_turns_from_black_to_white(
    seed: int, number: int
) -> None:
    spec = busy(seed)
    name = spec.objects[number].name
    black, white = (compose(spec, SIDE, own=[painted(name, value)]) for value in (0, 255))
    difference = (white.image.astype(np.float32) - black.image) / 255  # (S, S, 3)
    for channel in range(3):
        np.testing.assert_allclose(difference[..., channel], white.masks[number], atol=1.01 / 255)
    np.testing.assert_array_equal(white.masks, black.masks)


@pytest.mark.parametrize("seed", range(4))
def test_what_shows_of_everything_is_never_more_than_the_picture(seed: int) -> None:
    scene = compose(busy(seed), SIDE)
    total = scene.masks.sum(axis=0) + scene.others
    assert scene.masks.min() >= 0
    assert scene.others.min() >= -1e-6
    assert total.max() <= 1 + 1e-5
    assert scene.masks.shape == (2, SIDE, SIDE)
    assert scene.image.dtype == np.uint8


def test_the_same_arguments_make_the_same_scene_and_others_another() -> None:
    one, same, other = (scenes.make("koala", seed=seed, side=SIDE) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.image, same.image)
    np.testing.assert_array_equal(one.masks, same.masks)
    assert (one.image != other.image).any()


def test_a_scene_does_not_depend_on_those_made_before() -> None:
    def digests(order: list[int]) -> dict[int, str]:
        editor._background.cache_clear()
        editor._covering.cache_clear()
        made = {seed: compose(busy(seed), SIDE).image.tobytes() for seed in order}
        return {seed: hashlib.sha256(image).hexdigest() for seed, image in made.items()}

    assert digests([2, 0, 1]) == digests([0, 1, 2])


@pytest.mark.parametrize("seed", range(3))
def test_a_scene_is_the_same_at_every_resolution(seed: int) -> None:
    small, large = (compose(busy(seed), side) for side in (SIDE, 2 * SIDE))
    halved = part_mean(large.masks, (0, 0, 1, 1), SIDE, SIDE)
    assert np.abs(halved - small.masks).mean() < 0.004
    assert np.abs(halved.sum((1, 2)) / small.masks.sum((1, 2)) - 1).max() < 0.03
    picture = part_mean(large.image.transpose(2, 0, 1).astype(np.float32), (0, 0, 1, 1), SIDE, SIDE)
    assert np.abs(picture.transpose(1, 2, 0) - small.image).mean() < 6  # of 255


@pytest.mark.parametrize("hidden", [0.1, 0.5, 0.9])
def test_as_much_is_hidden_as_was_asked(hidden: float) -> None:
    for seed in range(3):
        assert scenes.make("sheep", seed=seed, hidden=hidden).hidden == pytest.approx(
            hidden, abs=0.01
        )


def test_what_is_hidden_stays_hidden_when_more_is() -> None:
    shown = [
        scenes.make("lion-standing", seed=1, side=SIDE, hidden=tenth / 10).masks[0]
        for tenth in range(10)
    ]
    for less, more in itertools.pairwise(shown):
        assert (more <= less + 1e-5).all()


def test_moving_an_object_keeps_all_the_rest() -> None:
    spec = dataclasses.replace(by_chance(5, "camera"), distractors=3)
    [placed] = spec.objects
    moved = dataclasses.replace(
        spec, objects=(dataclasses.replace(placed, cx=0.2, cy=0.3, size=0.3),)
    )
    one, other = compose(spec, SIDE), compose(moved, SIDE)
    untouched = (one.masks[0] == 0) & (other.masks[0] == 0)
    np.testing.assert_array_equal(one.image[untouched], other.image[untouched])


def test_place_size_turn_and_mirror_are_as_asked() -> None:
    scene = scenes.make(
        "spade", seed=0, side=SIDE, size=0.5, place=(0.3, 0.6), turned=90, mirrored=False
    )
    down, across = np.nonzero(scene.masks[0] > 0.5)
    width, height = np.ptp(across) + 1, np.ptp(down) + 1
    assert width == pytest.approx(0.5 * SIDE, abs=4)  # upright, it is 320 high
    assert height < width / 2
    assert (across.min() + across.max()) / 2 / SIDE == pytest.approx(0.3, abs=0.02)
    assert (down.min() + down.max()) / 2 / SIDE == pytest.approx(0.6, abs=0.02)
    one, other = (
        scenes.make("spade", seed=0, side=SIDE, place=(0.5, 0.5), turned=0, mirrored=mirrored)
        for mirrored in (False, True)
    )
    np.testing.assert_allclose(one.masks[0], other.masks[0][:, ::-1], atol=1e-3)


def test_light_and_warmth_change_the_picture_and_no_mask() -> None:
    plain, bright, warm = (
        scenes.make("hen", seed=2, side=SIDE, **how)  # type: ignore[arg-type]
        for how in ({}, {"light": 0.5}, {"warmth": 1.0})
    )
    assert bright.image.mean() > plain.image.mean() + 10
    reddened = warm.image.mean(axis=(0, 1)) - plain.image.mean(axis=(0, 1))
    assert reddened[0] > 5 > -5 > reddened[2]
    np.testing.assert_array_equal(plain.masks, bright.masks)
    np.testing.assert_array_equal(plain.masks, warm.masks)


def test_distractors_are_of_other_classes() -> None:
    for seed in range(20):
        spec = dataclasses.replace(by_chance(seed, "hare"), distractors=MOST_DISTRACTORS)
        placed = editor.distractors(spec, [editor.find(one.name) for one in spec.objects])
        labels = {label for one in placed for label in editor.find(one.name).labels}
        assert not labels & set(editor.find("hare").labels)


def test_a_picture_of_ones_own_is_the_background() -> None:
    own = np.full((SIDE, SIDE, 3), (10, 200, 30), np.uint8)
    scene = scenes.make("hen", seed=0, side=SIDE, background=own)
    outside = scene.masks[0] == 0
    assert (scene.image[outside] == (10, 200, 30)).all()


@pytest.mark.parametrize("kind", list(Background))
def test_backgrounds_of_a_kind_differ_by_number(kind: Background) -> None:
    spec = dataclasses.replace(by_chance(0, "hen"), background=kind)
    pictures = {
        compose(dataclasses.replace(spec, ground=ground), 64).image.tobytes()
        for ground in range(10)
    }
    assert len(pictures) == 10


def test_a_scene_credits_all_that_it_shows() -> None:
    spec = dataclasses.replace(by_chance(0, "hen"), distractors=2)
    scene = compose(spec, 64)
    names = {thing.name: thing for thing in objects()}
    assert len(scene.credits) >= 2
    assert names["hen"].source in scene.credits[0]
    assert all("GNU General Public License" in line for line in scene.credits)


@pytest.mark.parametrize(
    ("names", "how", "said"),
    [
        (("hen", "rooster", "koala"), {}, "one object or two, not 3"),
        (("hen",), {"hidden": 0.95}, "`hidden` must be between 0 and 0.9"),
        (("hen",), {"size": 2.0}, "`size` must be between 0.1 and 0.9"),
        (("hen",), {"place": (0.5, 1.5)}, "`place` must be between 0 and 1"),
        (("hen",), {"background": "sky"}, "sky"),
    ],
)
def test_what_cannot_be_made_is_said(
    names: tuple[str, ...], how: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        scenes.make(*names, **how)  # type: ignore[arg-type]


def test_an_unknown_object_is_told_with_those_near_it() -> None:
    with pytest.raises(UnknownObjectError, match="Did you mean tiger-"):
        scenes.make("tiger-walkin")
