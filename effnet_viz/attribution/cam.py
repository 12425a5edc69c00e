"""Probabilities, class activation maps, Grad-CAM and channel votes: arrays in, arrays out.

Every map is raw: signed and unnormalised. Keeping only positive evidence, resizing and scaling to
a range are separate steps, so that maps can share one scale.
"""

from __future__ import annotations

import numpy as np

from effnet_viz.arrays import Floats


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
