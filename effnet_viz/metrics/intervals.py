"""How sure a difference is."""

from __future__ import annotations

from collections.abc import Sequence
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
