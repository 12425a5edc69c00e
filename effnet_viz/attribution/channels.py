"""What each channel of a stage adds to a class, and a stage's channels at a glance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats, reduced


def channel_votes(activation: Floats, weight: Floats) -> Floats:
    """Vote of each channel, w_ck · mean(A_k), shape (C,), in units of the logit.

    Exact: the votes of all channels and the bias sum to the logit. Defined where the activation
    (C, h, w) is pooled into the linear head, that is at the last stage.
    """
    votes: Floats = weight * activation.mean(axis=(1, 2))  # (C,)
    return votes


def gradient_times_activation(activation: Floats, gradient: Floats) -> Floats:
    """Σ_ij ∂z_c/∂A_k(i, j) · A_k(i, j) per channel, shape (C,), in units of the logit.

    First-order account of what the logit owes to a channel (Shrikumar et al. 2016, arXiv
    1605.01713). Both arrays are (C, h, w). At the last stage it equals the channel's vote.
    """
    relevance: Floats = np.einsum("kij,kij->k", gradient, activation)  # (C,)
    return relevance


@dataclass(frozen=True, eq=False)
class Channels:
    """The channels of a stage at a glance."""

    largest: Floats
    """Largest value of each channel, (C,)."""
    averages: Floats
    """The activation as blocks (see averaged), (C, h', w')."""
    strongest: NDArray[np.uint16]
    """The channels with the largest averages of each block, the strongest first, (h', w', n)."""

    @property
    def nbytes(self) -> int:
        return self.largest.nbytes + self.averages.nbytes + self.strongest.nbytes


def channels(activation: Floats, most: int, count: int) -> Channels:
    """An activation (C, h, w) in blocks of at most `most` per side, with `count` leaders each."""
    averages = reduced(activation, most)  # (C, h', w')
    first = np.argpartition(averages, -count, axis=0)[-count:]  # (count, h', w')
    order = np.argsort(-np.take_along_axis(averages, first, axis=0), axis=0)  # (count, h', w')
    leaders = np.take_along_axis(first, order, axis=0)  # (count, h', w')
    strongest = np.ascontiguousarray(leaders.transpose(1, 2, 0), dtype=np.uint16)  # (h', w', count)
    return Channels(activation.max(axis=(1, 2)), averages, strongest)
