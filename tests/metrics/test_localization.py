"""Measures of maps against masks, by hand on tiny grids."""

from __future__ import annotations

import numpy as np
import pytest

from effnet_viz.arrays import Floats, Placement, area_mean, block_mean, blocks, tile_mean
from effnet_viz.metrics import localization

# One scene of 4 × 4 pixels: the object is the left half, 8 pixels.
MASK = np.zeros((1, 4, 4), np.float32)
MASK[:, :, :2] = 1


def of(rows: list[list[float]]) -> Floats:
    return np.array([rows], np.float32)


# Evidence on two pixels of the object, one beside it, and against the class in a corner.
MAP = of([[4, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, -9]])


def test_energy_is_the_share_of_positive_evidence_on_the_object() -> None:
    evidence = localization.enlarge_evidence(MAP, Placement.even(4), 4)
    assert localization.energy_pointing_game(evidence, MASK) == pytest.approx([6 / 8])
    assert localization.energy_pointing_game(evidence, 1 - MASK) == pytest.approx([2 / 8])
    assert localization.energy_pointing_game(evidence, MASK / 2) == pytest.approx(
        [3 / 8]
    )  # a half-covered edge


def test_the_pointing_game_asks_for_the_largest_value() -> None:
    assert localization.pointing(MAP, MASK) == pytest.approx([1])
    assert localization.pointing(MAP[:, :, ::-1].copy(), MASK) == pytest.approx([0])


def test_overlap_and_coverage_by_hand() -> None:
    evidence = localization.enlarge_evidence(MAP, Placement.even(4), 4)
    # From half of the maximum up: three pixels, two of them among the object's eight.
    assert localization.mask_iou(evidence, MASK, 0.5) == pytest.approx([2 / 9])
    assert localization.recall(evidence, MASK, 0.5) == pytest.approx([2 / 8])
    # Above: only the maximum is left.
    assert localization.mask_iou(evidence, MASK, 0.75) == pytest.approx([1 / 8])
    assert localization.recall(evidence, MASK, 0.75) == pytest.approx([1 / 8])


def test_enlarging_is_bilinear_between_centres_of_cells() -> None:
    # Two cells that tile four pixels have their centres at 1 and 3.
    larger = localization.enlarge_evidence(of([[0, 4], [0, 4]]), Placement.even(2), 4)
    np.testing.assert_allclose(larger[0], [[0, 1, 3, 4]] * 4)
    # With padding on both sides a stride of two has them at 0.5 and 2.5: at the middle of pixels.
    larger = localization.enlarge_evidence(of([[0, 4], [0, 4]]), Placement(0.5 / 4, 2 / 4), 4)
    np.testing.assert_allclose(larger[0], [[0, 2, 4, 4]] * 4)


def test_only_positive_evidence_is_enlarged() -> None:
    np.testing.assert_array_equal(
        localization.enlarge_evidence(of([[-1, -1], [-1, 3]]), Placement.even(2), 2)[0],
        [[0, 0], [0, 3]],
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
    own, tiling = area_mean(mask, 6, 6), Placement.even(6)
    reached = localization.energy_pointing_game(
        localization.enlarge_evidence(area_mean(own, 4, 4), Placement.even(4), 12), mask
    )
    assert localization.upper_bound(mask, tiling, 6, 4) == pytest.approx(reached)
    four = Placement.even(4)
    assert localization.upper_bound(mask, four, 4, 4) == pytest.approx(
        localization.upper_bound(mask, four, 4)
    )


# Three cells over 12 pixels, as padding on both sides places them: at 0.5, 4.5 and 8.5, so that
# pixels 0 to 2.5, 2.5 to 6.5 and 6.5 to 12 are nearest to them.
THREE = Placement(0.5 / 12, 4 / 12)


def test_a_mask_is_held_by_the_cells_that_are_nearest_to_it() -> None:
    mask = np.zeros((1, 12, 12), np.float32)
    mask[:, :, 2:4] = 1
    held = block_mean(mask, THREE, 3)  # (1, 3, 3)
    np.testing.assert_allclose(held[0], [[0.5 / 2.5, 1.5 / 4, 0]] * 3, rtol=1e-6)
    np.testing.assert_allclose(block_mean(mask, Placement.even(3), 3), area_mean(mask, 3, 3))


def test_maps_on_different_grids_are_averaged_to_the_same_places() -> None:
    """Pixels drawn as blocks, then averaged in squares: the same, whatever the grid was."""
    random = np.random.default_rng(0)
    for cells, at in ((3, THREE), (4, Placement.even(4)), (9, Placement(3.5 / 260, 32 / 260))):
        values = random.normal(size=(2, cells, cells)).astype(np.float32)
        pixels = blocks(values, at, 3120, 3120)  # (2, 3120, 3120): every end of a block is an edge
        squares = pixels.reshape(2, 4, 780, 4, 780).mean(axis=(2, 4), dtype=np.float64)
        np.testing.assert_allclose(tile_mean(values, at, 4), squares, atol=1e-5)
    np.testing.assert_allclose(tile_mean(MAP, Placement.even(4), 2), area_mean(MAP, 2, 2))


def test_a_map_at_its_true_place_has_its_evidence_on_the_object() -> None:
    """One cell in the middle of the object; taken for a tile of the scene, it lies half beside."""
    mask = np.zeros((1, 12, 12), np.float32)
    mask[:, 2:7, 2:7] = 1
    found = of([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    on_object = [
        localization.energy_pointing_game(localization.enlarge_evidence(found, at, 12), mask)[0]
        for at in (THREE, Placement.even(3))
    ]
    # Its tent is 4 pixels wide to both sides: at pixels 1 to 8, 1/4, 2/4, 3/4, 1, 3/4, 2/4, 1/4.
    assert on_object[0] == pytest.approx((3.5 / 4) ** 2)
    assert on_object[1] < 0.75 * on_object[0]


def test_equal_largest_values_share_the_point() -> None:
    assert localization.pointing(np.ones((1, 4, 4), np.float32), MASK) == pytest.approx([1 / 2])
    assert localization.pointing(np.zeros((1, 4, 4), np.float32), MASK) == pytest.approx([0])


def test_the_ceiling_is_the_energy_of_the_mask_on_the_grid() -> None:
    # Two cells hold the left half; enlarged, columns are 1, 3/4, 1/4, 0: 7/8 lies on the object.
    bounds = [localization.upper_bound(MASK, Placement.even(cells), cells) for cells in (2, 4, 1)]
    assert bounds[0] == pytest.approx([(1 + 0.75) / 2])
    assert bounds[1] == pytest.approx([1])
    assert bounds[2] == pytest.approx([0.5])  # one cell knows no place
    # Cells at 0.5 and 2.5: the second holds half a pixel of its 2.5. Columns: 1, 0.6, 0.2, 0.2.
    bound = localization.upper_bound(MASK, Placement(0.5 / 4, 2 / 4), 2)
    assert bound == pytest.approx([1.6 / 2])


def test_a_map_without_evidence_scores_nothing() -> None:
    against = -np.ones((1, 2, 2), np.float32)
    nothing = localization.enlarge_evidence(against, Placement.even(2), 4)
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
