"""Which maps of many look alike: spectral clustering of maps, and how alike pictures are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats, positive_evidence

MOST_CLUSTERS = 4
"""Of one class: more groups than a person compares."""

FEWEST = 6
"""Maps for each group that is looked for: fewer are alike by chance."""

ALIKE = 0.8
"""Cosine of two maps above which they are not told apart: their masses overlap almost wholly."""

Groups = tuple[tuple[int, ...], ...]


def shares(maps: Floats) -> NDArray[np.float64]:
    """Positive evidence of maps (n, h, w) in shares of its sum, (n, h·w); 0 where there is none."""
    positive = positive_evidence(maps).reshape(len(maps), -1).astype(np.float64)  # (n, h·w)
    totals = positive.sum(axis=1, keepdims=True)  # (n, 1)
    found: NDArray[np.float64] = np.divide(
        positive, totals, out=np.zeros_like(positive), where=totals > 0
    )
    return found


def cluster_maps(maps: Floats) -> Groups:
    """Groups of maps (n, h, w) that look alike, the largest first; every map is in one of them.

    The step of spectral relevance analysis that finds strategies (Lapuschkin et al. 2019, arXiv
    1902.10178, Methods): maps of one size and one sum; a graph of nearest neighbours, of about
    log n each, with an edge where either is the other's; the eigenvectors of its Laplacian
    I - D^-1/2 W D^-1/2 with the lowest eigenvalues; k-means on them. As many groups as there are
    eigenvalues before the widest gap (von Luxburg 2007, section 8.3), at most MOST_CLUSTERS. Groups
    whose means are alike (cosine above ALIKE) are one. The same call gives the same groups.
    """
    n = len(maps)
    flat = shares(maps)  # (n, h·w)
    if n < FEWEST:
        return _merged(flat, [0] * n)
    from sklearn.cluster import KMeans  # takes a second to import, and one page needs it

    weights = _neighbours(flat, max(3, round(np.log(n))))  # (n, n)
    degree = weights.sum(axis=1) ** -0.5  # (n,)
    laplacian = np.eye(n) - degree[:, None] * weights * degree  # (n, n)
    values, vectors = np.linalg.eigh(laplacian)  # (n,), (n, n)
    most = min(MOST_CLUSTERS, n // FEWEST)
    count = 1 + int(np.argmax(np.diff(values[: most + 1])))
    rows = vectors[:, :count]  # (n, count)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    found = KMeans(count, n_init=10, random_state=0).fit_predict(rows)
    return _merged(flat, found.tolist())


def _neighbours(flat: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """1 where one is among the `count` nearest of the other, and on the diagonal, (n, n)."""
    squares = (flat**2).sum(axis=1)  # (n,)
    apart = squares[:, None] + squares - 2 * flat @ flat.T  # (n, n)
    np.fill_diagonal(apart, -np.inf)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, : count + 1]  # itself and the others
    weights = np.zeros_like(apart)
    np.put_along_axis(weights, nearest, 1.0, axis=1)
    either: NDArray[np.float64] = np.maximum(weights, weights.T)
    return either


def _merged(flat: NDArray[np.float64], found: Sequence[int]) -> Groups:
    """Places by group, with groups of like means put together."""
    groups = [
        [place for place, of in enumerate(found) if of == number] for number in sorted(set(found))
    ]
    merging = True
    while merging:
        means = [flat[group].mean(axis=0) for group in groups]
        pairs = [(i, j) for j in range(len(groups)) for i in range(j)]
        alike = [(cosine(means[i], means[j]), i, j) for i, j in pairs]
        best = max(alike, default=(0.0, 0, 0))
        merging = best[0] > ALIKE
        if merging:
            groups[best[1]] += groups.pop(best[2])
    ordered = sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))
    return tuple(map(tuple, ordered))


def cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of the angle between two vectors, -1 to 1; 0 where one has no length."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def mean_cosine(rows: NDArray[np.floating]) -> float:
    """Mean cosine of every pair of rows (n, d), -1 to 1; nan for fewer than two.

    Of maps in shares: 1 where all mark the same place, near 0 where each marks its own. Of pixels
    from which each row's mean was taken: the mean correlation of the pictures.
    """
    n = len(rows)
    if n < 2:
        return float("nan")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)  # (n, 1)
    unit = np.divide(rows, lengths, out=np.zeros(rows.shape), where=lengths > 0)  # (n, d)
    total = float((unit.sum(axis=0) ** 2).sum()) - float((unit**2).sum())
    return total / (n * (n - 1))
