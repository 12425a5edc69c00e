"""Layers over a background, and exactly what shows of each.

A layer is a premultiplied picture with opacity. With α_k the opacity of layer k, the share of a
pixel that layer k colours in the end is

    v_k = α_k · Π_{j above k} (1 - α_j),

so the mask of what a layer shows is known to the last bit and needs no annotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats

Polygon = list[tuple[float, float]]
"""Corners (x, y) in shares of the scene's side."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A premultiplied picture with opacity somewhere in a scene."""

    pixels: Floats
    """(h, w, 4): colours times opacity, opacity; 0 to 1."""
    left: int
    top: int

    @classmethod
    def trimmed(cls, pixels: Floats) -> Layer:
        """What is not transparent of a layer as large as its scene, (S, S, 4)."""
        left, top, width, height = cv2.boundingRect((pixels[..., 3] > 0).astype(np.uint8))
        return cls(pixels[top : top + height, left : left + width], left, top)

    @property
    def opacity(self) -> Floats:
        """(h, w), 0 to 1."""
        return self.pixels[..., 3]

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the scene that it lies in."""
        height, width = self.pixels.shape[:2]
        return np.s_[self.top : self.top + height, self.left : self.left + width]


def visible(layers: Sequence[Layer], side: int) -> Floats:
    """v_k, (layers, side, side): the share of each pixel that each layer colours, lowest first."""
    shares = np.zeros((len(layers), side, side), np.float32)
    uncovered = np.ones((side, side), np.float32)
    for number in reversed(range(len(layers))):
        opacity, box = layers[number].opacity, layers[number].box
        np.multiply(opacity, uncovered[box], out=shares[number][box])
        uncovered[box] *= 1 - opacity
    return shares


def composite(background: Floats, layers: Sequence[Layer]) -> Floats:
    """Each layer over what is below it, (side, side, 3), 0 to 1."""
    canvas = background.copy()
    for layer in layers:
        pixels = layer.pixels
        canvas[layer.box] = canvas[layer.box] * (1 - pixels[..., 3:]) + pixels[..., :3]
    return canvas


def outline(mask: Floats) -> list[Polygon]:
    """Polygons around {mask > 1/2}, outer and inner edges."""
    finer = 4
    enlarged = cv2.resize(mask, None, fx=finer, fy=finer, interpolation=cv2.INTER_LINEAR)
    # A margin, so that an edge of the scene closes the line.
    inside = np.pad((enlarged > 0.5).astype(np.uint8), 1)
    found, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [
        _corners(contour.astype(np.int32), finer * mask.shape[0])
        for contour in found
        if cv2.contourArea(contour) > finer**2  # specks are no outline
    ]


def _corners(contour: NDArray[np.int32], side: int) -> Polygon:
    fewer = cv2.approxPolyDP(contour, 1.2, closed=True)[:, 0]  # (corners, 2)
    # The margin's pixel is taken off; a pixel's centre lies half a pixel in.
    return [(round(float(x), 4), round(float(y), 4)) for x, y in (fewer - 0.5) / side]
