"""Which method to trust: several methods' maps of one photograph, each in the same numbers.

No number here knows the truth: each asks one question of a map, and MEASURES says which one and
what it leaves open.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np

from effnet_viz.analysis.analysis import (
    Analysis,
    NoClassActivationMapError,
    Source,
    Target,
    analyse,
    analyse_input,
)
from effnet_viz.analysis.explanation import GRID
from effnet_viz.analysis.faithfulness import Perturbation, perturb_input, race, says
from effnet_viz.analysis.pointing_game import GridCell, grid_pointing
from effnet_viz.analysis.progress import Progress, part, silent
from effnet_viz.arrays import Floats, positive_evidence, resample
from effnet_viz.attribution import methods as table
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import Method, MethodRefusedError
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import Preprocessing
from effnet_viz.metrics import confidence, road, stability
from effnet_viz.metrics.deletion import FRACTIONS, first_pixels
from effnet_viz.metrics.sparseness import gini
from effnet_viz.models.model import Model

Plain = str | int | float | None


@dataclass(frozen=True)
class Measure:
    """One number of a map, and how to read it."""

    key: str
    """Its name in MethodScores."""
    title: str
    better: Literal["higher", "lower"]
    shows: str
    """In one sentence."""
    does_not_show: str
    """In one sentence."""


MEASURES = (
    Measure(
        "deletion",
        "Deletion",
        "lower",
        "How much of the probability is left on average while the pixels are blurred, the most "
        "important ones first.",
        "Whether the map is right where the blur itself is what the network reacts to.",
    ),
    Measure(
        "insertion",
        "Insertion",
        "higher",
        "How much of the probability is back on average while the pixels become sharp, the most "
        "important ones first.",
        "Whether all that matters is marked: the network may need only one of several parts.",
    ),
    Measure(
        "average_drop",
        "Average drop",
        "lower",
        "Which part of the probability is lost when everything is dimmed but what the map marks.",
        "Whether what is marked matters: a map that marks everything loses nothing.",
    ),
    Measure(
        "increase",
        "Increase in confidence",
        "higher",
        "Whether the network is surer when everything is dimmed but what the map marks.",
        "By how much, and anything at all where the network is sure from the start.",
    ),
    Measure(
        "road",
        "ROAD",
        "higher",
        "How much more the probability suffers when the most important pixels are filled in from "
        "their neighbours than when the least important ones are; chance gives 0 on average.",
        "Whether a small difference is one: on one photograph chance alone can give 0.1; nor "
        "whether smooth and spotted maps differ, since large areas filled in leave a blur that a "
        "network notices.",
    ),
    Measure(
        "pointing",
        "Grid pointing",
        "higher",
        "Which share of the evidence for a class lies on its photograph among four; an even map "
        "has a quarter.",
        "Whether the map is right inside that photograph, or on this one: the game has its own.",
    ),
    Measure(
        "stability",
        "Stability",
        "higher",
        "How alike the ranks of its places stay when the photograph is shifted, flipped or made "
        "brighter; 1 is unchanged.",
        "Whether the map is right: one that always marks the middle is stable, too.",
    ),
    Measure(
        "sparseness",
        "Sparseness",
        "higher",
        "How few places hold the map: 0 for an even one, nearly 1 for a single place.",
        "Whether these places are the right ones.",
    ),
)
"""Every number of a map, in the order of the table."""

_MEASURE = {measure.key: measure for measure in MEASURES}


@dataclass(frozen=True, eq=False)
class MethodScores:
    """One method's map of one photograph in numbers; nan where one is undefined. See MEASURES."""

    attribution: Attribution
    """The map."""
    deletion: float
    """Area in shares of the whole photograph's probability; see faithfulness.DeletionInsertion."""
    insertion: float
    """The same for insertion; above 1 where parts are surer than the whole."""
    average_drop: float
    """0 to 1; see metrics.confidence."""
    increase: bool
    """See metrics.confidence."""
    road: float
    """-1/2 to 1/2; see metrics.road."""
    pointing: float | None
    """Mean share, 0 to 1; None where the game was not played. See pointing_game.GridPointing."""
    stability: float
    """Mean of the three changes, -1 to 1; see metrics.stability."""
    sparseness: float
    """Gini index over (GRID, GRID) places, 0 to 1; see metrics.sparseness."""
    passes: int
    """Runs forward and back through the network that one map takes, about, beside the first."""
    seconds: float
    """What one map took on this machine, without the forward pass that all methods share."""

    @property
    def method(self) -> Method:
        return self.attribution.method

    def value(self, measure: str) -> float | None:
        """The number of a measure by its key; None where it is undefined or was not computed."""
        found: float | None = getattr(self, _MEASURE[measure].key)
        return None if found is None or np.isnan(found) else float(found)


@dataclass(frozen=True)
class MethodRefused:
    """A method that has no map of this network or here."""

    method: Method
    reason: str
    """Why, and what to do."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Several methods on one photograph: a row for each, in the order in which they were asked."""

    analysis: Analysis
    rows: Mapping[str, MethodScores | MethodRefused]
    """By the key of the method."""
    measures: tuple[Measure, ...] = MEASURES

    @property
    def scores(self) -> tuple[MethodScores, ...]:
        """Of the methods that have a map."""
        return tuple(row for row in self.rows.values() if isinstance(row, MethodScores))

    @property
    def refused(self) -> tuple[MethodRefused, ...]:
        return tuple(row for row in self.rows.values() if isinstance(row, MethodRefused))

    @cached_property
    def ranks(self) -> Mapping[str, Mapping[str, float]]:
        """Key of a measure to key of a method to its place, 1 the best; see standings.

        A method without that number has no place.
        """
        found = {}
        for measure in self.measures:
            values = {row.method.key: row.value(measure.key) for row in self.scores}
            there = {key: value for key, value in values.items() if value is not None}
            places = standings(list(there.values()), measure.better)
            found[measure.key] = MappingProxyType(dict(zip(there, places, strict=True)))
        return MappingProxyType(found)

    def as_rows(self) -> list[dict[str, Plain]]:
        """A row for each method as plain values, ready for CSV and JSON; None where none is.

        `reason` says why a method has no map, `…_rank` is its place in a measure, and the increase
        in confidence is 1 or 0.
        """
        return [self._plain(key, row) for key, row in self.rows.items()]

    def _plain(self, key: str, row: MethodScores | MethodRefused) -> dict[str, Plain]:
        scores = row if isinstance(row, MethodScores) else None
        plain: dict[str, Plain] = {
            "method": key,
            "title": row.method.title,
            "stage": None if scores is None else scores.attribution.stage,
            "target": self.analysis.target.label,
            "reason": row.reason if isinstance(row, MethodRefused) else None,
        }
        for measure in self.measures:
            plain[measure.key] = None if scores is None else scores.value(measure.key)
            plain[f"{measure.key}_rank"] = self.ranks[measure.key].get(key)
        plain["passes"] = row.method.passes
        plain["seconds"] = None if scores is None else scores.seconds
        return plain


def standings(values: Sequence[float], better: Literal["higher", "lower"]) -> list[float]:
    """The place of each value, 1 the best; equal ones share the mean of their places.

    Values that differ only from the sixth decimal place on are equal: one map computed in two ways
    is rounded in two ways.
    """
    from scipy import stats  # takes seconds to import, and no first picture needs it

    signed = [round(-value if better == "higher" else value, 5) for value in values]
    return [float(place) for place in stats.rankdata(signed)]


PERTURBATIONS = 2 * len(FRACTIONS) - 2 + 1 + 2 * len(road.FRACTIONS)
"""Forward passes for deletion and insertion (40), average drop (1) and ROAD (8)."""


def passes_of(method: Method, cells: int = 0) -> int:
    """Runs through the network that score_method takes, about.

    49 with parts of the photograph removed, the method's own for one map and for three changed
    photographs, which are a forward pass each; with the pointing game, a forward pass at twice the
    resolution and the method's own for every cell. 52 and 4 for Grad-CAM, 92 for a method of 10.
    """
    maps = method.passes + len(stability.CHANGES) * (1 + method.passes)
    return PERTURBATIONS + maps + (1 + cells * method.passes if cells else 0)


def score_method(
    analysis: Analysis,
    method: Method | str,
    *,
    stage: int | None = None,
    cells: Sequence[GridCell] = (),
    doubled: Model | None = None,
    progress: Progress = silent,
) -> MethodScores:
    """The numbers of one method's map, for the class of the analysis, in passes_of(method) runs.

    `stage` None is the last one; a method of the last stage alone is asked for that whatever
    `stage` says. With `cells` the grid pointing game is played by `doubled`, the network at twice
    its resolution (pointing_game.entry_for_mosaic). Images go through the engine one by one, which
    on a processor is as fast as together and keeps the stages of one alone in memory. Everything
    random has a seed: the same call gives the same bits, but for `seconds`.
    Raises what Analysis.attribute raises, and ValueError for cells without `doubled`.
    """
    if cells and doubled is None:
        raise ValueError("The pointing game needs the network at twice its resolution: `doubled`.")
    method = table.find(method)
    last = analysis.model.last_stage
    at = method.stage_of(last if stage is None else stage, last)
    steps = _Steps(progress, passes_of(method, len(cells)))

    begin = time.perf_counter()
    attribution = analysis.attribute(method, at, progress=steps.next(method.passes))
    seconds = time.perf_counter() - begin

    model, target = analysis.model, attribution.target
    prepared = perturb_input(analysis.image, analysis.crop, model.preprocessing, attribution)
    curves = race(model, attribution, prepared, steps.next(2 * len(FRACTIONS) - 2))

    side = analysis.crop.resolution
    evidence = positive_evidence(attribution.values)  # (h, w)
    mask = confidence.evidence_mask(resample(evidence, attribution.placement, side, side))
    dimmed = confidence.masked(analysis.image[0], mask)[None]  # (1, 3, R, R)
    after = says(model, dimmed, target).probability
    steps.next(1)

    return MethodScores(
        attribution=attribution,
        deletion=curves.relative_area("deletion"),
        insertion=curves.relative_area("insertion"),
        average_drop=confidence.average_drop(target.probability, after),
        increase=confidence.increase_in_confidence(target.probability, after),
        road=_road(model, attribution, prepared, steps.next(2 * len(road.FRACTIONS))),
        stability=_stability(analysis, attribution, at, steps),
        pointing=None
        if doubled is None or not cells
        else grid_pointing(
            doubled,
            cells,
            at,
            method=method,
            progress=steps.next(1 + len(cells) * method.passes),
        ).mean,
        sparseness=gini(resample(attribution.values, attribution.placement, GRID, GRID)),
        passes=method.passes,
        seconds=seconds,
    )


class _Steps:
    """Parts of a task one after the other, each as long as it has passes."""

    def __init__(self, progress: Progress, passes: int) -> None:
        self._progress = progress
        self._passes = passes
        self._done = 0

    def next(self, passes: int) -> Progress:
        """Hears how much of the next part is done."""
        first, self._done = self._done / self._passes, self._done + passes
        self._progress(first)
        return part(self._progress, first, self._done / self._passes)


def _road(
    model: Model, attribution: Attribution, prepared: Perturbation, progress: Progress
) -> float:
    side, target = prepared.crop.resolution, attribution.target
    found: list[list[float]] = []
    orders = (prepared.order[::-1], prepared.order)  # the least important first, then the most
    for order in orders:
        probabilities = []
        for fraction in road.FRACTIONS:
            removed = first_pixels(order, fraction, side)  # (R, R)
            filled = road.impute(prepared.original, removed)[None]  # (1, 3, R, R)
            probabilities.append(says(model, filled, target).probability)
            done = len(found) * len(road.FRACTIONS) + len(probabilities)
            progress(done / (len(orders) * len(road.FRACTIONS)))
        found.append(probabilities)
    least_first, most_first = found
    return road.road_score(least_first, most_first)


def _stability(
    analysis: Analysis, attribution: Attribution, stage: int | None, steps: _Steps
) -> float:
    method, other = attribution.method, attribution.other
    black = _black(analysis.model.preprocessing)  # (3,)
    original = _pixels(attribution)  # (R, R)
    found = []
    for change in stability.CHANGES:
        progress = steps.next(1 + method.passes)
        x = stability.changed(analysis.image, change, black)  # (1, 3, R, R)
        digest = f"{analysis.provenance.image_sha256} {change}"
        after = analyse_input(x, analysis.crop, digest, analysis.model).attribute(
            method,
            stage,
            attribution.target.index,
            other=None if other is None else other.index,
            progress=progress,
        )
        found.append(stability.stability(original, _pixels(after), change))
    return float(np.mean(found))


def _pixels(attribution: Attribution) -> Floats:
    """A map on the pixels of the network's input, (R, R)."""
    side = attribution.crop.resolution
    return resample(attribution.values, attribution.placement, side, side)


def _black(preprocessing: Preprocessing) -> Floats:
    """What a network gets for black, (3,): whatever the preprocessing is, it is asked."""
    side = preprocessing.resolution
    photograph = Photograph(np.zeros((side, side, 3), np.uint8), "black", ())
    x, _ = preprocessing(photograph)  # (1, 3, R, R)
    black: Floats = x[0, :, 0, 0]
    return black


def evaluate(
    source: Source,
    model: Model,
    methods: Iterable[Method | str] | None = None,
    target: Target = None,
    *,
    stage: int | None = None,
    cells: Sequence[GridCell] = (),
    doubled: Model | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Several methods' maps of one photograph for one class, in numbers and ranks.

    `methods` None are those that take no more than methods.QUICK runs. `source` and `target` as in
    analyse; the others as in score_method, which is called for each method. A method that has no
    map of this network stands in the table with its reason.
    Raises ImageError, UnknownMethodError, UnknownClassError, EngineError, MemoryError, and
    ValueError for a wrong stage.
    """
    quick = [method for method in table.METHODS.values() if method.passes <= table.QUICK]
    chosen = [table.find(method) for method in (quick if methods is None else methods)]
    analysis = analyse(source, model, target)
    unique = {method.key: method for method in chosen}
    steps = _Steps(progress, sum(passes_of(method, len(cells)) for method in unique.values()))
    rows: dict[str, MethodScores | MethodRefused] = {}
    for key, method in unique.items():
        listening = steps.next(passes_of(method, len(cells)))
        try:
            rows[key] = score_method(
                analysis, method, stage=stage, cells=cells, doubled=doubled, progress=listening
            )
        except (MethodRefusedError, NoClassActivationMapError) as refusal:
            rows[key] = MethodRefused(method, str(refusal))
    progress(1.0)
    return Evaluation(analysis, MappingProxyType(rows))
