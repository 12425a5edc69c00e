"""Numbers about maps: agreement, concentration, localisation, curves. Arrays in, numbers out.

Maps are (h, w), raw and signed, in any unit: what compares two of them uses ranks or shares only.
Where a number is undefined (a flat map has no ranking, a negative one no positive evidence), the
result is nan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, stats

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

TOP = 0.2
"""The fraction of a map that counts as its most important part."""


def largest_difference(one: Floats, other: Floats) -> float:
    """max |one - other| / max |one|: 0 for equal maps, relative to the first map's largest value.

    Raises ValueError when the shapes differ. Two maps of zeros are equal: 0.
    """
    _same_shape(one, other)
    difference = float(np.abs(one - other).max())
    return difference / float(np.abs(one).max()) if difference else 0.0


# One grid for maps of different networks


def common_region(boxes: Sequence[Box]) -> Box:
    """The part of the photograph inside every box. Raises ValueError when there is none."""
    left, top = (max(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (min(box[side] for box in boxes) for side in (2, 3))
    if left >= right or top >= bottom:
        raise ValueError(f"These parts of the photograph do not overlap: {list(boxes)}.")
    return (left, top, right, bottom)


def on_grid(values: Floats, box: Box, region: Box, side: int) -> Floats:
    """A map (h, w) that covers a box, resampled to (side, side) cells that cover a region.

    Box and region are in pixels of the photograph, the region inside the box. Bilinear with cell
    centres kept in place; a finer map is averaged, so that no cell is lost.
    """
    height, width = values.shape
    left, top, right, bottom = box
    across, down = width / (right - left), height / (bottom - top)
    in_cells = (
        max(0.0, (region[0] - left) * across),
        max(0.0, (region[1] - top) * down),
        min(float(width), (region[2] - left) * across),
        min(float(height), (region[3] - top) * down),
    )
    image = Image.fromarray(values)
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=in_cells))


# Agreement of two maps on one grid


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's ρ, the correlation of the ranks of all cells: -1 to 1; nan if a map is flat.

    Used for saliency maps by Adebayo et al. 2018 (arXiv 1810.03292); signed here.
    """
    _same_shape(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other, axis=None).statistic)


def top(values: Floats, fraction: float = TOP) -> Mask:
    """The highest cells, (h, w): round(fraction · h·w) of them, the first ones among equals."""
    return _first(_descending(values), round(fraction * values.size), values.shape)


def overlap(one: Floats, other: Floats, fraction: float = TOP) -> float:
    """|A ∩ B| / |A ∪ B| of the highest cells A and B, 0 to 1; nan if a map is flat.

    Two maps that have nothing to do with each other get fraction / (2 - fraction) on average:
    0.11 for the highest 20 %.
    """
    _same_shape(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    a, b = top(one, fraction), top(other, fraction)  # (h, w)
    return float((a & b).sum() / (a | b).sum())


def ranks(values: Floats) -> Floats:
    """The place of each cell among all, (h, w): 0 the lowest, 1 the highest; ties share a place."""
    places: NDArray[np.float64] = stats.rankdata(values).reshape(values.shape)  # (h, w), 1 to h·w
    return ((places - 1) / max(1, values.size - 1)).astype(np.float32)  # (h, w)


def disagreement(maps: Sequence[Floats]) -> Floats:
    """Standard deviation, over maps of one shape, of a cell's rank: (h, w), 0 to 0.5.

    Ranks, because the logits of two networks have no common scale.
    """
    spread: Floats = np.std([ranks(values) for values in maps], axis=0)  # (h, w)
    return spread


# Concentration of one map


@dataclass(frozen=True)
class Concentration:
    """How concentrated the positive evidence of a map is."""

    area: float
    """Smallest part of the area that holds half of it, 0 to 1; an even map has 0.5."""
    regions: int
    """Separate regions in that part; cells that touch at a corner are one region."""
    border: float
    """Its mean distance to the nearest edge: 0 at the edge, 1 in the middle; an even map 1/3."""


def half_of_the_evidence(values: Floats) -> Mask:
    """The fewest cells, (h, w), that hold at least half of the positive evidence."""
    positive = np.maximum(values, 0).ravel().astype(np.float64)  # (h·w,)
    order = _descending(values)  # (h·w,)
    held = np.cumsum(positive[order])  # (h·w,)
    needed = int(np.searchsorted(held, held[-1] / 2)) + 1 if held[-1] > 0 else 0
    return _first(order, needed, values.shape)


def concentration(values: Floats) -> Concentration:
    """Area, regions and distance to the border of a map (h, w); see Concentration."""
    mask = half_of_the_evidence(values)  # (h, w)
    if not mask.any():
        return Concentration(float("nan"), 0, float("nan"))
    _, regions = ndimage.label(mask, structure=np.ones((3, 3)))
    height, width = values.shape
    y = (np.arange(height)[:, None] + 0.5) / height  # (h, 1)
    x = (np.arange(width)[None, :] + 0.5) / width  # (1, w)
    to_edge = 2 * np.minimum(np.minimum(y, 1 - y), np.minimum(x, 1 - x))  # (h, w)
    border = float(np.average(to_edge, weights=np.maximum(values, 0)))
    return Concentration(float(mask.mean()), int(regions), border)


# Localisation


def share_inside(values: Floats, box: Box) -> float:
    """Share of the positive evidence of a map (h, w) inside a box, 0 to 1; nan without evidence.

    The box is in shares of the map's sides, 0 to 1; cells that it cuts count in part. This is the
    score of the grid pointing game (Böhle et al. 2021, arXiv 2104.00032) when the box
    is the cell of the class: Σ of positive evidence in the cell / Σ in the whole grid.
    """
    height, width = values.shape
    left, top, right, bottom = box
    positive = np.maximum(values, 0).astype(np.float64)  # (h, w)
    total = positive.sum()
    if total == 0:
        return float("nan")
    inside = _covered(top, bottom, height) @ positive @ _covered(left, right, width)
    return float(inside / total)


def _covered(start: float, end: float, cells: int) -> NDArray[np.float64]:
    """How much of each cell of an axis lies between two positions (0 to 1), (cells,)."""
    edges = np.clip(np.arange(cells + 1) / cells, start, end) * cells  # (cells + 1,)
    return np.diff(edges)


# Deletion and insertion


def order(values: Floats, side: int) -> NDArray[np.int64]:
    """Pixels of a (side, side) picture, the most important first, (side²,).

    The map (h, w) is enlarged bilinearly with cell centres kept in place; the first pixels in
    reading order come first among equals.
    """
    whole = (0.0, 0.0, 1.0, 1.0)
    return _descending(on_grid(values, whole, whole, side))


def first_pixels(order: NDArray[np.int64], fraction: float, side: int) -> Mask:
    """The first round(fraction · side²) pixels of an order, (side, side)."""
    return _first(order, round(fraction * order.size), (side, side))


def blurred(picture: Floats, sigma: float) -> Floats:
    """A picture (3, H, W) under a Gaussian of standard deviation `sigma` pixels."""
    result: Floats = ndimage.gaussian_filter(picture, (0, sigma, sigma), mode="nearest")
    return result


def area_under_curve(fractions: Sequence[float], values: Sequence[float]) -> float:
    """∫ values d fractions by the trapezoid rule: the mean height when fractions go from 0 to 1.

    The score of deletion (lower is better) and insertion (higher is better) of Petsiuk et al. 2018
    (RISE, arXiv 1806.07421).
    """
    return float(np.trapezoid(values, fractions))


def _descending(values: Floats) -> NDArray[np.int64]:
    return np.argsort(-values.ravel(), kind="stable")  # (h·w,)


def _first(order: NDArray[np.int64], cells: int, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(order.size, dtype=np.bool_)  # (h·w,)
    mask[order[:cells]] = True
    return mask.reshape(shape)  # (h, w)


def _same_shape(one: Floats, other: Floats) -> None:
    if one.shape != other.shape:
        raise ValueError(f"Maps of shapes {one.shape} and {other.shape} cannot be compared.")
