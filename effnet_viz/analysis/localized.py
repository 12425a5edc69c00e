"""How much of a map lies on a thing whose outline is known to the pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats, Placement, part_mean, tile_mean
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.metrics import localization as metrics

COMMON_GRID = 7
"""Cells a side of the grid on which maps of different networks are compared: that of an
EfficientNet's last stage at 224 pixels, the coarsest of those that are shipped."""


@dataclass(frozen=True)
class Localization:
    """How well a map fits a mask; see metrics.localization. All but `hit` are shares, 0 to 1.

    Only what the network saw counts. Without any positive evidence all are 0; where nothing of
    the mask was seen, all but the ceilings' ratios are 0 as well.
    """

    area: float
    """Share of what was seen that the mask takes: the energy of a map that is the same all over."""
    energy: float
    """Share of the positive evidence on the thing."""
    upper_bound: float
    """The energy of a perfect map on this grid."""
    common_energy: float
    """The energy of the map's means on the common grid."""
    common_upper_bound: float
    """The energy of a perfect map's means on the common grid."""
    hit: float
    """1 where the largest value lies on the thing, else 0; see metrics.localization.pointing."""
    recall: float
    """Share of the thing in the region of strong evidence."""
    iou: float
    """Of the region of strong evidence and the thing: intersection over union."""


def localization(attribution: Attribution, mask: NDArray[np.generic]) -> Localization:
    """A map against a mask (H, W) of the photograph, 0 to 1, at any resolution.

    Strong is what is at least metrics.localization.FIXED_THRESHOLD of the map's largest value.
    Raises ValueError for a mask of another shape than the photograph's.
    """
    values, placement = attribution.values, attribution.placement  # (h, w)
    seen = seen_of(attribution, mask)[None]  # (1, S, S)
    side = seen.shape[-1]
    evidence = metrics.enlarge_evidence(values[None], placement, side)  # (1, S, S)
    pooled = tile_mean(values[None], placement, COMMON_GRID)  # (1, 7, 7)
    common = metrics.enlarge_evidence(pooled, Placement.even(COMMON_GRID), side)
    cells, threshold = values.shape[-1], metrics.FIXED_THRESHOLD
    return Localization(
        area=float(seen.mean()),
        energy=float(metrics.energy_pointing_game(evidence, seen)[0]),
        upper_bound=float(metrics.upper_bound(seen, placement, cells)[0]),
        common_energy=float(metrics.energy_pointing_game(common, seen)[0]),
        common_upper_bound=float(metrics.upper_bound(seen, placement, cells, COMMON_GRID)[0]),
        hit=float(metrics.pointing(evidence, seen)[0]),
        recall=float(metrics.recall(evidence, seen, threshold)[0]),
        iou=float(metrics.mask_iou(evidence, seen, threshold)[0]),
    )


def seen_of(attribution: Attribution, mask: NDArray[np.generic]) -> Floats:
    """The part of a photograph's mask (H, W) that the network saw, (S, S), as fine as the mask.

    Raises ValueError for a mask of another shape than the photograph's.
    """
    width, height = attribution.crop.photograph
    rows, columns = mask.shape
    if abs(rows * width - columns * height) > max(width, height):
        raise ValueError(
            f"The mask is {columns}×{rows}, and the photograph {width}×{height}: a mask must have "
            "the photograph's shape."
        )
    left, top, right, bottom = attribution.crop.box
    side = max(1, round((bottom - top) / height * rows))
    part = (left / width, top / height, right / width, bottom / height)
    return part_mean(mask.astype(np.float32), part, side, side)
