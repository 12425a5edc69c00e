"""What each channel of a stage adds to a class, and a stage's channels at a glance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats, Placement, reduced


def channel_contributions(activation: Floats, weight: Floats) -> Floats:
    """w_ck · mean(A_k), (B, C), in units of the logit.

    Exact: the contributions of all channels and the bias sum to the logit. Defined where the
    activation (B, C, h, w) is pooled into the linear head, whose row of each image's class is
    `weight` (B, C).
    """
    contributions: Floats = weight * activation.mean(axis=(2, 3))  # (B, C)
    return contributions


def gradient_times_activation(activation: Floats, gradient: Floats) -> Floats:
    """Σ_ij ∂z_c/∂A_k(i, j) · A_k(i, j) per channel, (B, C), in units of the logit.

    First-order account of what the logit owes to a channel (Shrikumar et al. 2016, arXiv
    1605.01713). Both arrays are (B, C, h, w). Before a linear head it equals the contribution.
    """
    products: Floats = np.einsum("bkij,bkij->bk", gradient, activation)  # (B, C)
    return products


@dataclass(frozen=True, eq=False)
class Channels:
    """The channels of a stage at a glance."""

    largest: Floats
    """Largest value of each channel, (C,)."""
    averages: Floats
    """The activation on a coarser grid (see arrays.reduced), (C, h', w')."""
    strongest: NDArray[np.uint16]
    """The channels with the largest averages of each cell, the strongest first, (h', w', n)."""
    placement: Placement
    """Where the coarser grid's cells lie in the square that the model saw."""

    @property
    def nbytes(self) -> int:
        return self.largest.nbytes + self.averages.nbytes + self.strongest.nbytes


def channels(activation: Floats, placement: Placement, longest: int, count: int) -> Channels:
    """An activation (C, h, w) on a grid of at most `longest` per side, with `count` leaders each.

    A stage of fewer channels has as many leaders as it has channels.
    """
    averages, coarser = reduced(activation, placement, longest)  # (C, h', w')
    count = min(count, len(averages))
    first = np.argpartition(averages, -count, axis=0)[-count:]  # (count, h', w')
    order = np.argsort(-np.take_along_axis(averages, first, axis=0), axis=0)  # (count, h', w')
    leaders = np.take_along_axis(first, order, axis=0)  # (count, h', w')
    strongest = np.ascontiguousarray(leaders.transpose(1, 2, 0), dtype=np.uint16)  # (h', w', count)
    return Channels(activation.max(axis=(1, 2)), averages, strongest, coarser)
