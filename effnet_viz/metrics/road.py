"""ROAD: removing pixels so that little tells where they were.

Remove and debias, Rong et al. 2022 (arXiv 2202.00449), without retraining.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats, Mask

FRACTIONS = (0.2, 0.4, 0.6, 0.8)
"""Parts of the pixels that are removed."""

NOISE = 0.01
"""Standard deviation of what is added to a removed pixel, in units of the normalised input."""

_DIRECT, _DIAGONAL = 1 / 6, 1 / 12
_NEIGHBOURS = tuple(
    (down, across, _DIRECT if 0 in (down, across) else _DIAGONAL)
    for down in (-1, 0, 1)
    for across in (-1, 0, 1)
    if (down, across) != (0, 0)
)
"""Rows down, columns to the right, weight; together 1."""


def impute(picture: Floats, removed: Mask, *, noise: float = NOISE, seed: int = 0) -> Floats:
    """A picture (3, H, W) whose removed pixels (H, W) follow from the others, plus noise.

    The paper's noisy linear imputation: every removed pixel is the mean of its eight
    neighbours, of which those that share a side weigh 1/6 and those at a corner 1/12; at an edge,
    of those that there are. Removed neighbours count as well, so all are solved for at once: a
    sparse linear system, factorised once for the three colours. The same call gives the same bits.
    Raises ValueError when every pixel is removed: nothing would say what belongs there.
    """
    number = int(removed.sum())
    if number == removed.size:
        raise ValueError("All pixels are removed, so there is nothing to fill them in from.")
    filled = picture.copy()  # (3, H, W)
    if number == 0:
        return filled
    # Both take a while to import, and nothing but this needs them.
    from scipy import sparse
    from scipy.sparse.linalg import splu

    rows, columns = np.nonzero(removed)  # (n,) each
    unknown = np.full((removed.shape[0] + 2, removed.shape[1] + 2), -1)  # with a rim of no pixels
    unknown[1:-1, 1:-1][removed] = np.arange(number)
    inside = np.pad(np.ones_like(removed), 1)  # (H + 2, W + 2)
    values = np.pad(picture.astype(np.float64), ((0, 0), (1, 1), (1, 1)))  # (3, H + 2, W + 2)
    total = np.zeros(number)  # of the weights of the neighbours that there are, (n,)
    known = np.zeros((number, 3))  # what neighbours that were not removed add, (n, 3)
    ones, others, weights = [], [], []
    for down, across, weight in _NEIGHBOURS:
        at = rows + 1 + down, columns + 1 + across
        total += weight * inside[at]
        neighbour = unknown[at]  # (n,)
        given = inside[at] & (neighbour < 0)  # (n,)
        known += weight * np.where(given, values[:, at[0], at[1]], 0).T
        [solved] = np.nonzero(neighbour >= 0)
        ones.append(solved)
        others.append(neighbour[solved])
        weights.append(np.full(len(solved), -weight))
    diagonal = np.arange(number)
    system = sparse.csc_array(
        (
            np.concatenate([*weights, total]),
            (np.concatenate([*ones, diagonal]), np.concatenate([*others, diagonal])),
        ),
        shape=(number, number),
    )
    # Symmetric and with a dominant diagonal: needs no pivots, and is ordered faster for that.
    factors = splu(
        system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True}
    )
    found: NDArray[np.float64] = factors.solve(known)  # (n, 3)
    drawn = np.random.default_rng(seed).normal(scale=noise, size=found.shape)  # (n, 3)
    filled[:, removed] = (found + drawn).T
    return filled  # (3, H, W)


def road_score(least_first: Sequence[float], most_first: Sequence[float]) -> float:
    """mean(p_LeRF - p_MoRF) / 2 over FRACTIONS, -1/2 to 1/2; higher is better.

    The class's probability with the least important pixels removed and with the most important
    ones. Half of the difference, as pytorch-grad-cam combines both. Baseline: a random map gets 0
    on average, but one of 7 × 7 cells on one photograph has a standard deviation of 0.03 to 0.08
    (16 maps each of three samples, Lite0), so smaller differences of two methods on one photograph
    say nothing. A flat map has no order of its own, and gets what the order of reading gives.
    It does not show that nothing tells where pixels were: filled in, a smooth map's large areas are
    a blur that networks notice (tleemann/road_evaluation, issue 1), so smooth and spotted maps are
    not removed alike. A probability near 0 or 1 from the start leaves little to lose.
    """
    differences = np.subtract(least_first, most_first)  # (fractions,)
    return float(differences.mean()) / 2
