"""How far a map outlives what a network has learnt: numbers for the sanity check.

Adebayo et al. 2018 (arXiv 1810.03292): a map that explains what was learnt cannot stay as it is
while the weights become random. Maps are (h, w), raw and signed, in any unit. Beside the structural
similarity below, the check compares maps by metrics.agreement.rank_correlation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from effnet_viz.arrays import Floats, require_same_shape

SIGMA = 1.5
"""Of the Gaussian window, in cells; it ends 5 cells from its middle, so it is 11 × 11."""
K1, K2 = 0.01, 0.03
_RADIUS = 5


def structural_similarity(one: Floats, other: Floats) -> float:
    """The mean over all cells of SSIM, -1 to 1; 1 for equal maps, nan if a map is flat.

    (2 μx μy + C1)(2 σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)) with the means, variances and
    covariance in a Gaussian window around the cell, C1 = K1² and C2 = K2²: Wang et al. 2004 (doi
    10.1109/TIP.2003.819861), equation 13, for a range of 1. Each map is scaled to 0..1 by its own
    range first, so neither its unit nor its zero counts. Beyond the edge a map is mirrored, so that
    maps smaller than the window can be compared; there it says more of the map as a whole than
    of its structure. Two maps that are flat but for one cell each are alike nearly everywhere.
    """
    require_same_shape(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    x, y = _scaled(one), _scaled(other)  # (h, w)
    mean_x, mean_y = _window(x), _window(y)  # (h, w)
    variance_x = _window(x * x) - mean_x**2  # (h, w)
    variance_y = _window(y * y) - mean_y**2  # (h, w)
    covariance = _window(x * y) - mean_x * mean_y  # (h, w)
    c1, c2 = K1**2, K2**2
    means = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)  # (h, w)
    structures = (2 * covariance + c2) / (variance_x + variance_y + c2)  # (h, w)
    return float((means * structures).mean())


def _scaled(values: Floats) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    return (values.astype(np.float64) - low) / (high - low)  # (h, w)


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = ndimage.gaussian_filter(
        values, SIGMA, mode="reflect", radius=_RADIUS
    )
    return means  # (h, w)


LAST_POSITIONS = 3
"""Of a cascade: all but the first two stages are random, all but the first one, all."""
ALIKE = 0.5
"""The mean |ρ| above which a map counts as hardly changed."""


def hardly_changes(curve: Sequence[float]) -> bool:
    """Whether a map stays alike although what was learnt is gone.

    `curve` has the rank correlation ρ with the map of the trained network at every position of a
    cascade; the first one is the trained network itself. True where the mean |ρ| over the last
    LAST_POSITIONS is above ALIKE. |ρ| and not ρ: some methods leave the sign of their map free, and
    a map that is turned over shows the same structure. Several positions, because the few cells of
    a coarse map agree by chance at a single one. A half, because then the ranks of the random
    network's map tell more than a quarter (ρ²) of the variance of those of the trained one's. Maps
    of 7 × 7 cells that have nothing to do with each other have a mean |ρ| of 0.12 if they are
    noise and 0.23 if it is smoothed with σ = 1 cell, and fewer than 1 in 100 such triples come
    above a half; but 1 in 7 do at σ = 1.5: very smooth maps are alike by chance.
    A flat map (nan) counts as 0: it has nothing in common.

    False does not show that a method is right: a map can depend on the weights and still mislead,
    and noise passes. Nor is True always a mistake: a method that knows no class shows what the
    photograph itself has, edges for example, which random filters pass on.
    Raises ValueError where there is no random position.
    """
    if len(curve) < 2:
        raise ValueError("A curve needs the trained network and at least one random position.")
    last = np.abs(np.nan_to_num(np.asarray(curve[1:][-LAST_POSITIONS:], np.float64)))
    return bool(last.mean() > ALIKE)
