"""The numbers of a map against a mask, by hand and on a network."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PIL import Image

import effnet_viz
from effnet_viz import scenes
from effnet_viz.analysis.localized import localization, seen_of
from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.records import Crop


@pytest.fixture(scope="module")
def cam() -> Attribution:
    """Of a real network; tests put values of their own into it."""
    explained = effnet_viz.analyse(Image.new("RGB", (448, 448), "grey"), effnet_viz.load("lite0"))
    return explained.attribute("cam")


def made(cam: Attribution, values: Any, crop: Crop) -> Attribution:
    grid: Floats = np.array(values, np.float32)
    return dataclasses.replace(cam, values=grid, placement=Placement.even(len(grid)), crop=crop)


def test_by_hand(cam: Attribution) -> None:
    # Cells as large as the mask's pixels: nothing is interpolated.
    values = np.zeros((14, 14))
    values[0, 0], values[0, 1], values[13, 13] = 3, 1, -5
    mask = np.zeros((14, 14))
    mask[0, 0] = 1
    crop = Crop((14, 14), (0, 0, 14, 14), 14)
    found = localization(made(cam, values, crop), mask)
    assert found.area == pytest.approx(1 / 196)
    assert found.energy == pytest.approx(3 / 4)  # negative evidence does not count
    assert found.upper_bound == pytest.approx(1)
    assert found.hit == 1
    assert found.recall == 1
    assert found.iou == pytest.approx(1 / 2)  # 1 is more than a fifth of 3


def test_only_what_the_network_saw_counts(cam: Attribution) -> None:
    crop = Crop((28, 14), (14, 0, 28, 14), 14)
    mask = np.zeros((14, 28))
    mask[:, :14] = 1  # all of it outside
    found = localization(made(cam, np.ones((14, 14)), crop), mask)
    assert (found.area, found.energy, found.recall) == (0, 0, 0)
    mask[:, 14:21] = 1
    found = localization(made(cam, np.ones((14, 14)), crop), mask)
    assert found.area == found.energy == pytest.approx(1 / 2)


def test_a_mask_of_a_cut_edge_is_cut_in_the_same_place(cam: Attribution) -> None:
    crop = Crop((100, 100), (10.5, 10.5, 89.5, 89.5), 79)
    mask = np.zeros((100, 100))
    mask[10] = mask[:, 10] = 1  # half of this pixel was seen
    seen = seen_of(made(cam, np.ones((7, 7)), crop), mask)
    assert seen.shape == (79, 79)
    assert seen[0, 40] == pytest.approx(0.5)
    assert seen[1:, 1:].max() == 0


def test_a_mask_of_another_shape_is_refused(cam: Attribution) -> None:
    with pytest.raises(ValueError, match="must have the photograph's shape"):
        localization(cam, np.zeros((100, 200)))


def test_a_network_finds_a_tiger() -> None:
    scene = scenes.make("tiger-walking", seed=1, size=0.6)
    analysis = effnet_viz.analyse(Image.fromarray(scene.image), effnet_viz.load("lite0"), "tiger")
    found = effnet_viz.localization(analysis.attribute("cam"), scene.masks[0])
    assert found.energy > 2 * found.area
    assert found.energy <= found.upper_bound <= 1
    assert found.hit == 1
