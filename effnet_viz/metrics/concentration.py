"""How concentrated the positive evidence of one map is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from effnet_viz.arrays import Floats, Mask, descending, first_cells


@dataclass(frozen=True)
class Concentration:
    """How concentrated the positive evidence of a map is."""

    area: float
    """Smallest part of the area that holds half of it, 0 to 1; an even map has 0.5."""
    regions: int
    """Separate regions in that part; cells that touch at a corner are one region."""
    border: float
    """Its mean distance to the nearest edge: 0 at the edge, 1 in the middle; an even map 1/3."""


def half_of_the_evidence(values: Floats) -> Mask:
    """The fewest cells, (h, w), that hold at least half of the positive evidence."""
    positive = np.maximum(values, 0).ravel().astype(np.float64)  # (h·w,)
    order = descending(values)  # (h·w,)
    held = np.cumsum(positive[order])  # (h·w,)
    needed = int(np.searchsorted(held, held[-1] / 2)) + 1 if held[-1] > 0 else 0
    return first_cells(order, needed, values.shape)


def concentration(values: Floats) -> Concentration:
    """Area, regions and distance to the border of a map (h, w); see Concentration.

    Its cells tile what was seen: a map of a stage is resampled first.
    """
    mask = half_of_the_evidence(values)  # (h, w)
    if not mask.any():
        return Concentration(float("nan"), 0, float("nan"))
    _, regions = ndimage.label(mask, structure=np.ones((3, 3)))
    height, width = values.shape
    y = (np.arange(height)[:, None] + 0.5) / height  # (h, 1)
    x = (np.arange(width)[None, :] + 0.5) / width  # (1, w)
    to_edge = 2 * np.minimum(np.minimum(y, 1 - y), np.minimum(x, 1 - x))  # (h, w)
    border = float(np.average(to_edge, weights=np.maximum(values, 0)))
    return Concentration(float(mask.mean()), int(regions), border)
