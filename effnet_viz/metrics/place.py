"""Where the part that holds half of the positive evidence lies: a map in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats, covered, positive_evidence
from effnet_viz.metrics.concentration import half_of_the_evidence


@dataclass(frozen=True)
class AxisPlace:
    """Where evidence lies along one side of a map: 0 is its left or upper end, 1 the other."""

    centre: float
    """Mean position, 0 to 1; 1/2 for an even map."""
    spread: float
    """Standard deviation of the position, 0 to 1/2; 0.289 for an even map."""
    first_half: float
    """Share before the middle, 0 to 1; the rest lies after it."""
    first_quarter: float
    """Share in the first quarter, 0 to 1."""
    last_quarter: float
    """Share in the last quarter, 0 to 1."""


@dataclass(frozen=True)
class Place:
    """Where the part of a map that holds half of its positive evidence lies."""

    x: AxisPlace
    """From left to right."""
    y: AxisPlace
    """From top to bottom."""
    inner: float
    """Share in the square in the middle whose side is half the map's, 0 to 1; 1/4 for an even map.
    """


def place(values: Floats) -> Place | None:
    """Where half of the positive evidence of a map (h, w) lies; None when there is none.

    Cells weigh what they hold, E = max(0, map), in the fewest cells that hold half of it (see
    half_of_the_evidence): centre = Σ x·E / Σ E, spread = √(Σ (x - centre)²·E / Σ E). Of cells that
    are equal, when not all are needed, each counts in part, so that no place comes from their
    order. Cells that a line through the map cuts count in part on both sides.
    """
    half = half_of_the_evidence(values)  # (h, w)
    if not half.any():
        return None
    lowest = values == values[half].min()  # (h, w)
    part = np.float32((half & lowest).sum() / lowest.sum())
    held = positive_evidence(values) * np.where(lowest, part, half)  # (h, w)
    total = float(held.sum(dtype=np.float64))
    shares = held.astype(np.float64) / total  # (h, w)
    rows, columns = (covered(0.25, 0.75, cells) for cells in values.shape)  # (h,), (w,)
    return Place(
        _along(shares.sum(axis=0)), _along(shares.sum(axis=1)), float(rows @ shares @ columns)
    )


def _along(shares: NDArray[np.float64]) -> AxisPlace:
    """Of shares along an axis, (n,), which sum to 1."""
    cells = len(shares)
    positions = (np.arange(cells) + 0.5) / cells  # (n,)
    centre = float(positions @ shares)
    return AxisPlace(
        centre,
        float(np.sqrt((positions - centre) ** 2 @ shares)),
        *(float(covered(*part, cells) @ shares) for part in ((0.0, 0.5), (0.0, 0.25), (0.75, 1.0))),
    )
