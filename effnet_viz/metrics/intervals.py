"""How sure a difference is."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from effnet_viz.metrics.localization import Values

RESAMPLES = 2000


def paired_interval(
    differences: Sequence[Values], labels: Sequence[NDArray[np.int64]], classes: int
) -> tuple[float, float, float]:
    """Mean over runs of the mean difference, and its 95 % percentile bootstrap interval.

    `differences` and `labels` have one array (n_run,) per run, labels are 0 to `classes` - 1.
    Classes are drawn with replacement, all their scenes at once (Davison & Hinkley 1997, section
    3.8): scenes of a class show the same few drawings, so they are not independent. The same draw
    is used in every run.
    """
    totals = np.array(
        [_per_class(values, of, classes) for values, of in zip(differences, labels, strict=True)]
    )
    counts = np.array(
        [_per_class(np.ones(len(of)), of, classes) for of in labels]
    )  # (runs, classes)
    random = np.random.default_rng(0)
    drawn = random.integers(0, classes, (RESAMPLES, classes))
    sums, sizes = totals[:, drawn].sum(axis=2), counts[:, drawn].sum(axis=2)  # (runs, resamples)
    means = (sums / np.maximum(sizes, 1)).mean(axis=0)  # (resamples,)
    difference = mean(float(values.mean()) for values in differences)
    low, high = np.percentile(means, [2.5, 97.5])
    return difference, float(low), float(high)


def _per_class(values: Values, labels: NDArray[np.int64], classes: int) -> Values:
    """Sums by class, (classes,)."""
    sums: Values = np.bincount(labels, weights=values, minlength=classes).astype(np.float64)
    return sums


def sign_test(first: int, second: int) -> float:
    """How probable so many of first + second are for the first, or more, by tossing a coin.

    One-sided and exact, for pairs of which one alone holds (McNemar 1947): 1 where there are none.
    """
    n = first + second
    return float(sum(comb(n, k) for k in range(first, n + 1)) / 2**n)


def wilson_interval(right: int, of: int) -> tuple[float, float]:
    """95 % interval of a share, `right` of `of` (Wilson 1927): between 0 and 1, also at its ends.

    It takes the cases for independent. Raises ValueError unless 0 ≤ right ≤ of and of ≥ 1.
    """
    if not 0 <= right <= of or of < 1:
        raise ValueError(f"{right} of {of} is no share.")
    z = 1.959964  # the normal distribution's 97.5 % quantile
    share, squared = right / of, z * z / of
    middle = (share + squared / 2) / (1 + squared)
    half = z * ((share * (1 - share) + squared / 4) / of) ** 0.5 / (1 + squared)
    return max(0.0, middle - half), min(1.0, middle + half)
