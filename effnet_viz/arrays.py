"""Array types, resampling, area means, ranges, orders: what everything below shares.

A map is (h, w), raw and signed, in any unit. Every function that resizes keeps cell centres in
place: cell i of n covers i/n to (i + 1)/n of its side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
"""A picture, (H, W, 3)."""
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Range = tuple[float, float]

TOP = 0.2
"""The fraction of a map that counts as its most important part."""


def softmax(logits: Floats) -> NDArray[np.float64]:
    """e^z / Σ e^z of logits z (classes,): 0 to 1, together 1."""
    shifted = np.exp(logits.astype(np.float64) - float(logits.max()))  # (classes,)
    probabilities: NDArray[np.float64] = shifted / shifted.sum()
    return probabilities  # (classes,)


def positive_evidence(evidence: Floats) -> Floats:
    """max(0, map): only what speaks for the class. The ReLU of Grad-CAM's equation 2."""
    return np.maximum(evidence, np.float32(0))


# Resampling


def resize(values: Floats, width: int, height: int, box: Box | None = None) -> Floats:
    """Values (h, w), or the part of them in a box of cells, bilinearly as (height, width).

    Where the result is coarser, cells are averaged, so that none is lost.
    """
    image = Image.fromarray(values)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))


def on_grid(values: Floats, box: Box, region: Box, side: int) -> Floats:
    """A map (h, w) that covers a box, resampled to (side, side) cells that cover a region.

    Box and region are in pixels of the photograph, the region inside the box. See resize.
    """
    height, width = values.shape
    left, top, right, bottom = box
    columns, rows = width / (right - left), height / (bottom - top)  # cells a pixel
    in_cells = (
        max(0.0, (region[0] - left) * columns),
        max(0.0, (region[1] - top) * rows),
        min(float(width), (region[2] - left) * columns),
        min(float(height), (region[3] - top) * rows),
    )
    return resize(values, side, side, in_cells)


def area_mean(values: Floats, rows: int, columns: int) -> Floats:
    """Means over a grid of equal cells, (..., h, w) to (..., rows, columns).

    Exact: what an edge of the coarser grid cuts counts in part on both sides.
    """
    down, across = (
        covered(np.arange(new) / new, np.arange(1, new + 1) / new, old) * (new / old)
        for new, old in ((rows, values.shape[-2]), (columns, values.shape[-1]))
    )  # (rows, h), (columns, w)
    means: Floats = down.astype(np.float32) @ (values @ across.T.astype(np.float32))
    return means  # (..., rows, columns)


def reduced(values: Floats, longest: int) -> Floats:
    """Area means with which no side of (..., h, w) is longer than `longest` cells.

    As few old cells make a new one as that allows; a grid that is small enough comes back as it is.
    """
    height, width = values.shape[-2:]
    block = -(-max(height, width) // longest)
    if block == 1:
        return values
    return area_mean(values, -(-height // block), -(-width // block))


def covered(
    start: float | NDArray[np.float64], end: float | NDArray[np.float64], cells: int
) -> NDArray[np.float64]:
    """How much of each cell of an axis lies between two positions (0 to 1), (..., cells)."""
    starts, ends = (np.asarray(edge, np.float64)[..., None] for edge in (start, end))  # (..., 1)
    edges = np.clip(np.arange(cells + 1) / cells, starts, ends) * cells  # (..., cells + 1)
    return np.diff(edges)


# Ranges, with which maps are coloured


def positive_range(*maps: Floats) -> Range:
    """0 to the largest value of all maps; (0, 1) when none is positive."""
    highest = max(float(values.max()) for values in maps)
    return (0.0, highest if highest > 0 else 1.0)


def signed_range(*maps: Floats) -> Range:
    """-m to m with m the largest absolute value of all maps; (-1, 1) when all are zero."""
    largest = max(float(np.abs(values).max()) for values in maps)
    return (-largest, largest) if largest > 0 else (-1.0, 1.0)


def full_range(values: Floats) -> Range:
    """From the smallest to the largest value; one step wide for a flat map, which is all low."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


# Orders


def descending(values: Floats) -> NDArray[np.int64]:
    """The cells, the highest first, (h·w,); the first ones in reading order among equals."""
    return np.argsort(-values.ravel(), kind="stable")


def first_cells(order: NDArray[np.int64], cells: int, shape: tuple[int, ...]) -> Mask:
    """The first so many cells of an order, (h, w)."""
    mask = np.zeros(order.size, dtype=np.bool_)  # (h·w,)
    mask[order[:cells]] = True
    return mask.reshape(shape)


def top(values: Floats, fraction: float = TOP) -> Mask:
    """The highest cells, (h, w): round(fraction · h·w) of them, the first ones among equals."""
    return first_cells(descending(values), round(fraction * values.size), values.shape)


# Two maps


def require_same_shape(one: Floats, other: Floats) -> None:
    """Raises ValueError where two maps cannot be compared cell by cell."""
    if one.shape != other.shape:
        raise ValueError(f"Maps of shapes {one.shape} and {other.shape} cannot be compared.")


def largest_difference(one: Floats, other: Floats) -> float:
    """max |one - other| / max |one|: 0 for equal maps, relative to the first map's largest value.

    Raises ValueError when the shapes differ. Two maps of zeros are equal: 0.
    """
    require_same_shape(one, other)
    difference = float(np.abs(one - other).max())
    return difference / float(np.abs(one).max()) if difference else 0.0
