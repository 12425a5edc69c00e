"""Numbers that tell which map to trust, against hand calculations and another implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from torchvision.transforms.functional import adjust_brightness

from effnet_viz.arrays import Floats
from effnet_viz.metrics import confidence, road, stability
from effnet_viz.metrics.sparseness import gini
from effnet_viz.metrics.stability import CHANGES, SHIFT, Change


def random_map(seed: int, side: int = 16) -> Floats:
    return np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)


def floats(*rows: list[float]) -> Floats:
    return np.array(rows, np.float32)


# Average drop and increase in confidence


def test_a_mask_is_the_positive_evidence_in_parts_of_its_maximum() -> None:
    values = floats([4, -8, 1], [0, 2, -1], [0, 0, 0])
    mask = confidence.evidence_mask(values)
    assert mask.tolist() == [[1, 0, 0.25], [0, 0.5, 0], [0, 0, 0]]
    picture = np.full((3, 3, 3), 8, np.float32)
    assert confidence.masked(picture, mask)[2].tolist() == [[8, 0, 2], [0, 4, 0], [0, 0, 0]]
    assert confidence.evidence_mask(-np.abs(values)).max() == 0
    assert confidence.evidence_mask(np.full((2, 2), 7, np.float32)).tolist() == [[1, 1], [1, 1]]


def test_drop_and_increase_by_hand() -> None:
    assert confidence.average_drop(0.8, 0.2) == pytest.approx(0.75)
    assert confidence.average_drop(0.8, 0.9) == 0
    assert math.isnan(confidence.average_drop(0, 0.1))
    assert confidence.increase_in_confidence(0.8, 0.9)
    assert not confidence.increase_in_confidence(0.8, 0.8)


# ROAD


def filled(picture: Floats, *places: tuple[int, int]) -> Floats:
    """The first colour with these pixels removed; the others are multiples of it."""
    removed = np.zeros(picture.shape, np.bool_)
    for place in places:
        removed[place] = True
    colours = np.stack([picture, 2 * picture, -picture])  # (3, h, w)
    found = road.impute(colours, removed, noise=0)
    np.testing.assert_allclose(found[1], 2 * found[0], rtol=1e-6)
    np.testing.assert_allclose(found[2], -found[0], rtol=1e-6)
    np.testing.assert_array_equal(found[:, ~removed], colours[:, ~removed])
    first: Floats = found[0]
    return first


def test_one_removed_pixel_by_hand() -> None:
    picture = floats([1, 2, 3], [4, 99, 6], [7, 8, 12])
    middle = (2 + 4 + 6 + 8) / 6 + (1 + 3 + 7 + 12) / 12
    assert filled(picture, (1, 1))[1, 1] == pytest.approx(middle)
    # Three neighbours in a corner, which weigh 2, 2 and 1 of 5; at an edge 2, 2, 2, 1, 1 of 8.
    assert filled(picture, (0, 0))[0, 0] == pytest.approx((2 * 2 + 2 * 4 + 99) / 5)
    assert filled(picture, (0, 1))[0, 1] == pytest.approx((2 * (1 + 3 + 99) + 4 + 6) / 8)


def test_removed_neighbours_are_solved_for_together() -> None:
    picture = floats([1, 2, 3], [4, 5, 6], [7, 8, 12])
    # 5 a = 2 b + 2 · 4 + 5 in the corner and 8 b = 2 a + 2 · 3 + 2 · 5 + 4 + 6 beside it.
    a, b = np.linalg.solve([[5, -2], [-2, 8]], [13, 26])
    assert filled(picture, (0, 0), (0, 1))[0, :2] == pytest.approx([a, b])


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_pixels_are_filled_in_as_by_pytorch_grad_cam(share: float) -> None:
    picture = np.random.default_rng(1).normal(size=(3, 16, 16)).astype(np.float32)
    removed = random_map(2) > np.quantile(random_map(2), 1 - share)
    imputer = NoisyLinearImputer(noise=0)
    theirs = imputer(torch.from_numpy(picture), torch.from_numpy(~removed).float())
    ours = road.impute(picture, removed, noise=0)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_noise_is_small_seeded_and_only_where_pixels_were_removed() -> None:
    picture, removed = np.zeros((3, 64, 64), np.float32), random_map(3, 64) > 0
    one, again = (road.impute(picture, removed) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one[:, removed].std() == pytest.approx(road.NOISE, rel=0.05)
    assert one[:, ~removed].max() == 0
    assert (road.impute(picture, removed, seed=1) != one).any()


def test_nothing_or_everything_removed() -> None:
    picture = np.ones((3, 4, 4), np.float32)
    np.testing.assert_array_equal(road.impute(picture, np.zeros((4, 4), np.bool_)), picture)
    with pytest.raises(ValueError, match="All pixels"):
        road.impute(picture, np.ones((4, 4), np.bool_))


def test_the_score_by_hand() -> None:
    assert road.road_score([0.9, 0.7], [0.3, 0.1]) == pytest.approx(0.3)
    assert road.road_score([0, 0], [1, 1]) == -0.5


# Stability


BLACK = np.array([-2, -1, 0.5], np.float32)


@pytest.mark.parametrize("change", CHANGES)
def test_a_map_that_moves_with_the_picture_is_stable(change: Change) -> None:
    images = np.random.default_rng(4).normal(size=(1, 3, 16, 16)).astype(np.float32)

    def seen(x: Floats) -> Floats:
        """A map that looks at each pixel alone."""
        mean: Floats = x[0].mean(axis=0)
        return mean

    after = seen(stability.changed(images, change, BLACK))
    assert stability.stability(seen(images), after, change) == pytest.approx(1, abs=1e-4)
    assert stability.stability(seen(images), -after, change) == pytest.approx(-1, abs=1e-4)


def test_a_map_that_stays_where_it_was_is_not_stable_under_movement() -> None:
    values = random_map(5, 64)
    assert stability.stability(values, values, "brightness") == pytest.approx(1)
    for change in ("shift", "flip"):
        assert abs(stability.stability(values, values, change)) < 0.1


def test_changes_by_hand() -> None:
    image = np.arange(3 * 36, dtype=np.float32).reshape(1, 3, 6, 6)
    flipped, shifted = stability.flipped(image), stability.shifted(image)
    assert flipped[0, 0, 0].tolist() == [5, 4, 3, 2, 1, 0]
    assert shifted[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 1]
    assert shifted[0, 0, 5].tolist() == [6, 6, 6, 6, 6, 7]
    np.testing.assert_array_equal(shifted[..., SHIFT:, SHIFT:], image[..., :-SHIFT, :-SHIFT])
    brighter = stability.brighter(image, BLACK)
    assert brighter[0, 0, 0, 1] == pytest.approx(1.1 * (1 + 2) - 2)
    assert brighter[0, 2, 0, 0] == pytest.approx(1.1 * (72 - 0.5) + 0.5)
    for made in (flipped, shifted, brighter):
        assert made.dtype == np.float32
        assert made.flags.c_contiguous


def test_brighter_is_torchvisions_before_it_is_normalised() -> None:
    """Below white, where torchvision cuts off."""
    pixels = np.random.default_rng(6).random((1, 3, 8, 8)).astype(np.float32) * np.float32(0.9)
    mean, std = (
        np.array(of, np.float32).reshape(1, 3, 1, 1) for of in ((0.4, 0.5, 0.6), (0.2,) * 3)
    )
    theirs = adjust_brightness(torch.from_numpy(pixels), stability.BRIGHTER).numpy()
    ours = stability.brighter((pixels - mean) / std, (-mean / std).ravel())
    np.testing.assert_allclose(ours, (theirs - mean) / std, atol=1e-5)


# Sparseness


def test_the_gini_index_by_hand() -> None:
    assert gini(np.ones((4, 4), np.float32)) == pytest.approx(0)
    one = np.zeros((4, 4), np.float32)
    one[1, 2] = -3
    assert gini(one) == pytest.approx(1 - 1 / 16)
    # Half of all pairs' mean distance over the mean: (1 + 2 + 3 + 1 + 2 + 1) · 2 / 16 / 2 / 1.5
    assert gini(floats([0, -3], [1, 2])) == pytest.approx(10 / 16 / 1.5)
    assert math.isnan(gini(np.zeros((3, 3), np.float32)))


def test_the_gini_index_is_half_the_relative_mean_distance_of_two_cells() -> None:
    values = random_map(7)
    magnitudes = np.abs(values.ravel()).astype(np.float64)
    distances = np.abs(magnitudes[:, None] - magnitudes[None, :]).mean()
    assert gini(values) == pytest.approx(distances / 2 / magnitudes.mean())
    assert gini(values) == pytest.approx(gini(-7 * values))


def test_the_gini_index_of_noise_is_what_the_docstring_says() -> None:
    random = np.random.default_rng(8)
    assert gini(random.random((300, 300)).astype(np.float32)) == pytest.approx(1 / 3, abs=0.01)
    assert gini(random_map(8, 300)) == pytest.approx(0.41, abs=0.01)
