"""What results.json holds: every run measured and summarised."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from effnet_viz.arrays import Floats, Placement, tile_mean
from effnet_viz.engines.engine import Engine
from effnet_viz.lab import networks, scenes
from effnet_viz.lab.evaluation import (
    COARSEST_GRID,
    RunMaps,
    SceneMaps,
    SceneSet,
    Scores,
    as_engine,
    explain_on_batch,
    explain_run,
    placement_of,
    references,
    score_maps,
    size_groups,
)
from effnet_viz.lab.results import SIZE_GROUPS
from effnet_viz.lab.runs import HELD_OUT_VENDORS, SHIPPED_RUN, Run, UnfinishedError, path_of, runs
from effnet_viz.lab.scalings import GRAD_CAM_STAGE, SCALINGS, Scaling
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.lab.trained import Trained, trained
from effnet_viz.metrics import localization
from effnet_viz.metrics.intervals import paired_interval
from effnet_viz.metrics.localization import FIXED_THRESHOLD

Json = dict[str, Any]


def measure(trained: Mapping[int, Mapping[str, Engine]], count: int) -> Json:
    """Everything that results.json holds, from networks by run and key, on `count` scenes each.

    `mean` is over runs and `spread` their sample standard deviation (None for a single run).
    """
    made = {
        run: explain_run(run, networks_of, count)
        for run, networks_of in tqdm(trained.items(), "runs", disable=None)
    }
    keys = [key for key in SCALINGS if any(key in run.maps for run in made.values())]
    maps: dict[str, tuple[Callable[[SceneMaps], Floats], int | None]] = {
        "cam": (lambda one: one.cam, None),
        f"grad_cam_stage_{GRAD_CAM_STAGE}": (lambda one: one.grad_cam, GRAD_CAM_STAGE),
    }
    measured = {
        (kind, key, number): score_maps(of(run.maps[key]), placement_of(key, stage), run.scene_set)
        for kind, (of, stage) in maps.items()
        for number, run in made.items()
        for key in run.maps
    }
    groups = {number: size_groups(run.scene_set.masks) for number, run in made.items()}

    def summary(kind: str, key: str) -> Json:
        runs = [number for number in made if (kind, key, number) in measured]
        return _summary([measured[kind, key, n] for n in runs], [groups[n] for n in runs])

    return {
        "scenes": count,
        "runs": {
            str(number): {
                "held_out_vendor": HELD_OUT_VENDORS[number],
                "seed": number,
                "networks": list(run.maps),
                "scenes_all_correct": len(run.scene_set.labels),
                "object_share": {
                    group: _rounded(run.scene_set.masks[groups[number] == g].mean())
                    for g, group in enumerate(SIZE_GROUPS)
                },
            }
            for number, run in made.items()
        },
        "fixed_threshold": FIXED_THRESHOLD,
        "common_grid": COARSEST_GRID,
        "networks": {
            key: {
                **asdict(SCALINGS[key]),
                "resolution": SCALINGS[key].resolution,
                "grid": next(r.maps[key].cam.shape[-1] for r in made.values() if key in r.maps),
                "multiply_adds": networks.multiply_adds(SCALINGS[key]),
                "parameters": networks.parameters(SCALINGS[key]),
                "top1_seen": _over_runs([r.top1_seen[key] for r in made.values() if key in r.maps]),
                "top1_unseen": _over_runs(
                    [float(r.right[key].mean()) for r in made.values() if key in r.maps]
                ),
            }
            | {kind: summary(kind, key) for kind in maps}
            for key in keys
        },
        "references": _references(list(made.values()), list(groups.values())),
        "pairs": [*_accuracy_pairs(made, keys), *_pairs(made, measured, keys, list(maps))],
        "agreement": _agreement(list(made.values()), keys),
    }


def _summary(measured: Sequence[Scores], groups: Sequence[NDArray[np.int64]]) -> Json:
    """Each measure over the runs: of all scenes, and of small, medium and large objects."""
    names = list(measured[0].values)
    return {
        "all": {n: _over_runs([float(run.values[n].mean()) for run in measured]) for n in names},
        "best_threshold": _over_runs([run.best_threshold for run in measured]),
        "by_size": {
            title: {
                name: _over_runs(
                    [
                        float(run.values[name][of == group].mean())
                        for run, of in zip(measured, groups, strict=True)
                    ]
                )
                for name in names
            }
            for group, title in enumerate(SIZE_GROUPS)
        },
    }


def _references(runs: Sequence[RunMaps], groups: Sequence[NDArray[np.int64]]) -> Json:
    """The reference maps under the measures of every map, on the same scenes."""
    measured: dict[str, list[Scores]] = {}
    for run in runs:
        for name, maps in references(run.scene_set.masks).items():
            scores = score_maps(maps, Placement.even(maps.shape[-1]), run.scene_set)
            measured.setdefault(name, []).append(scores)
    return {name: _summary(of_runs, groups) for name, of_runs in measured.items()}


def _accuracy_pairs(made: Mapping[int, RunMaps], keys: Sequence[str]) -> list[Json]:
    """`other` minus `one` in top-1 accuracy on all scenes of the unseen vendor."""
    rows = []
    for one, other in combinations(keys, 2):
        runs = [run for run in made.values() if one in run.right and other in run.right]
        differences = [run.right[other].astype(float) - run.right[one] for run in runs]
        interval = paired_interval(differences, [run.labels for run in runs], len(CLASSES))
        rows.append(_pair_row("answers", "top1_unseen", one, other, interval))
    return rows


def _pair_row(
    kind: str, measure: str, one: str, other: str, interval: tuple[float, float, float]
) -> Json:
    difference, low, high = map(_rounded, interval)
    return {
        "map": kind, "measure": measure, "one": one, "other": other,
        "difference": difference, "low": low, "high": high,
    }  # fmt: skip


def _pairs(
    made: Mapping[int, RunMaps],
    measured: Mapping[tuple[str, str, int], Scores],
    keys: Sequence[str],
    kinds: Sequence[str],
) -> list[Json]:
    """`other` minus `one`, for every pair of networks and every measure."""
    rows = []
    for kind in kinds:
        for one, other in combinations(keys, 2):
            runs = [n for n, run in made.items() if one in run.maps and other in run.maps]
            for name in measured[kind, keys[0], runs[0]].values if runs else ():
                differences = [
                    measured[kind, other, n].values[name] - measured[kind, one, n].values[name]
                    for n in runs
                ]
                labels = [made[n].scene_set.labels for n in runs]
                interval = paired_interval(differences, labels, len(CLASSES))
                rows.append(_pair_row(kind, name, one, other, interval))
    return rows


def _agreement(runs: Sequence[RunMaps], keys: Sequence[str]) -> list[Json]:
    """How alike two networks are: their answers, and their CAMs averaged to the common grid."""
    rows = []
    for one, other in combinations(keys, 2):
        both = [run for run in runs if one in run.maps and other in run.maps]
        correlations = [
            localization.correlation(
                *(
                    tile_mean(run.maps[key].cam, placement_of(key), COARSEST_GRID)
                    for key in (one, other)
                )
            ).mean()
            for run in both
        ]
        rows.append(
            {
                "one": one,
                "other": other,
                "same_answer": _over_runs([run.same_answer[one, other] for run in both]),
                "cam_correlation": _over_runs(correlations),
            }
        )
    return rows


def _over_runs(values: Sequence[float]) -> Json:
    return {
        "mean": _rounded(mean(values)),
        "spread": _rounded(stdev(values)) if len(values) > 1 else None,
        "runs": [_rounded(value) for value in values],
    }


def _rounded(value: float) -> float:
    return round(float(value), 4)


SHIPPED_SCENES = 300

CHECKED_NETWORK, CHECKED_SCENES = "baseline", 96
"""A small part of the results that can be computed again in seconds."""


def measure_all(count: int) -> Json:
    """Results of every run of which all networks come with the project.

    Raises UnfinishedError when one of the run that the app shows is missing, ValueError when the
    recipes differ.
    """
    made: dict[int, dict[str, Engine]] = {}
    training: dict[str, Json] = {}
    recipes: list[Json] = []
    for number, of_run in complete_runs().items():
        recipes += [one.recipe for one in of_run.values()]
        made[number] = {key: as_engine(one.module) for key, one in of_run.items()}
        training |= {
            f"{key}-{number}": {"learning_curve": one.learning_curve} for key, one in of_run.items()
        }
    if SHIPPED_RUN not in made:
        raise UnfinishedError(f"Run {SHIPPED_RUN} is not complete. Train first, then ship.")
    if any(recipe != recipes[0] for recipe in recipes):
        raise ValueError("The networks were trained with different recipes.")
    results = {"recipe": recipes[0], "training": training, **measure(made, count)}
    of_app = made[SHIPPED_RUN]
    results["shipped"] = {
        "run": SHIPPED_RUN,
        "scenes": SHIPPED_SCENES,
        "top1_unseen": {key: top1_unseen(key, engine) for key, engine in of_app.items()},
    }
    results["check"] = check(of_app[CHECKED_NETWORK])
    results["time"] = _times()
    return results


def complete_runs() -> dict[int, dict[str, Trained]]:
    """By number, then by key: the runs of which all networks are there."""
    found: dict[int, dict[str, Trained]] = {}
    for run in runs():
        if path_of(run).exists():
            found.setdefault(run.number, {})[run.scaling.key] = trained(run)
    return {number: of_run for number, of_run in found.items() if len(of_run) == len(SCALINGS)}


def top1_unseen(key: str, engine: Engine) -> float:
    """Accuracy of a network of the shipped run on a few scenes of the vendor it never saw."""
    unseen = Run(SCALINGS[key], SHIPPED_RUN).unseen
    scene_set = SceneSet.make(unseen, scenes.UNSEEN, SHIPPED_SCENES)
    answers = explain_on_batch(engine, SCALINGS[key].resolution, scene_set).answers
    return round(float((answers == scene_set.labels).mean()), 4)


def check(engine: Engine) -> Json:
    """What `measure` says of one shipped network on a few scenes."""
    return measure({SHIPPED_RUN: {CHECKED_NETWORK: engine}}, CHECKED_SCENES)


def learning_curve(log: Path) -> list[Json]:
    """Accuracy on seen and unseen vendors by views, as training logged it."""
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    names = ("views", "seen_top1", "unseen_top1")
    return [
        {name: round(record[name], 4) for name in names}
        for record in records
        if "unseen_top1" in record
    ]


def _times() -> Json:
    """Milliseconds of each network on one core of this machine; the networks take turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rounds = [{key: _time(scaling) for key, scaling in SCALINGS.items()} for _ in range(7)]
    finally:
        torch.set_num_threads(threads)
    return {
        "machine": f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}, 1 thread",
        "milliseconds": {
            key: {
                name: round(median(one[key][name] for one in rounds), 2)
                for name in ("forward", "training_per_view")
            }
            for key in SCALINGS
        },
    }


def _time(scaling: Scaling, batch: int = 32) -> dict[str, float]:
    module = networks.build(scaling).to(memory_format=torch.channels_last)
    images = torch.zeros(batch, scaling.resolution, scaling.resolution, 3, dtype=torch.uint8)
    x = networks.preprocess(images, scaling.resolution)  # (B, 3, R, R)
    labels = torch.zeros(batch, dtype=torch.int64)  # (B,)

    def step() -> None:
        torch.autograd.backward(nn.functional.cross_entropy(module(x), labels))

    step()
    started = time.perf_counter()
    step()
    training = (time.perf_counter() - started) / batch
    module.eval()
    with torch.no_grad():
        module(x[:1])
        started = time.perf_counter()
        module(x[:1])
        forward = time.perf_counter() - started
    return {"forward": 1000 * forward, "training_per_view": 1000 * training}
