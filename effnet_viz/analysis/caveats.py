"""What a map shows that is easily mistaken for attention, found by simple rules.

Every rule has a threshold that stands here with its reason. A caveat is a hint, never a proof; no
caveat does not mean that the map is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import Floats, Placement, resample, top
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.records import Prediction

FLAT = 0.01
"""A map is flat when its values span less than this share of the largest one: less than the steps
between 256 colours when zero is among them."""

NEGATIVE = 0.01
"""Nothing speaks for the class when less than this share of all evidence is positive."""

IMPROBABLE = 0.01
"""A probability that is negligible: ten times that of a guess among 1000 classes."""

ALTERNATES = (-0.5, 0.3)
"""Correlation of fine detail with its next neighbour (at most) and with the one after that (at
least) in a checkerboard or stripes; ideal ones have -1 and 1, noise and single peaks about -0.2
and 0."""

VISIBLE = 0.25
"""Standard deviation of fine detail, as a share of the map's own, from which on it is seen."""

BLOCKS = 7
"""Corners and borders are judged on this many blocks a side: the grid of B0's last stage."""

HOTTEST = 0.1
"""A corner is hot when it is among the hottest tenth of the blocks, 5 of 49."""

BORDER_FACTOR = 2.0
"""A border is hot when most of its blocks hold this many times the positive evidence of the inner
blocks."""

SEVERAL = 3
"""Hot corners or borders that are needed: an object may lie in one corner or along two sides."""


@dataclass(frozen=True)
class Caveat:
    """Something to know before reading a map."""

    key: str
    """Stable name of the rule."""
    title: str
    text: str
    """Two sentences: what it is, what to do."""


def caveats(analysis: Analysis, attribution: Attribution) -> tuple[Caveat, ...]:
    """All that is known against a map of the analysis, by rule."""
    at = "" if attribution.stage is None else f" at stage {attribution.stage}"
    name = f"{attribution.method.title}{at}"
    return (
        *_of_the_network(analysis, attribution.target),
        *_of_the_map(attribution.values, name),
    )


def _of_the_network(analysis: Analysis, target: Prediction) -> Iterator[Caveat]:
    card = analysis.model.card
    native = card.native_resolution
    if not analysis.provenance.trained:
        yield Caveat(
            "untrained",
            "Untrained network",
            "The weights are random, so this map shows the architecture and chance, and nothing "
            "learned. Use it as a contrast only, or choose a network with weights.",
        )
    elif native is not None and native != card.resolution:
        yield Caveat(
            "resolution",
            "Another resolution than the weights' own",
            f"These weights were published for {native} px and see {card.resolution} px here, so "
            "objects have another size than in training, and probabilities may change. Compare "
            f"with the map at {native} px before you draw a conclusion.",
        )
    if target.probability < IMPROBABLE:
        yield Caveat(
            "improbable",
            "Improbable class",
            f"{card.title} gives “{target.label}” a probability of {target.probability:.2%}, so "
            "this map explains a score that the network does not stand behind. Choose a class from "
            "the top of its predictions to see what it does see.",
        )


def _of_the_map(evidence: Floats, name: str) -> Iterator[Caveat]:
    magnitude = np.abs(evidence)  # (h, w)
    if np.maximum(evidence, 0).sum() <= NEGATIVE * magnitude.sum():
        yield Caveat(
            "negative",
            "Nothing speaks for the class",
            f"The {name} has next to no positive value: the places speak against the class. Show "
            "signed values to see where it speaks against it least, or choose another class.",
        )
    if np.ptp(evidence) <= FLAT * magnitude.max():
        yield Caveat(
            "flat",
            "Flat map",
            f"All cells of the {name} have nearly the same value, so colours that fill the whole "
            "scale show differences that do not matter. Choose a later stage or a larger "
            "resolution.",
        )
        return
    if min(evidence.shape) < 4:  # too few cells for neighbours and borders to mean anything
        return
    if _alternates(evidence):
        yield Caveat(
            "checkerboard",
            "Checkerboard",
            f"Neighbouring cells of the {name} alternate between high and low, which comes from "
            "the strides of the network and not from the photograph. Do not read single cells; "
            "look at another stage or resolution and keep what stays.",
        )
    corners, borders = _hot_edges(evidence)
    if corners >= SEVERAL:
        yield Caveat(
            "corners",
            "Hot corners",
            f"{corners} corners of the {name} are among its hottest places, which networks do "
            "where the zeros around the picture meet its edges. Frame the photograph differently: "
            "what stays in the corners is not the object.",
        )
    elif borders >= SEVERAL:
        yield Caveat(
            "borders",
            "Hot borders",
            f"{borders} borders of the {name} hold more evidence than its middle, which networks "
            "do where the zeros around the picture meet its edges. Leave more room around the "
            "object: what stays at the borders is not the object.",
        )


def _alternates(evidence: Floats) -> bool:
    """Whether fine detail alternates from cell to cell along rows or columns; see ALTERNATES."""
    detail = evidence - ndimage.uniform_filter(evidence, 3, mode="nearest")  # (h, w)
    power = float((detail**2).mean())
    if power <= (VISIBLE * float(evidence.std())) ** 2:
        return False
    next_at_most, second_at_least = ALTERNATES
    for along in (detail, detail.T):  # rows below each other, then columns beside each other
        next_one = float((along[:-1] * along[1:]).mean()) / power
        second = float((along[:-2] * along[2:]).mean()) / power
        if next_one <= next_at_most and second >= second_at_least:
            return True
    return False


def _hot_edges(evidence: Floats) -> tuple[int, int]:
    """How many corners and borders of a map are hot, 0 to 4 each.

    Padding as their cause: Alsallakh et al. 2021, "Mind the Pad" (arXiv 2010.02178).
    """
    # Of the grid, not of the photograph: padding meets the outermost cells, wherever they lie.
    grid = Placement.even(len(evidence))
    blocks = resample(np.maximum(evidence, 0), grid, BLOCKS, BLOCKS)  # (BLOCKS, BLOCKS)
    hottest = top(blocks, HOTTEST) & (blocks > 0)  # (BLOCKS, BLOCKS)
    corners = int(hottest[[0, 0, -1, -1], [0, -1, 0, -1]].sum())
    inner = float(blocks[1:-1, 1:-1].mean())
    along = slice(1, -1)  # without the corners
    sides = (blocks[0, along], blocks[-1, along], blocks[along, 0], blocks[along, -1])
    # The median: a border is hot over most of its length.
    borders = sum(float(np.median(side)) > BORDER_FACTOR * inner for side in sides)
    return corners, borders
