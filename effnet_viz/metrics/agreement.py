"""How far two maps of one photograph agree.

Maps are (h, w), raw and signed, in any unit: ranks or shares alone are compared. A cell is the same
place in all of them: maps of different networks are resampled to one grid first.
Where a number is undefined (a flat map has no ranking, a negative one no positive evidence), the
result is nan.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import TOP, Box, Floats, require_same_shape, top


def common_region(boxes: Sequence[Box]) -> Box:
    """The part of the photograph inside every box. Raises ValueError when there is none."""
    left, top = (max(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (min(box[side] for box in boxes) for side in (2, 3))
    if left >= right or top >= bottom:
        raise ValueError(f"These parts of the photograph do not overlap: {list(boxes)}.")
    return (left, top, right, bottom)


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's ρ, the correlation of the ranks of all cells: -1 to 1; nan if a map is flat.

    Used for saliency maps by Adebayo et al. 2018 (arXiv 1810.03292); signed here.
    """
    require_same_shape(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    from scipy import stats  # takes seconds to import, and no first picture needs it

    return float(stats.spearmanr(one, other, axis=None).statistic)


def top_iou(one: Floats, other: Floats, fraction: float = TOP) -> float:
    """|A ∩ B| / |A ∪ B| of the highest cells A and B, 0 to 1; nan if a map is flat.

    Two maps that have nothing to do with each other get fraction / (2 - fraction) on average:
    0.11 for the highest 20 %.
    """
    require_same_shape(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    a, b = top(one, fraction), top(other, fraction)  # (h, w)
    return float((a & b).sum() / (a | b).sum())


def ranks(values: Floats) -> Floats:
    """The place of each cell among all, (h, w): 0 the lowest, 1 the highest; ties share a place."""
    from scipy import stats  # as above

    places: NDArray[np.float64] = stats.rankdata(values).reshape(values.shape)  # (h, w), 1 to h·w
    return ((places - 1) / max(1, values.size - 1)).astype(np.float32)  # (h, w)


def disagreement(maps: Sequence[Floats]) -> Floats:
    """Standard deviation, over maps of one shape, of a cell's rank: (h, w), 0 to 0.5.

    Ranks, because the logits of two networks have no common scale.
    """
    spread: Floats = np.std([ranks(values) for values in maps], axis=0)  # (h, w)
    return spread
