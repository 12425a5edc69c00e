"""How alike maps are, and when one hardly changes, against loops and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from effnet_viz.arrays import Floats
from effnet_viz.metrics.agreement import rank_correlation
from effnet_viz.metrics.sanity import hardly_changes, structural_similarity


def random_map(seed: int, side: int = 12) -> Floats:
    return np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)


def slow(one: Floats, other: Floats) -> float:
    """Equation 13 of Wang et al. 2004, written out for every cell."""
    height, width = one.shape
    weights = {
        (i, j): math.exp(-(i * i + j * j) / (2 * 1.5**2))
        for i in range(-5, 6)
        for j in range(-5, 6)
    }
    total = sum(weights.values())

    def mirrored(place: int, cells: int) -> int:
        place %= 2 * cells
        return place if place < cells else 2 * cells - 1 - place

    x, y = (((m - m.min()) / (m.max() - m.min())).astype(float).tolist() for m in (one, other))
    found = []
    for row in range(height):
        for column in range(width):
            cells = [
                (weight / total, mirrored(row + i, height), mirrored(column + j, width))
                for (i, j), weight in weights.items()
            ]
            mx = sum(w * x[i][j] for w, i, j in cells)
            my = sum(w * y[i][j] for w, i, j in cells)
            sxx = sum(w * (x[i][j] - mx) ** 2 for w, i, j in cells)
            syy = sum(w * (y[i][j] - my) ** 2 for w, i, j in cells)
            sxy = sum(w * (x[i][j] - mx) * (y[i][j] - my) for w, i, j in cells)
            c1, c2 = 0.01**2, 0.03**2
            found.append(
                (2 * mx * my + c1) * (2 * sxy + c2)
                / ((mx * mx + my * my + c1) * (sxx + syy + c2))
            )  # fmt: skip
    return sum(found) / len(found)


@pytest.mark.parametrize("side", [12, 4])
def test_structural_similarity_against_written_out_loops(side: int) -> None:
    one = random_map(0, side)
    for other in (random_map(1, side), one + random_map(2, side)):
        assert structural_similarity(one, other) == pytest.approx(slow(one, other), abs=1e-5)


def test_structural_similarity_of_equal_maps_is_one_in_any_unit() -> None:
    one = random_map(0)
    assert structural_similarity(one, one) == pytest.approx(1)
    assert structural_similarity(one, 30 * one - 7) == pytest.approx(1, abs=1e-4)
    assert structural_similarity(one, -one) < 0
    assert abs(structural_similarity(random_map(0, 60), random_map(1, 60))) < 0.1


def test_a_flat_map_is_like_nothing() -> None:
    assert math.isnan(structural_similarity(random_map(0), np.zeros((12, 12), np.float32)))
    assert math.isnan(structural_similarity(np.ones((12, 12), np.float32), random_map(0)))
    with pytest.raises(ValueError, match="cannot be compared"):
        structural_similarity(random_map(0), random_map(0, 5))


def test_hardly_changes_by_hand() -> None:
    assert hardly_changes([1, 0, 0, 0.6, 0.6, 0.6])
    assert not hardly_changes([1, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5])  # not above a half
    assert hardly_changes([1, 0, 0.9, 0.1, 0.6])
    assert not hardly_changes([1, 0, 0.9, 0.1, 0.4])
    assert hardly_changes([1, 0, -0.9, 0.9, -0.9])  # the sign is free
    assert hardly_changes([1, 0.6])
    assert not hardly_changes([1, 0.4])  # position 0 does not count
    assert not hardly_changes([1, 1, math.nan, math.nan, 1])
    with pytest.raises(ValueError, match="at least one random position"):
        hardly_changes([1])


@pytest.mark.parametrize(
    ("sigma", "mean", "above"),
    [(0.0, 0.12, (0, 0)), (1.0, 0.23, (0, 0.01)), (1.5, 0.35, (0.1, 0.2))],
)
def test_unrelated_maps_are_as_alike_as_the_docstring_says(
    sigma: float, mean: float, above: tuple[float, float]
) -> None:
    generator = np.random.default_rng(0)

    def smooth() -> Floats:
        noise = generator.normal(size=(7, 7))
        return ndimage.gaussian_filter(noise, sigma, mode="reflect").astype(np.float32)

    curves = [[1.0, *(rank_correlation(smooth(), smooth()) for _ in range(3))] for _ in range(160)]
    assert np.abs([curve[1:] for curve in curves]).mean() == pytest.approx(mean, abs=0.02)
    fewest, most = above
    assert fewest <= np.mean([hardly_changes(curve) for curve in curves]) <= most
