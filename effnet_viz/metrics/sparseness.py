"""How few places hold a map."""

from __future__ import annotations

import numpy as np

from effnet_viz.arrays import Floats


def gini(values: Floats) -> float:
    """The Gini index of the magnitudes of a map's N cells, 0 to 1 - 1/N; nan if all are 0.

    1 - 2 Σ_k c_k / Σ c · (N - k + 1/2) / N with the magnitudes c in ascending order, k from 1:
    Hurley & Rickard 2009 (arXiv 0811.4706), for maps Chalasani et al. 2020 (arXiv 1810.06583).
    Higher is sparser, which is taken for better: a short explanation. Baseline: an even map has 0,
    one cell alone 1 - 1/N, uniform noise of 0 to 1 has 1/3 and Gaussian noise 0.41.
    It does not show that the few places are the right ones, and it depends on the grid: maps are
    compared on one. Signs do not count.
    """
    magnitudes = np.sort(np.abs(values).ravel().astype(np.float64))  # (N,), ascending
    total, number = magnitudes.sum(), magnitudes.size
    if total == 0:
        return float("nan")
    shares = (number - np.arange(1, number + 1) + 0.5) / number  # (N,)
    return float(1 - 2 * (magnitudes / total * shares).sum())
