"""Which networks' maps agree, in sentences made from the rank correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.comparison import Comparison
from effnet_viz.analysis.words import decimal, listed, number_word, ordinal

AGREE = 0.7
"""Mean rank correlation from which on maps agree. Nine of ten pairs of maps that published networks
make for one class of one photograph reach it, one of four pairs that have nothing in common but
that objects tend to be in the middle (docs/choices.md)."""

DIFFER = 0.5
"""Mean rank correlation up to which maps differ: the median of maps of unrelated photographs."""

_DIGITS = 2
"""Correlations are judged as they are written: 0.70 agrees, whatever its third digit is."""

Correlations = NDArray[np.float64]
Group = list[int]
"""Places of networks in the order of the comparison."""


@dataclass(frozen=True)
class ComparisonVerdict:
    """What a page says of several networks' maps before anything else."""

    text: str
    """One or two short sentences."""
    left_out: str | None
    """Which networks the text is not about, and why; None when it is about all."""


def comparison_verdict(comparison: Comparison, names: Sequence[str]) -> ComparisonVerdict:
    """Which networks agree; `names` are how they are called, in the order of the comparison.

    See agreement_verdict. Raises ValueError for another number of names.
    """
    trained = [one.analysis.provenance.trained for one in comparison.explanations]
    return agreement_verdict(comparison.rank_correlation, names, trained)


def agreement_verdict(
    correlations: Correlations, names: Sequence[str], trained: Sequence[bool]
) -> ComparisonVerdict:
    """“Baseline and Compound agree (0.71). Higher resolution differs (0.22, 0.23).”

    `correlations` (n, n) is symmetric, -1 to 1; a row is nan where a map has no order. Two groups
    of networks become one, those with the highest mean correlation between their members first,
    while that is AGREE or more; the members of a group agree. Networks outside differ where their
    highest mean correlation with a group or another network is DIFFER or less; else they agree in
    part. In brackets stand the correlations, of more than two the lowest and the highest.
    Untrained networks are left out, whose maps are chance, and maps without an order.
    Raises ValueError when the numbers of networks do not fit each other.
    """
    if not len(names) == len(trained) == len(correlations):
        raise ValueError(f"{len(names)} names for {len(correlations)} networks.")
    flat = np.isnan(correlations.diagonal())  # (n,)
    judged = [i for i in range(len(names)) if trained[i] and not flat[i]]
    reasons = {
        "random weights agree by chance": [i for i in range(len(names)) if not trained[i]],
        "the same value everywhere": [i for i in range(len(names)) if trained[i] and flat[i]],
    }
    left_out = [
        f"{listed([names[i] for i in left])} {'is' if len(left) == 1 else 'are'} left out: {why}."
        for why, left in reasons.items()
        if left
    ]
    rounded = np.round(correlations[np.ix_(judged, judged)], _DIGITS)  # (judged, judged)
    text = _text(rounded, [names[i] for i in judged])
    return ComparisonVerdict(text, " ".join(left_out) or None)


def _text(correlations: Correlations, names: Sequence[str]) -> str:
    if len(names) < 2:
        return "It takes two trained networks to see whether maps agree."
    everyone = list(range(len(names)))
    groups = _groups(correlations)
    agreeing = [group for group in groups if len(group) > 1]
    outside = [group for group in groups if len(group) == 1]
    if len(groups) == 1:
        who = listed(names) if len(names) == 2 else f"All {number_word(len(names))}"
        return f"{who} agree {_within(correlations, everyone)}."
    if not agreeing:
        nearest = _nearest(correlations, groups[0], groups)
        who = f"{listed(names)} {_verb(nearest, 2)}" if len(names) == 2 else "No two networks agree"
        return f"{who} {_within(correlations, everyone)}."
    first = "; ".join(
        f"{listed([names[i] for i in group])} agree {_within(correlations, group)}"
        for group in agreeing
    )
    if outside:
        return f"{first}. {_about_outside(correlations, names, groups)}."
    nearest = max(_nearest(correlations, group, groups) for group in groups)
    between = [pair for one, other in combinations(groups, 2) for pair in product(one, other)]
    return (
        f"{first}. The {number_word(len(groups))} groups {_verb(nearest, len(groups))} "
        f"{_in_brackets(correlations, between)}."
    )


def _about_outside(
    correlations: Correlations, names: Sequence[str], groups: Sequence[Group]
) -> str:
    """Of the networks that agree with no other: which differ, and which agree in part."""
    outside = {
        group[0]: _nearest(correlations, group, groups) for group in groups if len(group) < 2
    }
    parts = []
    for apart in (True, False):
        who = [i for i, nearest in outside.items() if (nearest <= DIFFER) == apart]
        pairs = [(i, j) for i in who for j in range(len(names)) if j not in who or i < j]
        if who:
            verb = _verb(outside[who[0]], len(who))
            called = listed([names[i] for i in who])
            parts.append(f"{called} {verb} {_in_brackets(correlations, pairs)}")
    return "; ".join(parts)


def _groups(correlations: Correlations) -> list[Group]:
    """Average linkage down to AGREE; groups and their members in the order of the networks."""
    groups = [[i] for i in range(len(correlations))]
    while len(groups) > 1:
        one, other = max(combinations(groups, 2), key=lambda pair: _mean(correlations, *pair))
        if _mean(correlations, one, other) < AGREE:
            break
        groups.remove(other)
        one.extend(other)
        one.sort()
    return sorted(groups)


def _mean(correlations: Correlations, one: Group, other: Group) -> float:
    """Mean correlation of the members of two groups, to the digits that are written."""
    return round(float(correlations[np.ix_(one, other)].mean()), _DIGITS)


def _nearest(correlations: Correlations, group: Group, groups: Sequence[Group]) -> float:
    return max(_mean(correlations, group, other) for other in groups if other is not group)


def _verb(nearest: float, count: int) -> str:
    if nearest <= DIFFER:
        return "differs" if count == 1 else "differ"
    return "agrees in part" if count == 1 else "agree in part"


def _within(correlations: Correlations, group: Group) -> str:
    return _in_brackets(correlations, list(combinations(group, 2)))


def _in_brackets(correlations: Correlations, pairs: Sequence[tuple[int, int]]) -> str:
    """“(0.71)”, “(0.22, 0.23)”, “(0.10 to 0.35)”."""
    values = [correlations[pair] for pair in pairs]
    if len(values) > 2:
        low, high = decimal(min(values), _DIGITS), decimal(max(values), _DIGITS)
        return f"({low})" if low == high else f"({low} to {high})"
    return f"({', '.join(decimal(value, _DIGITS) for value in values)})"


def guess_among(analysis: Analysis) -> str:
    """How a network ranks its target: “its first guess”, “2nd, after Egyptian cat”, “3rd guess”.

    Of random weights: “460th guess, by chance”.
    """
    place = analysis.predictions.rank(analysis.target.index)
    if not analysis.provenance.trained:
        return f"{ordinal(place)} guess, by chance"
    if place == 1:
        return "its first guess"
    if place == 2:
        return f"2nd, after {analysis.predictions[0].label}"
    return f"{ordinal(place)} guess"
