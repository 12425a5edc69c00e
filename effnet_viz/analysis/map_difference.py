"""Why two methods' maps of one photograph differ: where they do, and what their formulas say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from effnet_viz.analysis.explanation import GRID
from effnet_viz.analysis.words import percent
from effnet_viz.arrays import TOP, Floats, Placement, resample
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import Family, Place
from effnet_viz.metrics.agreement import rank_correlation, ranks, top_iou

CLASSLESS = frozenset({"eigen-cam", "kpca-cam", "fem"})
"""Methods whose map is the same for every class."""
ALIKE = 0.9
"""Rank correlation above which two maps tell a reader the same."""


@dataclass(frozen=True, eq=False)
class MapDifference:
    """Two maps of one photograph, one network, one class."""

    one: Attribution
    other: Attribution
    values: Floats
    """Rank of each place in the one map less its rank in the other, (GRID, GRID), -1 to 1: ranks,
    because two methods have no common unit."""
    rank_correlation: float
    """-1 to 1; nan if a map is flat. See metrics.agreement."""
    shared: float
    """How much of their highest TOP they share, 0 to 1; see metrics.agreement.top_iou."""

    @property
    def placement(self) -> Placement:
        return Placement.even(GRID)


def map_difference(one: Attribution, other: Attribution) -> MapDifference:
    """The difference of two maps over what the network saw, on a grid that both are put on.

    Raises ValueError for maps of two photographs, networks or classes.
    """
    if (one.provenance, one.target.index) != (other.provenance, other.target.index):
        raise ValueError("Only maps of one photograph, one network and one class are compared.")
    first, second = (resample(each.values, each.placement, GRID, GRID) for each in (one, other))
    return MapDifference(
        one,
        other,
        ranks(first) - ranks(second),
        rank_correlation(first, second),
        top_iou(first, second),
    )


def sentences(found: MapDifference) -> str:
    """A paragraph: both formulas, what is different in them, and how much that is here."""
    methods = found.one.method, found.other.method
    told = [f"{method.title} is {method.formula}." for method in methods]
    told += _apart(found)
    if math.isnan(found.rank_correlation):
        told.append("One of the two maps is flat, so nothing can be said of how alike they are.")
        return " ".join(told)
    same = " They tell the same here." if found.rank_correlation > ALIKE else ""
    told.append(
        "On this photograph the ranks of their places correlate with "
        f"{found.rank_correlation:.2f}, and of the highest {percent(TOP)} of each they share "
        f"{percent(found.shared)}.{same}"
    )
    return " ".join(told)


def _apart(found: MapDifference) -> list[str]:
    """What sets the formulas apart."""
    one, other = found.one.method, found.other.method
    told = []
    if (one.place is Place.PIXELS) != (other.place is Place.PIXELS):
        pixels, cells = (found.one, found.other) if one.place is Place.PIXELS else (
            found.other, found.one
        )  # fmt: skip
        rows, columns = cells.values.shape
        told.append(
            f"{pixels.method.title} has a value for every pixel, {cells.method.title} one for each "
            f"of {rows}×{columns} cells, which have seen far more than their square."
        )
    elif found.one.stage != found.other.stage:
        told.append(f"They look at stage {found.one.stage} and stage {found.other.stage}.")
    told += [
        f"{method.title} does not know the class."
        for method in (one, other)
        if method.key in CLASSLESS
    ]
    signs = [bool((each.values < 0).any()) for each in (found.one, found.other)]
    if signs[0] != signs[1]:
        without, with_signs = (one, other) if signs[1] else (other, one)
        told.append(
            f"{with_signs.title} also has evidence against the class, {without.title} none here."
        )
    covering = [method for method in (one, other) if method.family is Family.PERTURBATION]
    if len(covering) == 1:
        told.append(
            f"{covering[0].title} watches what the network does with parts gone, the other reads "
            "the whole photograph."
        )
    return told
