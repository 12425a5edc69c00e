"""Removing and putting back the most important pixels first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from effnet_viz.arrays import Floats, Mask, Placement, descending, first_cells, resample

FRACTIONS = tuple(step / 20 for step in range(21))
"""Parts of the crop, 0 to 1, that are removed or put back in the deletion race."""

BLUR = 10 / 224
"""Standard deviation of the blur that removes, in sides of the crop (Fong & Vedaldi 2017, arXiv
1704.03296: 10 pixels of 224)."""

Kind = Literal["deletion", "insertion"]


@dataclass(frozen=True)
class Curve:
    """Probability of the target class against the fraction removed or put back."""

    fractions: tuple[float, ...]
    probabilities: tuple[float, ...]

    @property
    def area(self) -> float:
        """See metrics.area_under_curve."""
        return area_under_curve(self.fractions, self.probabilities)


def pixel_order(values: Floats, placement: Placement, side: int) -> NDArray[np.int64]:
    """Pixels of a (side, side) picture, the most important first, (side²,).

    The map (h, w) is enlarged between the places of its cells (arrays.resample); the first pixels
    in reading order come first among equals, such as beyond the centres of the outermost cells.
    """
    return descending(resample(values, placement, side, side))


def first_pixels(order: NDArray[np.int64], fraction: float, side: int) -> Mask:
    """The first round(fraction · side²) pixels of an order, (side, side)."""
    return first_cells(order, round(fraction * order.size), (side, side))


def blur(picture: Floats, sigma: float) -> Floats:
    """A picture (3, H, W) under a Gaussian of standard deviation `sigma` pixels."""
    result: Floats = ndimage.gaussian_filter(picture, (0, sigma, sigma), mode="nearest")
    return result


def area_under_curve(fractions: Sequence[float], values: Sequence[float]) -> float:
    """∫ values d fractions by the trapezoid rule: the mean height when fractions go from 0 to 1.

    The score of deletion (lower is better) and insertion (higher is better) of Petsiuk et al. 2018
    (RISE, arXiv 1806.07421).
    """
    return float(np.trapezoid(values, fractions))
