"""Claims about what networks look at, against the study's numbers.

What is said follows from the numbers alone, whichever way they fall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from effnet_viz.analysis.claims import ClaimVerdict, Status, points, status_of
from effnet_viz.analysis.map_difference import CLASSLESS
from effnet_viz.analysis.words import NO_BREAK, change, listed, number_word, percent, percents
from effnet_viz.attribution.methods import METHODS
from effnet_viz.study.results import (
    EVERY,
    NAMED_BY_ALL,
    Estimate,
    MethodsMeasured,
    StudiedNetwork,
    StudyResults,
)

BASELINE, COMPOUND = "lite0", "lite2"
"""Lite2 is Lite0 scaled in depth, width and resolution, and trained so."""
ENLARGED = ("lite0-r320", "lite0-r448")
"""The baseline's weights at more pixels: nothing was trained anew."""
RELEVANCE, DETAILS = "share", "recall"
"""The measures that stand for the two halves of the paper's claim."""
SAME_GRID = "common_energy"
"""What a claim about RELEVANCE must hold for as well. A share of the bound on each network's own
grid may favour finer grids a little; energy with all maps averaged to one grid disfavours those
whose cells do not tile it, which the averaging blurs. The truth lies between. Their quotient on the
common grid (common_share) is no measure to compare by: averaging 8 × 8 cells to 7 × 7 lowers the
bound more than the energy, and so favours them."""

CANNOT = (
    "What this cannot show: pasted objects have no surroundings that fit them, and a cut edge that "
    "a network may notice. There are {objects} objects, few of each class, and some are small "
    "pictures enlarged."
)
CANNOT_ENLARGED = (
    " {networks}: Lite0's weights shown more pixels, which is no network trained for them."
)


@dataclass(frozen=True)
class StudyClaim:
    """A claim, what the numbers of real networks say of it, and what else has numbers for it."""

    key: str
    """“relevance”, “details”, “resolution”, “class”, “depth”."""
    verdict: ClaimVerdict


@dataclass(frozen=True)
class ShareRow:
    """One network in the chart of the evidence on the object."""

    key: str
    name: str
    named_by_all: Estimate
    """Share of what is possible, on scenes that all networks name rightly."""
    everywhere: Estimate
    """The same on all scenes."""
    right: Estimate
    """Share of all scenes that it names rightly."""

    @property
    def value(self) -> str:
        return percent(self.named_by_all.value)

    @property
    def interval(self) -> str:
        """“57 to 63 %”."""
        return percents(self.named_by_all.low, self.named_by_all.high, "to")

    @property
    def beside(self) -> str:
        """“47 % on all · 64 % right”."""
        return f"{percent(self.everywhere.value)} on all · {percent(self.right.value)} right"


def share_rows(results: StudyResults) -> tuple[ShareRow, ...]:
    """Every network's evidence on the object, the cheapest network first."""
    return tuple(
        ShareRow(
            one.key,
            name_of(one),
            one.measures[NAMED_BY_ALL][RELEVANCE],
            one.measures[EVERY][RELEVANCE],
            one.right,
        )
        for one in by_cost(results)
    )


def by_cost(results: StudyResults) -> list[StudiedNetwork]:
    """The networks, the one with the fewest multiply-adds first."""
    return sorted(results.networks.values(), key=lambda one: one.multiply_adds)


def name_of(network: StudiedNetwork) -> str:
    """“Lite0, 320 px”."""
    return network.title.removeprefix("EfficientNet-")


def claims(results: StudyResults) -> tuple[StudyClaim, ...]:
    """Those that the measured networks can say something of."""
    networks = results.networks
    found = []
    if {BASELINE, COMPOUND} <= set(networks):
        found.append(StudyClaim("relevance", _relevance(results)))
        found.append(StudyClaim("details", _details(results)))
    if BASELINE in networks and set(ENLARGED) & set(networks):
        found.append(StudyClaim("resolution", _enlarged(results)))
    if networks:
        found.append(StudyClaim("class", _own(results)))
        found.append(StudyClaim("depth", _late(results)))
    return tuple(found)


def cannot(results: StudyResults) -> str:
    """What stands beside every number of the study."""
    said = CANNOT.format(objects=results.objects)
    enlarged = [name_of(one) for one in by_cost(results) if one.key in ENLARGED]
    return said + (CANNOT_ENLARGED.format(networks=listed(enlarged)) if enlarged else "")


def rests_on(results: StudyResults) -> str:
    """“812 of 2,060 scenes, those that all five networks name rightly”."""
    count = len(results.networks)
    who = f"all {number_word(count)} networks name" if count > 1 else "the network names"
    return f"{results.named_by_all:,} of {results.scenes:,} scenes: those that {who} rightly"


def _details(results: StudyResults) -> ClaimVerdict:
    """Supported where the compound network has clearly more than the baseline on the same scenes,
    contradicted where it has clearly less."""
    found = _difference(results, COMPOUND, DETAILS)
    compound, baseline = (results.networks[key] for key in (COMPOUND, BASELINE))
    return ClaimVerdict(
        status_of(found.low, found.high),
        "… with more object details",
        f"{name_of(compound)} has {_value(compound, DETAILS)} of the object under strong evidence, "
        f"{name_of(baseline)} {_value(baseline, DETAILS)}: {_change(found)} points. A map that is "
        "the same everywhere has all of it.",
    )


def _relevance(results: StudyResults) -> ClaimVerdict:
    """Supported where the compound network has clearly more than the baseline by RELEVANCE and by
    SAME_GRID, contradicted where it has clearly less by both."""
    on_own, on_same = (_difference(results, COMPOUND, name) for name in (RELEVANCE, SAME_GRID))
    compound, baseline = (results.networks[key] for key in (COMPOUND, BASELINE))
    return ClaimVerdict(
        _both([on_own, on_same]),
        "the compound-scaled network looks at more relevant regions",
        f"{name_of(compound)} has {_value(compound, RELEVANCE)} of the possible evidence on the "
        f"object, {name_of(baseline)} {_value(baseline, RELEVANCE)}: {_change(on_own)} points. "
        f"With all maps averaged to {_grid(results)} it is {_change(on_same)} points of all "
        "evidence.",
    )


def _enlarged(results: StudyResults) -> ClaimVerdict:
    """Supported where every enlarged input has clearly more than the baseline by RELEVANCE and by
    SAME_GRID, contradicted where all have clearly less by both."""
    keys = [key for key in ENLARGED if key in results.networks]
    pairs = {
        key: [_difference(results, key, name) for name in (RELEVANCE, SAME_GRID)] for key in keys
    }
    said = "; ".join(
        [
            f"{results.networks[key].resolution}{NO_BREAK}px {_change(on_own)}, and "
            f"{_change(on_same)} with all maps averaged to {_grid(results)}"
            for key, (on_own, on_same) in pairs.items()
        ]
    )
    right = listed(
        [
            f"{percent(results.networks[key].right.value)} at "
            f"{results.networks[key].resolution}{NO_BREAK}px"
            for key in (BASELINE, *keys)
        ]
    )
    return ClaimVerdict(
        _both([one for both in pairs.values() for one in both]),
        "more pixels alone do it as well",
        f"Of the possible evidence on the object, in points against "
        f"{name_of(results.networks[BASELINE])}: {said}. It names rightly {right} "
        "of all scenes.",
    )


def _difference(results: StudyResults, key: str, measure: str) -> Estimate:
    """From the baseline; both are measured."""
    found = results.difference(key, BASELINE, measure)
    if found is None:
        raise KeyError(measure)
    return found


def _both(found: list[Estimate]) -> Status:
    if all(one.more for one in found):
        return Status.SUPPORTED
    return Status.CONTRADICTED if all(one.less for one in found) else Status.OPEN


def _grid(results: StudyResults) -> str:
    return f"{results.common_grid}{NO_BREAK}×{NO_BREAK}{results.common_grid} cells"


def _own(results: StudyResults) -> ClaimVerdict:
    """Supported where clearly more than half of every network's maps of two objects have more on
    their own object, contradicted where clearly less than half of one network's have."""
    networks = results.networks.values()
    halves = [one.two.more_on_own for one in networks]
    moved = [Estimate(one.value - 0.5, one.low - 0.5, one.high - 0.5) for one in halves]
    values = [one.value for one in halves]
    own, other, even = (
        sum(values) / len(networks)
        for values in (
            [one.two.own.value for one in networks],
            [one.two.other.value for one in networks],
            [one.two.even_other.value for one in networks],
        )
    )
    return ClaimVerdict(
        _all(moved),
        "a map follows its class, not the other object",
        f"With two objects in the picture, {_range(values)} of the maps have more evidence on the "
        f"object of their class. On average {percent(own)} lies on it and {percent(other)} on the "
        f"other; an even map has {percent(even)} there.",
    )


def _late(results: StudyResults) -> ClaimVerdict:
    """Supported where the last stage has clearly more of what is possible than the first half of
    every network, contradicted where it has clearly less in one."""
    networks = results.networks.values()
    last = [one.stages[-1].share.value for one in networks]
    best = [max(one.stages, key=lambda stage: stage.share.value) for one in networks]
    gains = [one.late_minus_early for one in networks]
    said = (
        f"Of what is possible on its grid, the last stage has {_range(last)} on the object: "
        f"{_span([gain.value for gain in gains])} points against the first half of the layers."
    )
    if any(stage.depth < 1 for stage in best):
        peaks = [stage.share.value for stage in best]
        said += f" The best stage has {_range(peaks)}, at {_range([s.depth for s in best])} depth."
    return ClaimVerdict(_all(gains), "late stages find the object better than early ones", said)


def _all(found: list[Estimate]) -> Status:
    if all(one.more for one in found):
        return Status.SUPPORTED
    return Status.CONTRADICTED if any(one.less for one in found) else Status.OPEN


def _value(network: StudiedNetwork, measure: str) -> str:
    return percent(network.measures[NAMED_BY_ALL][measure].value)


def _change(found: Estimate) -> str:
    """“+0.9 (+0.2 to +1.8)” in points of a percent."""
    value, low, high = (change(100 * share, 1) for share in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})".replace(" (", f"{NO_BREAK}(")


def _range(shares: list[float]) -> str:
    """“92 to 97 %”."""
    low, high = percent(min(shares)), percent(max(shares))
    return low if low == high else percents(min(shares), max(shares), "to")


def _span(shares: list[float]) -> str:
    """“+5 to +9”."""
    low, high = points(min(shares)), points(max(shares))
    return low if low == high else f"{low} to {high}"


def agreement_in_words(agreement: Mapping[str, Estimate]) -> str:
    """Which numbers rank methods as the mask does, which the other way round; by their names."""
    said = []
    if found := [name for name, one in agreement.items() if one.more]:
        tend = _plural(found, "tends", "tend")
        said.append(f"{listed(found)} {tend} to rank methods as the mask does.")
    if found := [name for name, one in agreement.items() if one.less]:
        tend = _plural(found, "tends", "tend")
        said.append(f"{listed(found)} {tend} to rank them the other way round.")
    if found := [name for name, one in agreement.items() if not one.more and not one.less]:
        intervals = _plural(found, "its interval includes", "their intervals include")
        said.append(f"{listed(found)} may say nothing of it: {intervals} 0.")
    return " ".join(said)


def _plural(names: Sequence[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several


def classless_in_words(measured: MethodsMeasured) -> str:
    """What not to conclude of methods that know no class; empty where none was measured."""
    names = [METHODS[row.method].title for row in measured.methods if row.method in CLASSLESS]
    if not names:
        return ""
    knows = _plural(names, "knows", "know")
    return (
        f"{listed(names)} {knows} nothing of the class: with one object in the picture that is no "
        "handicap, with two the map is the same for both."
    )
