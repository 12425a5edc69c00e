"""An object of one's own: transparency is kept, GrabCut finds a thing, and brushes overrule it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from effnet_viz.arrays import Mask, Pixels
from effnet_viz.scenes import editor
from effnet_viz.scenes.cutting import (
    LONGEST,
    MOST_POINTS,
    MOST_STROKES,
    NAME,
    SMALLEST,
    WORKING_SIDE,
    CutOutError,
    Stroke,
    cut_out,
    is_cut_out,
    own_object,
    treated_cut,
    working_copy,
)
from effnet_viz.scenes.objects import objects
from effnet_viz.scenes.treatment import MARGIN

BOX = (0.2, 0.15, 0.85, 0.85)
WIDTH, HEIGHT = 320, 240


def disc(centre: tuple[int, int], radius: int) -> Mask:
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    mask: Mask = np.hypot(across - centre[0], down - centre[1]) < radius
    return mask


THING = disc((160, 120), 70)
WINDOW = disc((160, 120), 22)
"""A part of the thing that looks like the ground."""


def painted(thing: Mask) -> Pixels:
    """A reddish thing on a bluish ground, both with noise, (HEIGHT, WIDTH, 3)."""
    noise = np.random.default_rng(0).normal(0, 12, (HEIGHT, WIDTH, 3))
    colours = np.where(thing[..., None], (190, 80, 60), (60, 110, 170)) + noise
    return colours.clip(0, 255).astype(np.uint8)


def iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_grabcut_finds_a_thing_in_its_box() -> None:
    found = cut_out(painted(THING), BOX) == 255
    assert iou(found, THING) > 0.95


def test_the_same_box_gives_the_same_cut() -> None:
    pixels = painted(THING)
    first = cut_out(pixels, BOX)
    cv2.setRNGSeed(99)
    assert np.array_equal(cut_out(pixels, BOX), first)


def test_brushes_correct_a_mistake() -> None:
    pixels = painted(THING & ~WINDOW)  # the colours say that the window is no part of it
    alone = cut_out(pixels, BOX) == 255
    assert iou(alone, THING) < 0.95
    assert not alone[120, 160]
    centre = (160 / WIDTH, 120 / HEIGHT)
    stroke = Stroke(True, 22 / WIDTH, (centre,))
    corrected = cut_out(pixels, BOX, [stroke]) == 255
    assert iou(corrected, THING) > 0.95
    back = cut_out(pixels, BOX, [stroke, Stroke(False, 22 / WIDTH, (centre,))]) == 255
    assert not back[120, 160]  # the later stroke lies above


def test_a_stroke_runs_from_point_to_point_and_reaches_beyond_the_box() -> None:
    stroke = Stroke(True, 0.02, ((0.02, 0.5), (0.5, 0.5)))
    found = cut_out(painted(THING), BOX, [stroke])
    assert (found[HEIGHT // 2, 10 : WIDTH // 2] == 255).all()


@pytest.mark.parametrize("strokes", [(), (Stroke(False, 1.0, ((0.5, 0.5),)),)])
def test_a_box_around_everything_is_cut(strokes: tuple[Stroke, ...]) -> None:
    found = cut_out(painted(THING), (0, 0, 1, 1), strokes)
    assert found.shape == (HEIGHT, WIDTH)
    if strokes:
        assert not found.any()
    else:
        assert iou(found == 255, THING) > 0.95


def test_what_nobody_draws_by_hand_is_refused() -> None:
    pixels, point = painted(THING), (0.5, 0.5)
    for box in ((0.5, 0.1, 0.5, 0.9), (-0.1, 0, 1, 1), (0, 0, float("nan"), 1)):
        with pytest.raises(ValueError, match="box"):
            cut_out(pixels, box)
    for strokes in (
        [Stroke(True, 0.1, (point,))] * (MOST_STROKES + 1),
        [Stroke(True, 0.1, (point,) * (MOST_POINTS + 1))],
    ):
        with pytest.raises(ValueError, match="strokes"):
            cut_out(pixels, BOX, strokes)
    large = np.zeros((WORKING_SIDE + 1, 20, 3), np.uint8)
    with pytest.raises(ValueError, match="pixels a side"):
        cut_out(large, BOX)
    assert working_copy(large).shape[0] == WORKING_SIDE
    assert working_copy(np.zeros((3, 20_000, 3), np.uint8)).shape == (1, WORKING_SIDE, 3)


def test_transparency_is_kept_and_trimmed_to_its_box() -> None:
    opacity = np.where(THING, 255, 0).astype(np.uint8)
    assert is_cut_out(opacity)
    thing = own_object(treated_cut(painted(THING), opacity), ["red fox", "kit fox"])
    rows, columns = np.nonzero(THING)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert thing.rgba.shape == (height + 2 * MARGIN, width + 2 * MARGIN, 4)
    inner = thing.rgba[MARGIN:-MARGIN, MARGIN:-MARGIN, 3]
    box = THING[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert np.array_equal(inner >= 128, box)
    assert (thing.name, thing.what, thing.labels) == (NAME, "red fox", ("red fox", "kit fox"))
    assert not thing.rgba.flags.writeable


def test_a_large_picture_is_reduced_without_the_colours_of_its_ground() -> None:
    colours = np.zeros((3000, 4000, 3), np.uint8)
    colours[:] = (0, 0, 255)
    opacity = np.zeros((3000, 4000), np.uint8)
    cv2.ellipse(opacity, (2000, 1500), (1700, 1100), 0, 0, 360, 255, -1)
    colours[opacity > 0] = (255, 120, 0)
    rgba = treated_cut(colours, opacity)
    height, width = rgba.shape[:2]
    assert width == LONGEST
    assert height == pytest.approx(LONGEST * 2201 / 3401, abs=2)
    seen = rgba[rgba[..., 3] > 0][:, :3].astype(int)
    assert np.abs(seen - (255, 120, 0)).max() <= 1


def test_opaque_pictures_say_nothing_of_what_the_object_is() -> None:
    assert not is_cut_out(None)
    corner = np.full((100, 100), 255, np.uint8)
    corner[:5, :5] = 0  # rounded
    assert not is_cut_out(corner)


def test_what_is_no_object_is_told() -> None:
    pixels = painted(THING)
    with pytest.raises(CutOutError, match="Nothing is left of the object"):
        treated_cut(pixels, np.full((HEIGHT, WIDTH), 127, np.uint8))
    small = np.zeros((HEIGHT, WIDTH), np.uint8)
    small[10:30, 10:30] = 255
    with pytest.raises(CutOutError, match=f"only {20 + 2 * MARGIN} pixels .* at least {SMALLEST}"):
        treated_cut(pixels, small)
    with pytest.raises(ValueError, match="label"):
        own_object(treated_cut(pixels, np.full((HEIGHT, WIDTH), 255, np.uint8)), [])


@pytest.mark.parametrize("width", [1, 40])
def test_a_hair_of_a_large_picture_is_no_object(width: int) -> None:
    colours, opacity = np.zeros((4000, 3000, 3), np.uint8), np.zeros((4000, 3000), np.uint8)
    opacity[5:3990, 1500 : 1500 + width] = 255
    opacity[10, 5:2990] = 255  # so that the box is no hair
    if width == 1:
        with pytest.raises(CutOutError, match="Nothing is left"):
            treated_cut(colours, opacity)
    else:
        assert max(treated_cut(colours, opacity).shape) <= LONGEST


def test_a_scene_shows_it_and_knows_where() -> None:
    opacity = np.where(THING, 255, 0).astype(np.uint8)
    thing = own_object(treated_cut(painted(THING), opacity), ["red fox"])
    spec = editor.SceneSpec(
        (editor.Placed(NAME, 0.5, 0.5, 0.5),), 3, editor.Background.MADE, ground=3
    )
    scene = editor.compose(spec, 224, own=[thing])
    assert scene.objects == (thing,)
    scale = 112 / max(thing.rgba.shape[:2])
    assert scene.masks[0].sum() == pytest.approx(THING.sum() * scale**2, rel=0.02)
    red, _, blue = scene.image[112, 112].astype(int)
    assert red > blue + 80
    assert scene.credits == ()


def test_nothing_of_its_class_lies_around_it() -> None:
    label = next(one for one in objects() if one.name == "tiger-walking").labels[0]
    opacity = np.where(THING, 255, 0).astype(np.uint8)
    spec = editor.by_chance(0, "tiger-walking")
    placed = (dataclasses.replace(spec.objects[0], name=NAME),)
    for seed in range(30):
        described = dataclasses.replace(spec, seed=seed, distractors=8, objects=placed)
        thing = own_object(treated_cut(painted(THING), opacity), [label])
        around = editor.distractors(described, [thing])
        assert not any(label in editor.find(one.name).labels for one in around)
