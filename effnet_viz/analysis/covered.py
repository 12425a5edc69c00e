"""What changes when a part of the photograph is covered, in sentences and pairs of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.analysis.predictions import Predictions
from effnet_viz.analysis.words import capitalised, ordinal_word, percent, percents
from effnet_viz.records import Prediction

ROWS = 5
"""The best classes after covering that are shown; the target comes in addition."""


@dataclass(frozen=True)
class BeforeAndAfter:
    """One class before and after a part was covered."""

    before: Prediction
    after: Prediction
    explained: bool
    """Whether it is the target class."""

    @property
    def change(self) -> str:
        """“34 → 37 %”, “< 1 → < 1 %”."""
        return percents(self.before.probability, self.after.probability, "→", below="<", over=">")


@dataclass(frozen=True)
class CoveredVerdict:
    """What a page says with a part covered."""

    headline: str
    sentence: str
    rows: tuple[BeforeAndAfter, ...]
    """The ROWS most probable classes after, and the target behind them unless it is one of them."""


def covered_verdict(
    before: Predictions, after: Predictions, target: int, *, keep: bool
) -> CoveredVerdict:
    """What became of the answer and of the target class (its index) when a part was covered.

    `before` and `after` are one network's predictions of the photograph as it is and with a part
    blurred; with `keep`, everything but the part is blurred.
    """
    rows = [_pair(before, after, answer.index, target) for answer in after[:ROWS]]
    if not any(row.explained for row in rows):
        rows.append(_pair(before, after, target, target))
    return CoveredVerdict(
        _headline(before, after, keep), _target(before, after, target), tuple(rows)
    )


def _pair(before: Predictions, after: Predictions, index: int, target: int) -> BeforeAndAfter:
    return BeforeAndAfter(before.of(index), after.of(index), index == target)


def _headline(before: Predictions, after: Predictions, keep: bool) -> str:
    """“Without this part: Egyptian cat, 37 %”; “still” where the answer is the same."""
    answer = after[0]
    still = "still " if answer.index == before[0].index else ""
    part = "Only this part" if keep else "Without this part"
    return f"{part}: {still}{answer.label}, {percent(answer.probability)}"


def _target(before: Predictions, after: Predictions, target: int) -> str:
    """“Tiger cat falls from first guess to third, from 39 to 14 %.”"""
    one, other = before.of(target), after.of(target)
    name = capitalised(one.label)
    old, new = before.rank(target), after.rank(target)
    share, left = percent(one.probability), percent(other.probability)
    change = f"from {percents(one.probability, other.probability, 'to')}"
    verb = "falls" if other.probability < one.probability else "rises"
    if old == new:
        place = f"{name} stays {ordinal_word(old)} guess"
        return f"{place}, at {share}." if share == left else f"{place} and {verb} {change}."
    moved = "falls" if new > old else "rises"
    places = f"{moved} from {ordinal_word(old)} guess to {ordinal_word(new)}"
    if share == left:
        return f"{name} {places} and stays at {share}."
    if moved == verb:
        return f"{name} {places}, {change}."
    return f"{name} {places}, though it {verb} {change}."
