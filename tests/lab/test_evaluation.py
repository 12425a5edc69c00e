"""Looking, references, sizes, intervals: against one-scene code and hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from effnet_viz.arrays import Placement
from effnet_viz.attribution import cam as formulas
from effnet_viz.lab import evaluation, networks, scenes
from effnet_viz.lab.evaluation import SceneSet
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.sprites import CLASSES, of_vendors
from effnet_viz.metrics.intervals import paired_interval


@pytest.fixture(scope="module")
def few() -> SceneSet:
    return SceneSet.make(of_vendors("Twitter"), scenes.UNSEEN, 6)


@pytest.mark.parametrize("key", ["baseline", "compound"])
def test_a_batch_of_scenes_equals_the_formulas_on_each(few: SceneSet, key: str) -> None:
    resolution = SCALINGS[key].resolution
    engine = evaluation.as_engine(networks.build(SCALINGS[key]))
    assert engine.head is not None
    maps = evaluation.explain_on_batch(engine, resolution, few)
    for number, label in enumerate(few.labels.tolist()):
        image = networks.preprocess(torch.from_numpy(few.images[number][None]), resolution)
        seen = engine.forward(image.contiguous().numpy())
        assert maps.answers[number] == seen.logits.argmax()
        cam = formulas.class_activation_map(seen.stages[9], engine.head.weight[[label]])
        np.testing.assert_allclose(maps.cam[number], cam[0], atol=1e-5)
        gradient = engine.gradient(seen.stages[6], 6, [label])
        grad_cam = formulas.grad_cam(seen.stages[6], gradient)
        np.testing.assert_allclose(maps.grad_cam[number], grad_cam[0], rtol=1e-3, atol=1e-6)


def test_references_by_hand(few: SceneSet) -> None:
    masks = few.masks
    measured = {
        name: evaluation.score_maps(maps, Placement.even(scenes.SIDE), few).values
        for name, maps in evaluation.references(masks).items()
    }
    # A uniform map spends on the object what the object's share of the scene is.
    assert measured["uniform"]["energy"] == pytest.approx(masks.mean(axis=(1, 2)), rel=1e-4)
    assert measured["uniform"]["coverage"] == pytest.approx(np.ones(6))
    # The dot is the four pixels around the centre.
    middle = slice(scenes.SIDE // 2 - 1, scenes.SIDE // 2 + 1)
    dot = masks[:, middle, middle].mean(axis=(1, 2))
    assert measured["centre_dot"]["energy"] == pytest.approx(dot, abs=1e-5)
    # The mask finds itself.
    for name in ("pointing_game", "iou_best_threshold", "coverage", "pooled_energy_of_ceiling"):
        assert measured["mask"][name] == pytest.approx(np.ones(6), abs=0.01), name
    squares = (masks**2).sum(axis=(1, 2)) / masks.sum(axis=(1, 2))  # less than 1 at soft edges
    assert measured["mask"]["energy"] == pytest.approx(squares, rel=1e-4)
    # A Gaussian of a quarter of the scene: e^(-1/2) that far from the centre.
    gaussian = evaluation.references(np.zeros((1, 129, 129), np.float32))["centre_gaussian"][0]
    assert gaussian[64, 64] == 1
    assert gaussian[64, 0] == pytest.approx(np.exp(-0.5 * (64 / 129 / 0.25) ** 2), rel=1e-5)


def test_size_groups_are_thirds_by_visible_area() -> None:
    areas = [5, 1, 9, 3, 7, 2]
    masks = np.zeros((6, 1, 9), np.float32)
    for mask, area in zip(masks, areas, strict=True):
        mask[0, :area] = 1
    assert evaluation.size_groups(masks).tolist() == [1, 0, 2, 1, 2, 0]


def test_the_interval_of_a_constant_difference_is_the_constant() -> None:
    labels = np.arange(240) % len(CLASSES)
    assert paired_interval([np.full(240, 0.25)], [labels], 24) == pytest.approx((0.25, 0.25, 0.25))


def test_the_interval_draws_whole_classes() -> None:
    # Scenes of a class are alike, so drawing single scenes would make the interval far too narrow.
    labels = np.arange(2400) % len(CLASSES)
    by_class = np.random.default_rng(3).normal(size=len(CLASSES))
    mean, low, high = paired_interval([by_class[labels]], [labels], 24)
    assert mean == pytest.approx(by_class.mean())
    half_width = 1.96 * by_class.std() / np.sqrt(len(CLASSES))
    assert (high - low) / 2 == pytest.approx(half_width, rel=0.1)


def test_runs_count_alike_in_the_interval_whatever_their_number_of_scenes() -> None:
    few, many = np.arange(24), np.arange(240) % 24
    mean, low, high = paired_interval([np.zeros(24), np.ones(240)], [few, many], 24)
    assert (mean, low, high) == pytest.approx((0.5, 0.5, 0.5))
