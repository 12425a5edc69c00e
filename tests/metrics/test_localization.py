"""Measures of maps against masks, by hand on tiny grids."""

from __future__ import annotations

import numpy as np
import pytest

from effnet_viz.arrays import Floats, area_mean
from effnet_viz.metrics import localization

# One scene of 4 × 4 pixels: the object is the left half, 8 pixels.
MASK = np.zeros((1, 4, 4), np.float32)
MASK[:, :, :2] = 1


def of(rows: list[list[float]]) -> Floats:
    return np.array([rows], np.float32)


# Evidence on two pixels of the object, one beside it, and against the class in a corner.
MAP = of([[4, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, -9]])


def test_energy_is_the_share_of_positive_evidence_on_the_object() -> None:
    evidence = localization.enlarge_evidence(MAP, 4)
    assert localization.energy_pointing_game(evidence, MASK) == pytest.approx([6 / 8])
    assert localization.energy_pointing_game(evidence, 1 - MASK) == pytest.approx([2 / 8])
    assert localization.energy_pointing_game(evidence, MASK / 2) == pytest.approx(
        [3 / 8]
    )  # a half-covered edge


def test_the_pointing_game_asks_for_the_largest_value() -> None:
    assert localization.pointing(MAP, MASK) == pytest.approx([1])
    assert localization.pointing(MAP[:, :, ::-1].copy(), MASK) == pytest.approx([0])


def test_overlap_and_coverage_by_hand() -> None:
    evidence = localization.enlarge_evidence(MAP, 4)
    # From half of the maximum up: three pixels, two of them among the object's eight.
    assert localization.mask_iou(evidence, MASK, 0.5) == pytest.approx([2 / 9])
    assert localization.recall(evidence, MASK, 0.5) == pytest.approx([2 / 8])
    # Above: only the maximum is left.
    assert localization.mask_iou(evidence, MASK, 0.75) == pytest.approx([1 / 8])
    assert localization.recall(evidence, MASK, 0.75) == pytest.approx([1 / 8])


def test_enlarging_is_bilinear_between_centres_of_cells() -> None:
    # Centres of two cells lie at pixels 0.5 and 2.5 of four.
    larger = localization.enlarge_evidence(of([[0, 4], [0, 4]]), 4)
    np.testing.assert_allclose(larger[0], [[0, 1, 3, 4]] * 4)


def test_only_positive_evidence_is_enlarged() -> None:
    np.testing.assert_array_equal(
        localization.enlarge_evidence(of([[-1, -1], [-1, 3]]), 2)[0], [[0, 0], [0, 3]]
    )


def test_pooling_keeps_signs() -> None:
    coarse = area_mean(MAP, 2, 2)
    np.testing.assert_allclose(coarse[0], [[6 / 4, 0], [0, (2 - 9) / 4]])


def test_cells_that_an_edge_cuts_count_in_part() -> None:
    # Three cells on two: the middle one is halved. Sums are kept, up to the number of cells.
    row = of([[6, 0, 3]] * 3)
    np.testing.assert_allclose(area_mean(row, 2, 2)[0], [[4, 2]] * 2)
    # Six on four: each coarse cell is one and a half wide.
    ramp = of([[0, 1, 2, 3, 4, 5]] * 6)
    expected = [(0 + 1 / 2) / 1.5, (1 / 2 + 2) / 1.5, (3 + 4 / 2) / 1.5, (4 / 2 + 5) / 1.5]
    np.testing.assert_allclose(area_mean(ramp, 4, 4)[0], [expected] * 4, rtol=1e-6)
    values = np.random.default_rng(0).normal(size=(2, 6, 6)).astype(np.float32)
    np.testing.assert_allclose(
        area_mean(values, 4, 4).mean(axis=(1, 2)), values.mean(axis=(1, 2)), atol=1e-6
    )


def test_the_ceiling_of_a_pooled_map_is_that_of_its_own_grid() -> None:
    mask = np.zeros((1, 12, 12), np.float32)
    mask[:, :2, :2] = 1  # exactly one cell of six, more than half a cell of four
    own = area_mean(mask, 6, 6)
    reached = localization.energy_pointing_game(
        localization.enlarge_evidence(area_mean(own, 4, 4), 12), mask
    )
    assert localization.upper_bound(mask, 6, 4) == pytest.approx(reached)
    assert localization.upper_bound(mask, 4, 4) == pytest.approx(localization.upper_bound(mask, 4))


def test_equal_largest_values_share_the_point() -> None:
    assert localization.pointing(np.ones((1, 4, 4), np.float32), MASK) == pytest.approx([1 / 2])
    assert localization.pointing(np.zeros((1, 4, 4), np.float32), MASK) == pytest.approx([0])


def test_the_ceiling_is_the_energy_of_the_mask_on_the_grid() -> None:
    # Two cells hold the left half; enlarged, columns are 1, 3/4, 1/4, 0: 7/8 lies on the object.
    assert localization.upper_bound(MASK, 2) == pytest.approx([(1 + 0.75) / 2])
    assert localization.upper_bound(MASK, 4) == pytest.approx([1])
    assert localization.upper_bound(MASK, 1) == pytest.approx([0.5])  # one cell knows no place


def test_a_map_without_evidence_scores_nothing() -> None:
    nothing = localization.enlarge_evidence(-np.ones((1, 2, 2), np.float32), 4)
    assert localization.energy_pointing_game(nothing, MASK) == pytest.approx([0])
    assert localization.pointing(nothing, MASK) == pytest.approx([0])
    assert localization.mask_iou(nothing, MASK, 0.2) == pytest.approx([0])
    assert localization.recall(nothing, MASK, 0.2) == pytest.approx([0])


def test_correlation_is_numpys() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 5, 3, 3)).astype(np.float32)
    expected = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(one, other, strict=True)]
    assert localization.correlation(one, other) == pytest.approx(expected)
    assert localization.correlation(np.ones((1, 2, 2), np.float32), one[:1, :2, :2]) == [0]
