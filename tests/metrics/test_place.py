"""Where evidence lies, on maps whose numbers one can do by hand."""

from __future__ import annotations

import numpy as np
import pytest

from effnet_viz.metrics.place import place


def test_one_cell() -> None:
    """The third of eight across, the last of four down."""
    values = np.full((4, 8), -1, np.float32)
    values[3, 2] = 5
    found = place(values)
    assert found is not None
    assert (found.x.centre, found.y.centre) == (2.5 / 8, 3.5 / 4)
    assert (found.x.spread, found.y.spread) == (0, 0)
    assert (found.x.first_half, found.x.first_quarter, found.x.last_quarter) == (1, 0, 0)
    assert (found.y.first_half, found.y.first_quarter, found.y.last_quarter) == (0, 0, 1)
    assert found.inner == 0


def test_two_cells_weigh_what_they_hold() -> None:
    """3 at the left end and 1 at the right one, but half of the evidence is the 3 alone."""
    values = np.array([[3, 0, 0, 1]], np.float32)
    found = place(values)
    assert found is not None
    assert found.x.centre == 0.125
    values = np.array([[3, 0, 0, 3.5]], np.float32)  # 3.5 is half already
    found = place(values)
    assert found is not None
    assert found.x.centre == 0.875
    values = np.array([[3, 0, 3.5, 2]], np.float32)  # 3.5 and 3 are needed
    found = place(values)
    assert found is not None
    left, right = 3 / 6.5, 3.5 / 6.5
    assert found.x.centre == pytest.approx(left * 0.125 + right * 0.625)
    assert found.x.spread == pytest.approx(np.sqrt(left * right) * 0.5)
    assert found.x.first_half == pytest.approx(left)


def test_cells_that_a_line_cuts_count_in_part() -> None:
    """The middle one of three: half before the middle; the inner half holds three quarters of it
    across and of the only row half."""
    values = np.array([[0, 1, 0]], np.float32)
    found = place(values)
    assert found is not None
    assert found.x.first_half == pytest.approx(0.5)
    assert found.inner == pytest.approx(1 * 0.5)


def test_equal_cells_count_alike() -> None:
    """Half of the evidence needs two of the four corners, and no two of them come first."""
    values = np.zeros((5, 5), np.float32)
    values[[0, 0, -1, -1], [0, -1, 0, -1]] = 1
    found = place(values)
    assert found is not None
    assert (found.x.first_half, found.y.first_half) == (0.5, 0.5)
    assert (found.x.centre, found.y.centre) == (0.5, 0.5)
    values[2, 2] = 1.5  # needed first; of the corners, one and a half and more are needed
    found = place(values)
    assert found is not None
    assert found.inner == pytest.approx(1.5 / (1.5 + 2))


def test_mirrored_maps_have_mirrored_places() -> None:
    values = np.random.default_rng(0).normal(size=(12, 16)).astype(np.float32)
    one, other, turned = place(values), place(values[:, ::-1]), place(values.T)
    assert one is not None
    assert other is not None
    assert turned is not None
    assert other.x.centre == pytest.approx(1 - one.x.centre)
    assert other.x.first_half == pytest.approx(1 - one.x.first_half)
    assert other.x.first_quarter == pytest.approx(one.x.last_quarter)
    assert (other.y.centre, other.inner) == pytest.approx((one.y.centre, one.inner))
    assert (turned.x.centre, turned.y.spread) == pytest.approx((one.y.centre, one.x.spread))


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), -1.0)])
def test_no_place_without_positive_evidence(values: np.ndarray) -> None:
    assert place(values.astype(np.float32)) is None
