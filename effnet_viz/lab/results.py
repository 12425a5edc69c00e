"""What results.json holds, as types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

from effnet_viz.assets import LAB
from effnet_viz.lab.scalings import GRAD_CAM_STAGE, SCALINGS, Scaling

CAM, GRAD_CAM = "cam", f"grad_cam_stage_{GRAD_CAM_STAGE}"
"""The kinds of maps that are measured."""
RELEVANCE, DETAILS = "energy_of_ceiling", "coverage"
"""The measures that stand for the two halves of the paper's claim.

Evidence is told as a share of what is possible on each network's own grid. On one grid for all that
share is biased: averaging 6 × 6 cells to 4 × 4 lowers what is possible more than what a map has.
"""
SAME_GRID = "pooled_energy"
"""Comparable between any maps, those of no network included."""
COMPOUND = "compound"

Json = Mapping[str, Any]

RESULTS = LAB / "results.json"

SIZE_GROUPS = ("small", "medium", "large")


class ResultsError(RuntimeError):
    """There are no results that can be shown; the message says what to do."""


@dataclass(frozen=True)
class OverRuns:
    """One number of every run."""

    mean: float
    spread: float | None
    """Sample standard deviation; None for a single run."""
    runs: tuple[float, ...]


@dataclass(frozen=True)
class MapSummary:
    """Measures of one kind of map, each a share."""

    everywhere: Mapping[str, OverRuns]
    """By measure, on all scenes."""
    by_size: Mapping[str, Mapping[str, OverRuns]]
    """By size of the object (SIZE_GROUPS), then by measure."""
    best_threshold: float
    """Mean over runs, as a share of the map's maximum."""


@dataclass(frozen=True)
class MeasuredNetwork:
    """One of the five networks."""

    scaling: Scaling
    grid: int
    """Cells on a side of its class activation map."""
    multiply_adds: int
    parameters: int
    milliseconds: float
    """Of one forward pass of one image."""
    top1_seen: OverRuns
    top1_unseen: OverRuns
    maps: Mapping[str, MapSummary]
    """By kind of map."""

    @property
    def name(self) -> str:
        """As “Higher resolution”."""
        return self.scaling.name


@dataclass(frozen=True)
class Difference:
    """`other` minus `one`, with its 95 % interval."""

    one: str
    other: str
    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    def seen_from(self, key: str) -> Difference:
        """The same difference as `key` minus the other network."""
        if key == self.other:
            return self
        return Difference(self.other, self.one, -self.value, -self.high, -self.low)


@dataclass(frozen=True)
class Agreement:
    """How alike two networks are."""

    one: str
    other: str
    same_answer: OverRuns
    """Share of scenes."""
    cam_correlation: OverRuns
    """-1 to 1."""


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy after so many views, a mean over runs."""

    views: int
    seen: float
    unseen: float


@dataclass(frozen=True)
class MeasuredRun:
    """What one run was measured on."""

    held_out_vendor: str
    scenes_all_correct: int
    object_share: Mapping[str, float]
    """Mean share of the picture that shows the object, by size of the object."""


@dataclass(frozen=True)
class Results:
    """Everything that the page shows of results.json."""

    text: str
    """The file as it is."""
    views: int
    """Of training, the same for every network."""
    scenes: int
    """Measured in every run: so many of seen vendors, so many of the unseen one."""
    fixed_threshold: float
    common_grid: int
    machine: str
    """Where the times were taken."""
    runs: tuple[MeasuredRun, ...]
    networks: Mapping[str, MeasuredNetwork]
    """By key, in the order of the columns of Figure 7."""
    references: Mapping[str, MapSummary]
    differences: Mapping[tuple[str, str], tuple[Difference, ...]]
    """By kind of map and measure: every pair."""
    agreement: tuple[Agreement, ...]
    curves: Mapping[str, tuple[CurvePoint, ...]]
    """By network."""

    def object_share(self, group: str) -> float:
        """Mean share of the picture that an object of this size group takes."""
        return mean(run.object_share[group] for run in self.runs)

    def ranked(self, measure: str) -> list[str]:
        """Networks by the mean of a measure of their CAM, highest first."""
        return sorted(self.networks, key=lambda key: -self.cam(key, measure).mean)

    def cam(self, key: str, measure: str) -> OverRuns:
        return self.networks[key].maps[CAM].everywhere[measure]

    def against_others(self, key: str, measure: str) -> list[Difference]:
        """A network's CAM minus each other's, in the order of the networks."""
        return [
            difference.seen_from(key)
            for difference in self.differences[CAM, measure]
            if key in (difference.one, difference.other)
        ]


def load(path: Path = RESULTS) -> Results:
    """The results in a file; raises ResultsError when it is missing or not complete."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ResultsError(
            f"Nothing is measured yet: there is no {path.name} in {path.parent.name}. Train the "
            "networks with `effnet-viz lab train`, then run "
            "`effnet-viz lab measure`."
        ) from None
    try:
        results = _results(text)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(
            f"{path.name} cannot be read. It may come from another version: run "
            "`effnet-viz lab measure` again."
        ) from error
    compared = {(pair.one, pair.other) for pair in results.agreement}
    missing = [pair for pair in combinations(SCALINGS, 2) if pair not in compared]
    if missing:
        raise ResultsError(
            f"{path.name} does not compare {', '.join(' with '.join(pair) for pair in missing)}: "
            "no run has both. Train every network to the end with "
            "`effnet-viz lab train`, then run `effnet-viz lab measure`."
        )
    return results


def _results(text: str) -> Results:
    content = json.loads(text)
    differences: dict[tuple[str, str], list[Difference]] = {}
    for pair in content["pairs"]:
        differences.setdefault((pair["map"], pair["measure"]), []).append(
            Difference(pair["one"], pair["other"], pair["difference"], pair["low"], pair["high"])
        )
    if ("answers", "top1_unseen") not in differences:
        raise KeyError("top1_unseen of pairs")
    return Results(
        text=text,
        views=content["recipe"]["views"],
        scenes=content["scenes"],
        fixed_threshold=content["fixed_threshold"],
        common_grid=content["common_grid"],
        machine=content["time"]["machine"],
        runs=tuple(
            MeasuredRun(run["held_out_vendor"], run["scenes_all_correct"], run["object_share"])
            for run in content["runs"].values()
        ),
        networks={
            key: _network(key, values, content["time"]["milliseconds"][key]["forward"])
            for key, values in content["networks"].items()
        },
        references={name: _maps(values) for name, values in content["references"].items()},
        differences={place: tuple(pairs) for place, pairs in differences.items()},
        agreement=tuple(
            Agreement(
                pair["one"],
                pair["other"],
                _over_runs(pair["same_answer"]),
                _over_runs(pair["cam_correlation"]),
            )
            for pair in content["agreement"]
        ),
        curves={
            key: _curve(
                training["learning_curve"]
                for name, training in content["training"].items()
                if name.rpartition("-")[0] == key
            )
            for key in content["networks"]
        },
    )


def _network(key: str, values: Json, milliseconds: float) -> MeasuredNetwork:
    return MeasuredNetwork(
        scaling=SCALINGS[key],
        grid=values["grid"],
        multiply_adds=values["multiply_adds"],
        parameters=values["parameters"],
        milliseconds=milliseconds,
        top1_seen=_over_runs(values["top1_seen"]),
        top1_unseen=_over_runs(values["top1_unseen"]),
        maps={kind: _maps(values[kind]) for kind in (CAM, GRAD_CAM)},
    )


def _maps(values: Json) -> MapSummary:
    return MapSummary(
        _by_measure(values["all"]),
        {group: _by_measure(values["by_size"][group]) for group in SIZE_GROUPS},
        values["best_threshold"]["mean"],
    )


def _by_measure(values: Json) -> dict[str, OverRuns]:
    return {measure: _over_runs(value) for measure, value in values.items()}


def _over_runs(value: Json) -> OverRuns:
    return OverRuns(value["mean"], value["spread"], tuple(value["runs"]))


def _curve(curves: Iterable[Sequence[Json]]) -> tuple[CurvePoint, ...]:
    """The mean over runs; all were logged after the same numbers of views."""
    return tuple(
        CurvePoint(
            points[0]["views"],
            mean(point["seen_top1"] for point in points),
            mean(point["unseen_top1"] for point in points),
        )
        for points in zip(*curves, strict=True)
    )
