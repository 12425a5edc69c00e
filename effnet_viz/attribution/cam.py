"""Probabilities, class activation maps, Grad-CAM and channel votes: arrays in, arrays out.

Every map is raw: signed and unnormalised. Keeping only positive evidence, resizing and scaling to
a range are separate steps, so that maps can share one scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def softmax(logits: Floats) -> NDArray[np.float64]:
    """e^z / Σ e^z of logits z (classes,): 0 to 1, together 1."""
    shifted = np.exp(logits.astype(np.float64) - float(logits.max()))  # (classes,)
    probabilities: NDArray[np.float64] = shifted / shifted.sum()
    return probabilities  # (classes,)


def class_activation_map(activation: Floats, weight: Floats) -> Floats:
    """CAM_c(i, j) = Σ_k w_ck A_k(i, j), Zhou et al. 2016 (arXiv 1512.04150), equation 2.

    `activation` (C, h, w) is what is pooled before the linear head, `weight` (C,) the head's row of
    the class. Returns (h, w) in units of the logit: mean over positions + bias = logit.
    """
    return _weighted_sum(activation, weight)


def grad_cam(activation: Floats, gradient: Floats) -> Floats:
    """Σ_k α_k A_k with α_k = mean over positions of ∂z_c/∂A_k, before the ReLU.

    Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2. Both arrays are (C, h, w); returns
    (h, w). At the last stage it is the class activation map divided by h·w.
    """
    weight = gradient.mean(axis=(1, 2))  # (C,)
    return _weighted_sum(activation, weight)


def _weighted_sum(activation: Floats, weight: Floats) -> Floats:
    channels, height, width = activation.shape
    flat: Floats = weight @ activation.reshape(channels, height * width)  # (h·w,)
    return flat.reshape(height, width)  # (h, w)


def in_logit_units(grad_cam_map: Floats) -> Floats:
    """A Grad-CAM map (h, w) times h·w.

    Its mean is then Σ_k (Σ_ij ∂z_c/∂A_k) · mean(A_k): units of the logit at every stage, and at
    the last stage the class activation map itself. So maps of different grids can share a scale.
    """
    return grad_cam_map * np.float32(grad_cam_map.size)  # (h, w)


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


def positive_evidence(evidence: Floats) -> Floats:
    """max(0, map): only what speaks for the class. The ReLU of Grad-CAM's equation 2."""
    return np.maximum(evidence, np.float32(0))


def averaged(values: Floats, most: int) -> Floats:
    """Means of square blocks, so that no side of (..., h, w) is longer than `most` cells.

    The blocks are as small as that allows, those at the right and lower edges may be cut; a grid
    that is small enough comes back as it is.
    """
    height, width = values.shape[-2:]
    block = -(-max(height, width) // most)
    if block == 1:
        return values
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(
        np.add.reduceat(values, rows, axis=-2), columns, axis=-1
    )  # (..., h', w')
    heights = np.diff(np.append(rows, height))[:, None]  # (h', 1)
    widths = np.diff(np.append(columns, width))[None]  # (1, w')
    means: Floats = (sums / (heights * widths)).astype(np.float32)  # (..., h', w')
    return means


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
    averages = averaged(activation, most)  # (C, h', w')
    first = np.argpartition(averages, -count, axis=0)[-count:]  # (count, h', w')
    order = np.argsort(-np.take_along_axis(averages, first, axis=0), axis=0)  # (count, h', w')
    leaders = np.take_along_axis(first, order, axis=0)  # (count, h', w')
    strongest = np.ascontiguousarray(leaders.transpose(1, 2, 0), dtype=np.uint16)  # (h', w', count)
    return Channels(activation.max(axis=(1, 2)), averages, strongest)
