"""What the study's results.json holds, as types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effnet_viz.assets import OBJECTS_STUDY

RESULTS = OBJECTS_STUDY / "results.json"

EVERY, NAMED_BY_ALL = "all", "named_by_all"
"""All scenes, and those that all networks name rightly."""
SIZES = ("small", "medium", "large")
"""Thirds of the scenes that all name rightly, by what is seen of the object."""

Json = Mapping[str, Any]


class StudyResultsError(RuntimeError):
    """There are no results that can be shown; the message says what to do."""


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of means, with its 95 % interval over objects."""

    value: float
    low: float
    high: float

    @property
    def more(self) -> bool:
        """Whether it is clearly above 0."""
        return self.low > 0

    @property
    def less(self) -> bool:
        """Whether it is clearly below 0."""
        return self.high < 0


@dataclass(frozen=True)
class StageEstimate:
    """Grad-CAM at one stage, on the scenes that all networks name rightly."""

    depth: float
    """Where the stage ends, in shares of the network's layers."""
    share: Estimate
    """Of what is possible on the stage's grid."""
    energy: Estimate
    hit: Estimate


@dataclass(frozen=True)
class TwoObjects:
    """Maps of either class of scenes with two objects, where the network names it near the top."""

    maps: int
    of: int
    own: Estimate
    """Share of the evidence on the class's own object."""
    other: Estimate
    even_own: Estimate
    """What a map has there that is the same everywhere."""
    even_other: Estimate
    more_on_own: Estimate
    """Share of the maps with more on their own object than on the other."""


@dataclass(frozen=True)
class StudiedNetwork:
    """One network of the study."""

    key: str
    title: str
    resolution: int
    multiply_adds: int
    right: Estimate
    """Share of all scenes whose most probable class is right."""
    measures: Mapping[str, Mapping[str, Estimate]]
    """By group of scenes (EVERY, NAMED_BY_ALL), then by measure."""
    by_size: Mapping[str, Mapping[str, Estimate]]
    """By size (SIZES), then by measure; sizes without a scene are missing."""
    stages: tuple[StageEstimate, ...]
    late_minus_early: Estimate
    """Share of what is possible at the last stage minus that in the first half of the depth."""
    stability: Estimate
    """Mean correlation of the maps of one object at one place over backgrounds."""
    two: TwoObjects


@dataclass(frozen=True)
class MethodEstimate:
    """Maps of one method on scenes with one object."""

    method: str
    """Its key in the table of methods."""
    share: Estimate
    """Evidence on the object, of what is possible on the map's grid."""
    hit: Estimate
    passes: int
    seconds: float
    """Median of one map, with the network made for it."""


@dataclass(frozen=True)
class MethodsMeasured:
    """Methods on the same scenes, the one with the most evidence on the object first."""

    scenes: int
    methods: tuple[MethodEstimate, ...]
    agreement: Mapping[str, Estimate]
    """By number that needs no mask: Spearman's correlation of the ranks that it gives methods and
    those that the mask gives, -1 to 1; empty where it is not measured."""


@dataclass(frozen=True)
class StudyResults:
    """Everything that the page shows of results.json."""

    text: str
    """The file as it is."""
    scenes: int
    objects: int
    named_by_all: int
    """Scenes that all networks name rightly."""
    pairs_of_objects: int
    near: int
    common_grid: int
    networks: Mapping[str, StudiedNetwork]
    methods: Mapping[str, MethodsMeasured]
    """By network, as far as they are measured."""
    closely: MethodsMeasured | None
    """All methods on fewer scenes, with the numbers that need no mask."""
    _differences: Mapping[tuple[str, str, str, str], Estimate]

    def difference(
        self, of: str, minus: str, measure: str, group: str = NAMED_BY_ALL
    ) -> Estimate | None:
        """One network minus another, scene by scene; None where one of them is not measured."""
        found = self._differences.get((minus, of, group, measure))
        if found is not None:
            return found
        turned = self._differences.get((of, minus, group, measure))
        return None if turned is None else Estimate(-turned.value, -turned.high, -turned.low)


def load(path: Path = RESULTS) -> StudyResults:
    """The results in a file; raises StudyResultsError when it is missing or not complete."""
    command = "`effnet-viz lab objects`"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyResultsError(
            f"No network has been measured on photographed objects yet. Run {command}."
        ) from None
    try:
        return _results(text)
    except (KeyError, TypeError, ValueError) as error:
        raise StudyResultsError(
            f"{path.name} of {path.parent.name} cannot be read. It may come from another version: "
            f"run {command} again."
        ) from error


def _results(text: str) -> StudyResults:
    content = json.loads(text)
    return StudyResults(
        text=text,
        scenes=content["scenes"],
        objects=len(content["objects"]),
        named_by_all=content["named_by_all"],
        pairs_of_objects=content["pairs_of_objects"],
        near=content["near"],
        common_grid=content["common_grid"],
        networks={key: _network(key, told) for key, told in content["networks"].items()},
        methods={key: _methods(told) for key, told in content["methods"]["networks"].items()},
        closely=_methods(content["methods"]["closely"]) if content["methods"]["closely"] else None,
        _differences={
            (one["one"], one["other"], one["group"], one["measure"]): _estimate(one)
            for one in content["differences"]
        },
    )


def _network(key: str, told: Json) -> StudiedNetwork:
    about, two = told["about"], told["two"]
    return StudiedNetwork(
        key=key,
        title=about["title"],
        resolution=about["resolution"],
        multiply_adds=about["multiply_adds"],
        right=_estimate(told["right"]),
        measures={group: _by_measure(found) for group, found in told["measures"].items()},
        by_size={
            size: _by_measure(found)
            for size, found in told["by_size"].items()
            if all(one["value"] is not None for one in found.values())
        },
        stages=tuple(
            StageEstimate(
                stage["depth"], *(_estimate(stage[name]) for name in ("share", "energy", "hit"))
            )
            for stage in told["stages"]
        ),
        late_minus_early=_estimate(told["late_minus_early"]),
        stability=_estimate(told["stability"]),
        two=TwoObjects(
            two["maps"],
            two["of"],
            *(
                _estimate(two[name])
                for name in ("own", "other", "even_own", "even_other", "more_on_own")
            ),
        ),
    )


def _methods(told: Json) -> MethodsMeasured:
    rows = [
        MethodEstimate(
            row["method"],
            _estimate(row["share"]),
            _estimate(row["hit"]),
            row["passes"],
            row["seconds"],
        )
        for row in told["methods"]
    ]
    return MethodsMeasured(
        told["scenes"],
        tuple(sorted(rows, key=lambda row: -row.share.value)),
        {name: _estimate(found) for name, found in told.get("agreement", {}).items()},
    )


def _by_measure(found: Json) -> dict[str, Estimate]:
    return {measure: _estimate(one) for measure, one in found.items()}


def _estimate(told: Json) -> Estimate:
    return Estimate(float(told["value"]), float(told["low"]), float(told["high"]))
