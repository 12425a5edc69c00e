"""Scenes that a person composes: only what is changed changes, and the masks are exact."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import cv2
import numpy as np
import pytest

from effnet_viz.images.decode import decode
from effnet_viz.lab import scene_editor, scenes
from effnet_viz.lab.scene_editor import SceneSpec
from effnet_viz.lab.scenes import SIDE, Arrangement
from effnet_viz.lab.sprites import CLASSES, VENDORS, of_vendors
from effnet_viz.scenes.backgrounds import backdrop
from tests.conftest import SAMPLES

FOX = SceneSpec(
    seed=5, label=CLASSES.index("fox"), vendor="Twitter", size=0.4, cx=0.3, cy=0.6,
    distractors=4, occlusion=0.0,
)  # fmt: skip


@pytest.mark.parametrize("occlusion", [0.0, 0.3])
def test_a_scene_is_the_same_every_time(occlusion: float) -> None:
    one, other = (scene_editor.compose(replace(FOX, occlusion=occlusion)) for _ in range(2))
    np.testing.assert_array_equal(one.scene.image, other.scene.image)
    np.testing.assert_array_equal(one.scene.mask, other.scene.mask)
    assert one.outline == other.outline


def test_another_seed_is_another_scene() -> None:
    one, other = scene_editor.compose(FOX), scene_editor.compose(replace(FOX, seed=6))
    assert (one.scene.image != other.scene.image).mean() > 0.5


@pytest.mark.parametrize(
    "change", [{"cx": 0.75, "cy": 0.3}, {"size": 0.3}, {"label": CLASSES.index("bus")}]
)
def test_where_the_target_was_and_is_not_nothing_changes(change: dict[str, float]) -> None:
    # The exposure is the same, so pixels that show neither target are equal to the last bit.
    one, other = scene_editor.compose(FOX), scene_editor.compose(replace(FOX, **change))
    untouched = (one.scene.mask == 0) & (other.scene.mask == 0)
    assert untouched.mean() > 0.5
    np.testing.assert_array_equal(one.scene.image[untouched], other.scene.image[untouched])
    assert (one.scene.mask != other.scene.mask).any()


def test_more_distractors_leaves_what_was_there() -> None:
    few, more = (
        scene_editor.compose(replace(FOX, distractors=2)),
        scene_editor.compose(replace(FOX, distractors=6)),
    )
    assert more.scene.distractors.sum() > few.scene.distractors.sum()
    same = few.scene.distractors + few.scene.mask >= more.scene.distractors + more.scene.mask
    assert same.mean() > 0.7


def test_the_mask_is_what_a_white_target_leaves_on_black(monkeypatch: pytest.MonkeyPatch) -> None:
    arranged: list[Arrangement] = []

    def kept(*arguments: object) -> Arrangement:
        arranged.append(Arrangement(*arguments))  # type: ignore[arg-type]
        return arranged[-1]

    monkeypatch.setattr(scene_editor, "Arrangement", kept)
    composed = scene_editor.compose(replace(FOX, occlusion=0.4, distractors=8))
    (arrangement,) = arranged
    layers = []
    for number, layer in enumerate(arrangement.layers):
        opacity = layer[..., 3:]
        white = opacity if number == arrangement.target else np.zeros_like(opacity)
        layers.append(np.concatenate([white, white, white, opacity], axis=2))
    black = np.zeros_like(arrangement.background)
    painted = dataclasses.replace(arrangement, background=black, layers=tuple(layers)).composite()
    np.testing.assert_allclose(painted[..., 0], composed.scene.mask, atol=1e-6)


@pytest.mark.parametrize("asked", [0.0, 0.2, 0.4, 0.6])
def test_about_as_much_is_hidden_as_was_asked(asked: float) -> None:
    found = [
        scene_editor.compose(
            SceneSpec(seed, seed % len(CLASSES), "Twitter", 0.5, 0.5, 0.5, 3, asked)
        ).occlusion
        for seed in range(12)
    ]
    assert np.abs(np.array(found) - asked).max() < 0.1


def test_what_hides_the_target_moves_with_it() -> None:
    shares = [
        scene_editor.compose(replace(FOX, occlusion=0.3, cx=cx)).occlusion for cx in (0.4, 0.5, 0.6)
    ]
    assert np.ptp(shares) < 0.03


def test_the_outline_encloses_the_mask() -> None:
    composed = scene_editor.compose(replace(FOX, occlusion=0.3))
    finer = 8
    filled = np.zeros((SIDE * finer, SIDE * finer), np.uint8)
    corners = [np.rint(np.array(p) * SIDE * finer - 0.5).astype(np.int32) for p in composed.outline]
    cv2.fillPoly(filled, corners, 1)  # even-odd: holes stay empty
    inside = cv2.resize(filled.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    target = composed.scene.mask > 0.5
    both, either = ((inside > 0.5) & target).sum(), ((inside > 0.5) | target).sum()
    assert both / either > 0.93


def test_an_outline_is_closed_at_the_edge_of_the_scene() -> None:
    (polygon,) = scene_editor.outline(np.ones((SIDE, SIDE), np.float32))
    expected = sorted([(0, 0), (0, 1), (1, 0), (1, 1)])
    np.testing.assert_allclose(sorted(polygon), expected, atol=0.002)


def test_ones_own_background_is_seen_where_nothing_lies_on_it() -> None:
    own = backdrop(decode((SAMPLES / "espresso.jpg").read_bytes()), SIDE)
    assert own.shape == (SIDE, SIDE, 3)
    bare = replace(FOX, distractors=0)
    scene = scene_editor.compose(bare, own).scene
    background = scene.mask == 0
    correlation = np.corrcoef(
        scene.image[background].ravel().astype(float), own[background].ravel().astype(float)
    )[0, 1]
    drawn = scene_editor.compose(bare).scene
    other = np.corrcoef(
        drawn.image[background].ravel().astype(float), own[background].ravel().astype(float)
    )[0, 1]
    assert correlation > 0.9 > 0.5 > other


def test_a_scene_by_chance_is_like_those_learned_from() -> None:
    for seed in range(40):
        made = scene_editor.chosen_by_chance(seed, "Twitter")
        assert scenes.TARGET_SIZE[0] - 0.03 <= made.size <= scenes.TARGET_SIZE[1] + 0.03
        assert 0 <= min(made.cx, made.cy) <= max(made.cx, made.cy) <= 1
        assert made.occlusion <= scenes.LARGEST_HIDDEN_SHARE
        assert scene_editor.compose(made).scene.mask.sum() > 0.02 * SIDE**2


def test_only_vendors_that_drew_the_class_are_offered() -> None:
    for label, name in enumerate(CLASSES):
        offered = scene_editor.vendors_of(label)
        assert "Twitter" in offered
        for vendor in set(VENDORS) - set(offered):
            assert not of_vendors(vendor).targets[name]
    assert "Mozilla" not in scene_editor.vendors_of(CLASSES.index("sailboat"))
