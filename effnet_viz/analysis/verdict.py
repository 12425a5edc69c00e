"""What one explanation says, in sentences made from its numbers.

For readers who have never heard of a network's inner values: no sentence names them. Every
threshold stands here with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.caveats import IMPROBABLE, NEGATIVE
from effnet_viz.analysis.explanation import Explanation
from effnet_viz.analysis.faithfulness import HottestBlurred
from effnet_viz.analysis.words import (
    capitalised,
    evidence_value,
    ordinal_word,
    percent,
)
from effnet_viz.arrays import positive_range
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.metrics.place import AxisPlace, Place
from effnet_viz.records import Prediction

ON_ONE_SIDE = 2 / 3
"""Share of the evidence that makes a place of a side: twice as much there as elsewhere."""

SHIFT = 1 / 14
"""Least distance of the centre from the middle, in sides: half a cell of B0's last grid, 7 × 7.
A map cannot tell less."""

SPREAD = 0.75 / 12**0.5
"""Largest standard deviation along a side that still is a place: that of evidence which fills
three quarters of the side evenly. What is wider, or lies in regions far apart, has no place."""

DENSE = 0.4
"""Largest area with half of the evidence that still is a place: evidence is one and a half times as
dense there as in the rest. An even map has 0.5, and which of its cells come first is chance."""

WEAK = 0.5
"""Evidence is weak when its strongest cell has less than this share of the own answer's. From half
on, a map stays easy to see at the own answer's brightness, so its colours do not deceive. For the
cat among the samples, 99 % of the classes below 1 % are weaker in the CAM, half of them at stage 4.
"""


@dataclass(frozen=True)
class WeakEvidence:
    """A map that would look as strong as the one of the network's own answer, and is not."""

    strongest: float
    """Largest value of the map, in units of the logit; above 0."""
    own_strongest: float
    """The same of the map for the network's own answer, by the same method at the same stage."""
    own: Prediction
    """The network's own answer: the most probable class."""
    upper: float
    """The upper end of a colour scale for both maps, from 0: one brightness."""

    @property
    def sentence(self) -> str:
        return (
            f"Strongest cell {evidence_value(self.strongest)}, against "
            f"{evidence_value(self.own_strongest)} for its own answer, {self.own.label}."
        )


@dataclass(frozen=True)
class Verdict:
    """What a page says of one explanation before anything else."""

    headline: str
    guess: str
    evidence: str
    weak: WeakEvidence | None


def verdict(explanation: Explanation, own: Attribution | None = None) -> Verdict:
    """The sentences about one explanation.

    `own` is the map for the network's own answer by the same method at the same stage; it is made
    when it is needed and not given, which takes a run back through the network before its last
    stage. Raises EngineError and MemoryError from that run.
    """
    analysis, attribution = explanation.analysis, explanation.attribution
    target = attribution.target
    return Verdict(
        headline(target, trained=analysis.provenance.trained),
        guess(analysis, target),
        evidence(explanation),
        weak_evidence(analysis, attribution, own),
    )


def headline(target: Prediction, *, trained: bool = True) -> str:
    """“Tiger cat, 39 % sure”, “Espresso, below 0.1 %”; of random weights, that they are random."""
    if not trained:
        return "Untrained: its answers are chance"
    sure = "" if target.probability < IMPROBABLE else " sure"
    return f"{capitalised(target.label)}, {percent(target.probability)}{sure}"


def guess(analysis: Analysis, target: Prediction) -> str:
    """“Its first guess of 1000.”, “Its 460th guess of 1000.”, of as many classes as there are."""
    place = ordinal_word(analysis.predictions.rank(target.index))
    return f"Its {place} guess of {len(analysis.predictions)}."


def evidence(explanation: Explanation) -> str:
    """“Half of the evidence lies on 37 % of the picture, left and below the middle.”

    The share is `Concentration.area`: the smallest part of what the network saw that holds half of
    the positive evidence. The place is left out where that is more than DENSE, and where there is
    none; see place_in_words. Where next to nothing of the map is positive (NEGATIVE of all or
    less), that is said instead.
    """
    values = explanation.attribution.values  # (h, w)
    positive = float(np.maximum(values, 0).sum(dtype=np.float64))
    place = explanation.place
    if place is None or positive <= NEGATIVE * float(np.abs(values).sum(dtype=np.float64)):
        return f"Nothing in the picture speaks for {explanation.attribution.target.label}."
    area = explanation.concentration.area
    words = place_in_words(place) if area <= DENSE else None
    return (
        f"Half of the evidence lies on {percent(area, below='less than')} of the picture"
        f"{f', {words}' if words else ''}."
    )


def place_in_words(place: Place) -> str | None:
    """“in the middle”, “left and below the middle”, “at the top edge”; None where there is none.

    A side is named where ON_ONE_SIDE of the evidence lies on it, the centre is SHIFT or more from
    the middle, and the evidence is not spread more than SPREAD along that axis; an edge or corner
    where ON_ONE_SIDE lies in the outer quarter. “In the middle” is said where no side is named and
    ON_ONE_SIDE lies in the inner square of half the side. Else evidence is spread out, or in
    regions far apart, or its shift is small against its spread, and no place would be true.
    """
    across, at_side = _side(place.x, "left", "right")
    down, at_end = _side(place.y, "above", "below")
    edge = {"above": "top", "below": "bottom"}.get(down or "")
    match across, down:
        case None, None:
            return "in the middle" if place.inner >= ON_ONE_SIDE else None
        case str(), str() if at_side and at_end:
            return f"in the {edge} {across} corner"
        case str(), str() if at_side:
            return f"at the {across} edge, {down} the middle"
        case str(), str() if at_end:
            return f"at the {edge} edge, {across} of the middle"
        case str(), str():
            return f"{across} and {down} the middle"
        case str(), _:
            return f"at the {across} edge" if at_side else f"{across} of the middle"
    return f"at the {edge} edge" if at_end else f"{down} the middle"


def _side(axis: AxisPlace, first: str, last: str) -> tuple[str | None, bool]:
    """Which side of the middle evidence lies on along an axis, and whether at its very edge."""
    if axis.spread > SPREAD or abs(axis.centre - 0.5) < SHIFT:
        return None, False
    if axis.first_half >= ON_ONE_SIDE:
        return first, axis.first_quarter >= ON_ONE_SIDE
    if axis.first_half <= 1 - ON_ONE_SIDE:
        return last, axis.last_quarter >= ON_ONE_SIDE
    return None, False


def weak_evidence(
    analysis: Analysis, attribution: Attribution, own: Attribution | None = None
) -> WeakEvidence | None:
    """What to say of a map that looks strong because its colours fill the whole scale.

    Not said (None) where it would not help or not be true: for a class of IMPROBABLE (1 %) or more,
    which the network takes seriously; for the own answer itself; for random weights, whose own
    answer is chance; where nothing is positive in either map, which `evidence` says; and where the
    strongest cell has WEAK or more of the own answer's, since then the map does show that much, and
    the probability alone tells how improbable the class is.
    `own` is as in verdict.
    """
    best = analysis.predictions[0]
    target = attribution.target
    if (
        target.probability >= IMPROBABLE
        or target.index == best.index
        or not analysis.provenance.trained
    ):
        return None
    if own is None:
        own = analysis.attribute(attribution.method, attribution.stage, best.index)
    strongest, own_strongest = (float(one.values.max()) for one in (attribution, own))
    if strongest <= 0 or strongest >= WEAK * own_strongest:
        return None
    upper = positive_range(attribution.values, own.values)[1]
    return WeakEvidence(strongest, own_strongest, best, upper)


def blurred(change: HottestBlurred) -> str | None:
    """“Blur the hottest tenth, and 39 % becomes 29 %.”

    “… and it stays at 39 %” where both are the same number on the page: that a network does not
    need what its map shows brightest is worth knowing. None where both are below 1 %, where nothing
    can be lost that a reader would notice.
    """
    before, after = (percent(one.probability) for one in (change.before, change.after))
    if max(change.before.probability, change.after.probability) < IMPROBABLE:
        return None
    if before == after:
        return f"Blur the hottest tenth, and it stays at {before}."
    return f"Blur the hottest tenth, and {before} becomes {after}."
