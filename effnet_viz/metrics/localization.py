"""How much of a map lies on the object: maps (n, h, w) against masks (n, S, S) of shares 0 to 1.

Every function returns one float64 value per scene. Only positive evidence counts, max(0, map),
enlarged bilinearly to the mask's size as it is drawn. A map without any gives 0 everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import (
    Box,
    Floats,
    Placement,
    block_mean,
    covered,
    positive_evidence,
    resample,
    tile_mean,
)

Values = NDArray[np.float64]

FIXED_THRESHOLD = 0.2
"""Of the map's maximum, as in Zhou et al. 2016 (arXiv 1512.04150), section 3.2."""
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


def enlarge_evidence(maps: Floats, placement: Placement, side: int) -> Floats:
    """Positive evidence of maps (n, h, w) at the pixels of a scene, (n, side, side).

    Bilinear between the places of cells, constant beyond the outermost ones; see arrays.resample.
    """
    return resample(positive_evidence(maps), placement, side, side)


def energy_pointing_game(evidence: Floats, share: Floats) -> Values:
    """Σ E · share / Σ E: the share of the evidence E (n, S, S) that lies where `share` is 1.

    Wang et al. 2020 (Score-CAM, arXiv 1910.01279), section 4.2, with a mask for the box.
    """
    inside = (evidence * share).sum(axis=(1, 2), dtype=np.float64)  # (n,)
    return _ratio(inside, evidence.sum(axis=(1, 2), dtype=np.float64))


def upper_bound(masks: Floats, placement: Placement, cells: int, then: int | None = None) -> Values:
    """The energy that the masks (n, S, S) themselves reach when a map must hold them, (n,).

    The map has cells × cells at its places; each holds the mean of the mask over its block. `then`
    pools it to as many cells that tile the scene, as maps are pooled to compare them with others.
    """
    held = block_mean(masks, placement, cells)  # (n, cells, cells)
    if then is not None:
        held, placement = tile_mean(held, placement, then), Placement.even(then)
    return energy_pointing_game(enlarge_evidence(held, placement, masks.shape[-1]), masks)


def pointing(evidence: Floats, masks: Floats) -> Values:
    """The pointing game: 1 where the largest value lies on the object, else 0.

    Zhang et al. 2016 (arXiv 1608.00507), section 4.1, without a margin. Equal largest values share
    the point.
    """
    largest = evidence.max(axis=(1, 2), keepdims=True)  # (n, 1, 1)
    places = (evidence == largest) & (largest > 0)  # (n, S, S)
    return _ratio((places & (masks > 0.5)).sum(axis=(1, 2)), places.sum(axis=(1, 2)))


def mask_iou(evidence: Floats, masks: Floats, threshold: float) -> Values:
    """Intersection over union of {E ≥ threshold · max E} and {mask > 1/2}."""
    region, target = _region(evidence, threshold), masks > 0.5
    return _ratio((region & target).sum(axis=(1, 2)), (region | target).sum(axis=(1, 2)))


def recall(evidence: Floats, masks: Floats, threshold: float) -> Values:
    """The share of {mask > 1/2} inside {E ≥ threshold · max E}."""
    region, target = _region(evidence, threshold), masks > 0.5
    return _ratio((region & target).sum(axis=(1, 2)), target.sum(axis=(1, 2)))


def correlation(maps: Floats, others: Floats) -> Values:
    """Pearson's correlation of two maps of a scene, -1 to 1; 0 when one of them is flat."""
    one, other = (
        values.reshape(len(values), -1).astype(np.float64) for values in (maps, others)
    )  # (n, h·w)
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    lengths = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return _ratio((one * other).sum(axis=1), lengths)


def _region(evidence: Floats, threshold: float) -> NDArray[np.bool_]:
    largest = evidence.max(axis=(1, 2), keepdims=True)  # (n, 1, 1)
    region: NDArray[np.bool_] = (evidence >= threshold * largest) & (largest > 0)
    return region


def _ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Values:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    ratio: Values = np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
    return ratio


def share_inside(values: Floats, box: Box) -> float:
    """Share of the positive evidence of a map (h, w) inside a box, 0 to 1; nan without evidence.

    The map's cells tile its square, as pixels do: a map of a stage is resampled first. The box is
    in shares of the sides, 0 to 1; cells that it cuts count in part. This is the
    score of the grid pointing game (Böhle et al. 2021, arXiv 2104.00032) when the box
    is the cell of the class: Σ of positive evidence in the cell / Σ in the whole grid.
    """
    height, width = values.shape
    left, top, right, bottom = box
    positive = np.maximum(values, 0).astype(np.float64)  # (h, w)
    total = positive.sum()
    if total == 0:
        return float("nan")
    inside = covered(top, bottom, height) @ positive @ covered(left, right, width)
    return float(inside / total)
