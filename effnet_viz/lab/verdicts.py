"""The paper's claim against the lab's numbers, and what a live scene shows, for a page to arrange.

What is said follows from the numbers alone, whichever way they fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_viz.analysis.claims import ClaimVerdict, Status, points, status_of
from effnet_viz.analysis.explanation import Explanation
from effnet_viz.analysis.words import (
    NO_BREAK,
    capitalised,
    listed,
    number_word,
    ordinal_word,
    percent,
)
from effnet_viz.lab.demo import MaskScores
from effnet_viz.lab.results import CAM, COMPOUND, DETAILS, RELEVANCE, Difference, Results
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.sentences import CLAIM
from effnet_viz.records import Prediction

BASELINE = "baseline"
"""The network from which differences are told."""

SOURCE = "Tan and Le, 2019"
SOURCE_URL = "https://arxiv.org/abs/1905.11946"

ENOUGH_RUNS = 6
"""From so many trainings on, all with the same sign, a difference between two networks that are
equal in truth would be seen in less than 5 % of cases: 2 / 2⁶ = 3 % (sign test)."""


@dataclass(frozen=True)
class Claim:
    """What somebody says about the networks, word for word."""

    source: str
    url: str
    about: str
    """The network that it is about."""
    quotation: str

    @property
    def sentence(self) -> str:
        return f"{self.source}: {self.about} “{self.quotation}”"


PAPERS_CLAIM = Claim(SOURCE, SOURCE_URL, SCALINGS[COMPOUND].name, CLAIM)
"""Beside Figure 7 of arXiv 1905.11946."""


@dataclass(frozen=True)
class ChartRow:
    """One network in the chart of the evidence on the object."""

    key: str
    name: str
    share: float
    """Evidence on the object of what is possible, mean over runs; see RELEVANCE."""
    difference: Difference | None
    """From the baseline, with its 95 % interval; None for the baseline itself."""

    @property
    def by_chance(self) -> bool:
        """Whether the difference may be chance: the interval holds 0."""
        return self.difference is not None and not self.difference.clear

    @property
    def value(self) -> str:
        """“87 %”."""
        return percent(self.share)

    @property
    def change(self) -> str:
        """“+7 (+5 to +10)” in points of a percent; “the yardstick” for the baseline."""
        pair = self.difference
        if pair is None:
            return "the yardstick"
        return f"{points(pair.value)} ({points(pair.low)} to {points(pair.high)})"


def chart_rows(results: Results) -> tuple[ChartRow, ...]:
    """Every network's evidence on the object, in the order of Figure 7."""
    from_baseline = {
        pair.one: pair.seen_from(pair.one) for pair in results.against_others(BASELINE, RELEVANCE)
    }
    return tuple(
        ChartRow(key, _name(key), results.cam(key, RELEVANCE).mean, from_baseline.get(key))
        for key in results.networks
    )


def chart_title(results: Results) -> tuple[str, str]:
    """What the chart shows, and on how much it rests: “five miniatures, 2,651 scenes of drawings,
    three trainings each”."""
    scenes = sum(run.scenes_all_correct for run in results.runs)
    return (
        "Evidence on the object, of what is possible",
        f"{number_word(len(results.networks))} miniatures, {scenes:,} scenes of drawings, "
        f"{_trainings(results)} each",
    )


def claim_verdicts(results: Results) -> tuple[ClaimVerdict, ClaimVerdict, ClaimVerdict]:
    """More relevant regions, more object details, and whether it would happen again."""
    relevance, details = (percent(results.cam(COMPOUND, of).mean) for of in (RELEVANCE, DETAILS))
    even = percent(results.references["uniform"].everywhere[DETAILS].mean)
    return (
        _of_measure(
            results,
            RELEVANCE,
            "more relevant regions",
            f"{relevance} of the possible evidence on the object",
        ),
        _of_measure(
            results,
            DETAILS,
            "more object details",
            f"It covers {details} of the object",
            f"a map that is the same everywhere covers {even}",
        ),
        _again(results),
    )


def _of_measure(results: Results, measure: str, claim: str, lead: str, *notes: str) -> ClaimVerdict:
    """The compound network against the four others under one measure.

    Supported where it has clearly more than the baseline, which it scales, and more of the others
    have clearly less than have clearly more. Contradicted the other way round, and open else.
    Behind the lead stand the networks that made the verdict, then the rest.
    """
    pairs = results.against_others(COMPOUND, measure)
    less = [pair.one for pair in pairs if pair.low > 0]
    more = [pair.one for pair in pairs if pair.high < 0]
    unclear = [pair.one for pair in pairs if not pair.clear]

    def value(key: str) -> str:
        return percent(results.cam(key, measure).mean).removesuffix(f"{NO_BREAK}%")

    def have(keys: Sequence[str], what: str) -> str:
        verb = "has" if len(keys) == 1 else "have"
        return f"{_names(keys)} {verb} {what}: {listed([value(key) for key in keys])}"

    status, reason = Status.OPEN, list[str]()
    rest = [have(keys, what) for keys, what in ((more, "more"), (less, "less")) if keys]
    if BASELINE in less and len(less) > len(more):
        status, reason = Status.SUPPORTED, less
        rest = [have(more, "more still")] if more else []
    elif BASELINE in more and len(more) > len(less):
        status, reason = Status.CONTRADICTED, more
        rest = [have(less, "less still")] if less else []
    if reason:
        lead = f"{lead}; {', '.join(f'{_name(key)} {value(key)}' for key in reason)}"
    if unclear:
        verb = "is" if len(unclear) == 1 else "are"
        rest.append(
            f"{_names(unclear)} {verb} level within chance: "
            f"{listed([value(key) for key in unclear])}"
        )
    second = capitalised("; ".join([*rest, *notes]))
    return ClaimVerdict(status, claim, f"{lead}. {second}." if second else f"{lead}.")


def _again(results: Results) -> ClaimVerdict:
    """Whether the difference from the baseline in evidence on the object has one sign in all runs.

    Open below ENOUGH_RUNS, whatever they say: the intervals of the chart are over classes, and do
    not say what training again would change.
    """
    compound, baseline = (results.cam(key, RELEVANCE).runs for key in (COMPOUND, BASELINE))
    runs = len(results.runs)
    more = sum(one > other for one, other in zip(compound, baseline, strict=True))
    less = sum(one < other for one, other in zip(compound, baseline, strict=True))
    word, count = ("less", less) if less > more else ("more", more)
    among = f"{number_word(count) if count else 'none'} of {number_word(runs)} trainings"
    if count == runs:
        among = f"all {number_word(runs)} trainings" if runs > 1 else "the only training"
    found = (
        f"In {among} {_name(COMPOUND)} has {word} evidence on the object than {_name(BASELINE)}."
    )
    if count == runs >= ENOUGH_RUNS:
        return ClaimVerdict(Status.SUPPORTED, "it happens again", found)
    few = capitalised(_trainings(results))
    cannot = f"{few} cannot say what a {ordinal_word(runs + 1)} would change."
    return ClaimVerdict(Status.OPEN, "would it happen again?", f"{found} {cannot}")


def _trainings(results: Results) -> str:
    runs = len(results.runs)
    return f"{number_word(runs)} training{'' if runs == 1 else 's'}"


def _name(key: str) -> str:
    return SCALINGS[key].name


def _names(keys: Sequence[str]) -> str:
    return listed([_name(key) for key in keys])


@dataclass(frozen=True)
class Counterpart:
    """What the miniatures say of a claim that is made of other networks as well."""

    status: Status
    change: str
    """“+7 (+5 to +10)” in points of a percent, from the baseline."""


def counterpart(results: Results, key: str, measure: str) -> Counterpart | None:
    """A network's CAM minus the baseline's; None where the two are not compared."""
    for pair in results.differences.get((CAM, measure), ()):
        if {pair.one, pair.other} == {key, BASELINE}:
            seen = pair.seen_from(key)
            change = f"{points(seen.value)} ({points(seen.low)} to {points(seen.high)})"
            return Counterpart(status_of(seen.low, seen.high), change)
    return None


@dataclass(frozen=True)
class SceneAnswer:
    """What one network makes of a live scene."""

    name: str
    answer: Prediction
    """Its most probable class."""
    right: bool
    on_object: float
    """Share of the positive evidence on the object, 0 to 1."""
    possible: float
    """Most that is known to be possible on the map's grid, 0 to 1; not below `on_object`."""

    @property
    def sure(self) -> str:
        """“95 %”."""
        return percent(self.answer.probability)

    @property
    def on_object_text(self) -> str:
        return f"Evidence on the object {percent(self.on_object)}"

    @property
    def possible_text(self) -> str:
        return f"possible {percent(self.possible)}"


def scene_answer(
    explanation: Explanation, scores: MaskScores, name: str, label: int
) -> SceneAnswer:
    """One network's answer to a scene whose object is the class `label`, and where its map lies.

    Possible is what the object's own outline reaches on the map's grid (MaskScores.upper_bound). A
    map that leaves out the outline can have more; then that is what is possible.
    """
    answer = explanation.analysis.predictions[0]
    possible = max(scores.energy, scores.upper_bound)
    return SceneAnswer(name, answer, answer.index == label, scores.energy, possible)
