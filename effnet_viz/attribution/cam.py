"""The formulas of the class activation map and of Grad-CAM: arrays in, arrays out.

Every map is raw, signed and in units of the logit. Keeping only positive evidence, resizing and
scaling to a range are separate steps, so that maps can share one scale.
"""

from __future__ import annotations

from effnet_viz.arrays import Floats


def class_activation_map(activation: Floats, weight: Floats) -> Floats:
    """CAM_c(i, j) = Σ_k w_ck A_k(i, j), Zhou et al. 2016 (arXiv 1512.04150), equation 2.

    `activation` (B, C, h, w) is what is pooled before the linear head, `weight` (B, C) the head's
    row of each image's class. Returns (B, h, w): its mean plus the class's bias is the logit.
    """
    images, channels, height, width = activation.shape
    flat: Floats = weight[:, None] @ activation.reshape(images, channels, height * width)
    return flat.reshape(images, height, width)


def grad_cam(activation: Floats, gradient: Floats) -> Floats:
    """h·w · Σ_k α_k A_k with α_k = mean over positions of ∂z_c/∂A_k, before the ReLU.

    Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2, times the number of cells: so it is
    in units of the logit at every stage, is the class activation map at the last one, and maps of
    different grids can share a scale. Both arrays are (B, C, h, w); returns (B, h, w).
    """
    return class_activation_map(activation, gradient.sum(axis=(2, 3)))
