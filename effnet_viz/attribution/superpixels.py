"""Parts of a picture that are covered together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from effnet_viz.arrays import Floats

Labels = NDArray[np.int64]
"""A part's number, from 0, for each pixel: (R, R)."""

_COARSE = 4
"""Pixels a side that share a label at most: clustering every pixel takes sixteen times as long."""
_COMPACTNESS = 2.0
"""How much the place counts beside the colour, in standard deviations of the picture's colours."""


def tiles(side: int, count: int) -> Labels:
    """`count` squares, a square number of them, as even as whole pixels allow."""
    across = math.isqrt(count)
    if across * across != count:
        raise ValueError(f"{count} tiles do not make a square.")
    place = np.arange(side) * across // side  # (R,)
    return place[:, None] * across + place[None]


def superpixels(image: Floats, count: int, seed: int) -> Labels:
    """About `count` patches of like colour of an image (3, R, R), numbered without gaps.

    k-means over place and colour, from the middles of even tiles, as SLIC does (Achanta et al.
    2012, doi 10.1109/TPAMI.2012.120), without its bound on distance: patches can be torn. `seed`
    draws anew what k-means loses.
    """
    side = image.shape[-1]
    step = max(1, min(_COARSE, side // (2 * math.isqrt(count))))
    coarse = image[:, ::step, ::step]  # (3, r, r)
    rows = coarse.shape[-1]
    y, x = np.mgrid[:rows, :rows] / rows  # (r, r)
    scale = _COMPACTNESS * math.sqrt(count) * float(coarse.std())
    points = np.stack([*coarse, scale * y, scale * x], axis=-1).reshape(-1, 5)  # (r², 5)
    start = tiles(rows, count).ravel()  # (r²,)
    centres = np.stack([points[start == tile].mean(0) for tile in range(count)])  # (count, 5)
    _, labels = kmeans2(points, centres, minit="matrix", missing="warn", seed=seed)
    _, labels = np.unique(labels, return_inverse=True)  # without gaps
    grid = labels.reshape(rows, rows)
    place = np.minimum(np.arange(side) // step, rows - 1)  # (R,)
    made: Labels = grid[place[:, None], place[None]].astype(np.int64)
    return made
