"""Array types, places of cells, resampling, means, ranges, orders: what everything below shares.

A map is (h, w), raw and signed, in any unit. Where its cells lie in the square that a network saw
is its Placement; whatever draws or measures a map asks it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


# Places of cells, and resampling


@dataclass(frozen=True)
class Placement:
    """Where the cells of a map lie in the square that a network saw, both axes alike.

    The centre of cell i is at start + i · step, in sides of the square: 0 is its left or upper
    edge, 1 its right or lower one. Cells need not tile the square: the nine of Lite2, 32 of 260
    pixels apart, have their centres at 2, 34 … 258.
    """

    start: float
    step: float
    """Positive."""

    @classmethod
    def even(cls, cells: int) -> Placement:
        """Cells that tile the square, such as pixels: cell i covers i / n to (i + 1) / n."""
        return cls(0.5 / cells, 1 / cells)

    def centres(self, cells: int) -> NDArray[np.float64]:
        """Of the first so many cells of an axis, (cells,)."""
        return self.start + self.step * np.arange(cells, dtype=np.float64)

    def edges(self, cells: int) -> NDArray[np.float64]:
        """Ends of the cells' blocks, (cells + 1,): 0, where two cells are as near, …, 1.

        A block holds the places of which its cell is the nearest one.
        """
        between = self.centres(cells)[1:] - self.step / 2  # (cells - 1,)
        return np.concatenate([[0], np.clip(between, 0, 1), [1]])

    def averaged(self, cells: float) -> Placement:
        """Of means over so many neighbouring cells: in their middle; see area_mean.

        They need not be whole. One that is cut has its value at its centre all the same, which is
        an eighth of a cell off at most, divided by `cells`.
        """
        return Placement(self.start + (cells - 1) / 2 * self.step, cells * self.step)


WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def resample(
    values: Floats, placement: Placement, width: int, height: int, part: Box = WHOLE
) -> Floats:
    """A map (..., h, w) as pixels (..., height, width) that tile a part of its square.

    Bilinear between the centres of cells, constant beyond the first and the last one. Where pixels
    are further apart than cells, a pixel is a mean whose weights fall to zero at the distance of
    the next pixel, so that no cell is lost. `part` is in sides of the square.
    """
    left, top, right, bottom = part
    down = _weights(placement, values.shape[-2], top, bottom, height)  # (height, h)
    across = _weights(placement, values.shape[-1], left, right, width)  # (width, w)
    pixels: Floats = down @ (values @ across.T)
    return pixels  # (..., height, width)


def _weights(placement: Placement, cells: int, first: float, last: float, pixels: int) -> Floats:
    """What every cell of an axis adds to every pixel from one place to another, (pixels, cells)."""
    centres = placement.centres(cells)  # (cells,)
    apart = (last - first) / pixels
    places = first + apart * (np.arange(pixels) + 0.5)  # (pixels,)
    places = np.clip(places, centres[0], centres[-1])[:, None]  # (pixels, 1)
    reach = max(placement.step, apart)
    weights = np.maximum(0, 1 - np.abs(places - centres) / reach)  # (pixels, cells)
    shares: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares  # (pixels, cells)


def blocks(values: Floats, placement: Placement, width: int, height: int) -> Floats:
    """A map (..., h, w) as pixels (..., height, width), each with the value of the nearest cell."""
    rows = _nearest(placement, values.shape[-2], height)  # (height,)
    columns = _nearest(placement, values.shape[-1], width)  # (width,)
    return values[..., rows[:, None], columns]  # (..., height, width)


def _nearest(placement: Placement, cells: int, pixels: int) -> NDArray[np.int64]:
    places = (np.arange(pixels) + 0.5) / pixels  # (pixels,)
    index = np.floor((places - placement.start) / placement.step + 0.5)  # the later one of two
    return np.clip(index, 0, cells - 1).astype(np.int64)  # (pixels,)


# Means


def area_mean(values: Floats, rows: int, columns: int) -> Floats:
    """Means over equally many cells each, (..., h, w) to (..., rows, columns).

    Exact: what an edge of the coarser grid cuts counts in part on both sides. Where the new cells
    lie says Placement.averaged(h / rows).
    """
    height, width = values.shape[-2:]
    return _means(values, _tiles(height), _tiles(width), _tiles(rows), _tiles(columns))


def block_mean(values: Floats, placement: Placement, cells: int) -> Floats:
    """Means of what tiles the square, (..., h, w), over the blocks of a map (..., cells, cells)."""
    height, width = values.shape[-2:]
    edges = placement.edges(cells)  # (cells + 1,)
    return _means(values, _tiles(height), _tiles(width), edges, edges)


def part_mean(values: Floats, part: Box, rows: int, columns: int) -> Floats:
    """Means of what tiles a square (..., h, w) over cells that tile a part, (..., rows, columns).

    The part is in sides of the square, and inside it.
    """
    left, top, right, bottom = part
    height, width = values.shape[-2:]
    down, across = top + (bottom - top) * _tiles(rows), left + (right - left) * _tiles(columns)
    return _means(values, _tiles(height), _tiles(width), down, across)


def tile_mean(values: Floats, placement: Placement, cells: int) -> Floats:
    """Means of the blocks of a map (..., n, n) over (..., cells, cells) that tile the square."""
    edges, tiles = placement.edges(values.shape[-1]), _tiles(cells)  # (n + 1,), (cells + 1,)
    return _means(values, edges, edges, tiles, tiles)


Edges = NDArray[np.float64]
"""Where the cells of an axis end, (cells + 1,), in shares of the side."""


def _tiles(cells: int) -> Edges:
    return np.arange(cells + 1) / cells


def _means(values: Floats, rows: Edges, columns: Edges, down: Edges, across: Edges) -> Floats:
    """Means of cells with these edges over others with those: (..., h, w) to (..., h', w')."""
    means: Floats = _shares(rows, down) @ (values @ _shares(columns, across).T)
    return means  # (..., h', w')


def _shares(old: Edges, new: Edges) -> Floats:
    """What every old cell adds to every new one, (new, old); nothing to one without extent."""
    ends = np.minimum(old[1:], new[1:, None])  # (new, old)
    common = np.maximum(0, ends - np.maximum(old[:-1], new[:-1, None]))  # (new, old)
    shares: Floats = (common / np.maximum(common.sum(1, keepdims=True), 1e-12)).astype(np.float32)
    return shares


def reduced(values: Floats, placement: Placement, longest: int) -> tuple[Floats, Placement]:
    """Area means with which no side of (..., n, n) is longer than `longest` cells, and their place.

    As few old cells make a new one as that allows, all new ones equally many; a grid that is small
    enough comes back as it is.
    """
    side = values.shape[-1]
    block = -(-side // longest)
    if block == 1:
        return values, placement
    cells = -(-side // block)
    return area_mean(values, cells, cells), placement.averaged(side / cells)


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
