"""Whether a map stays with the object while the photograph changes in ways that change nothing.

As in Alvarez-Melis & Jaakkola 2018 (arXiv 1806.08049), with three changes that leave the answer
as it is, and ranks compared.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from effnet_viz.arrays import Floats
from effnet_viz.metrics.agreement import rank_correlation

SHIFT = 4
"""Pixels of the network's input, to the right and down."""
BRIGHTER = 1.1

Change = Literal["shift", "flip", "brightness"]
CHANGES: tuple[Change, ...] = ("shift", "flip", "brightness")


def shifted(images: Floats) -> Floats:
    """Images (B, 3, R, R) moved by SHIFT to the right and down; the edges are repeated."""
    edges = ((0, 0), (0, 0), (SHIFT, 0), (SHIFT, 0))
    larger = np.pad(images, edges, mode="edge")  # (B, 3, R + SHIFT, R + SHIFT)
    height, width = images.shape[2:]
    return np.ascontiguousarray(larger[:, :, :height, :width])  # (B, 3, R, R)


def flipped(images: Floats) -> Floats:
    """Images (B, 3, R, R) with left and right swapped."""
    return np.ascontiguousarray(images[..., ::-1])  # (B, 3, R, R)


def brighter(images: Floats, black: Floats) -> Floats:
    """Images (B, 3, R, R) of which every pixel is BRIGHTER times as far from black.

    `black` (3,) is the input's value of black in each colour, -mean / std: what a factor on the
    pixels v is on the input x = (v - mean) / std. Nothing is cut off at white.
    """
    dark = black.reshape(1, 3, 1, 1)  # (1, 3, 1, 1)
    made: Floats = dark + np.float32(BRIGHTER) * (images - dark)
    return made  # (B, 3, R, R)


def changed(images: Floats, change: Change, black: Floats) -> Floats:
    """Images (B, 3, R, R) with one of CHANGES; `black` as in brighter."""
    if change == "shift":
        return shifted(images)
    return flipped(images) if change == "flip" else brighter(images, black)


def moved_back(original: Floats, after: Floats, change: Change) -> tuple[Floats, Floats]:
    """Maps (R, R) of an image and of the changed one, where both show it, (h, w) each.

    A cell of both is the same place in the image.
    """
    if change == "shift":
        return original[:-SHIFT, :-SHIFT], after[SHIFT:, SHIFT:]  # (R - SHIFT, R - SHIFT)
    return original, after[:, ::-1] if change == "flip" else after  # (R, R)


def stability(original: Floats, after: Floats, change: Change) -> float:
    """Spearman's ρ of the map (R, R) of an image with that of the changed one, moved back.

    -1 to 1; nan if a map is flat. Higher is better. Baseline: two maps that have nothing to do with
    each other have 0 on average, but enlarged ones of few cells are alike by chance: noise on 7 × 7
    cells has a standard deviation of 0.16.
    It does not show that the map is right: one that always marks the middle is perfectly stable
    under a flip and a brightness, and nearly so under a shift. Nor is the method alone measured:
    where the network sees the changed photograph otherwise (strides move with the pixels, filters
    are not symmetric), a faithful map has to change.
    """
    return rank_correlation(*moved_back(original, after, change))
