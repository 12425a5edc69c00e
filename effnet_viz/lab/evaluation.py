"""What the trained networks look at, in numbers: `effnet-viz lab measure`.

Everything about maps is measured on scenes of the vendor that a run never saw, and only on those
that all networks of the run classify correctly: a map of a wrong answer explains something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from effnet_viz.attribution.cam import class_activation_map, grad_cam
from effnet_viz.engines.network import Network
from effnet_viz.lab import networks, scenes
from effnet_viz.lab.networks import SCALINGS
from effnet_viz.lab.sprites import CLASSES, Drawings
from effnet_viz.lab.training import HELD_OUT_VENDORS, Run
from effnet_viz.metrics import localization
from effnet_viz.metrics.localization import FIXED_THRESHOLD, THRESHOLDS, Floats, Values
from effnet_viz.models.zoo import STAGES

GRAD_CAM_STAGE = 6
COARSEST_GRID = 4
"""Cells on a side of the coarsest map of the five: the baseline's."""
RESAMPLES = 2000
SIZE_GROUPS = ("small", "medium", "large")


@dataclass(frozen=True, eq=False)
class SceneSet:
    """Scenes to measure on."""

    images: NDArray[np.uint8]
    """(n, S, S, 3)"""
    masks: Floats
    """(n, S, S)"""
    distractors: Floats
    """(n, S, S)"""
    labels: NDArray[np.int64]
    """(n,)"""

    @classmethod
    def make(cls, drawings: Drawings, stream: int, count: int) -> SceneSet:
        made = [scenes.make(drawings, stream, number) for number in range(count)]
        return cls(
            np.stack([scene.image for scene in made]),
            np.stack([scene.mask for scene in made]),
            np.stack([scene.distractors for scene in made]),
            np.array([scene.label for scene in made]),
        )

    def __getitem__(self, chosen: NDArray[np.bool_]) -> SceneSet:
        return SceneSet(
            self.images[chosen], self.masks[chosen], self.distractors[chosen], self.labels[chosen]
        )


@dataclass(frozen=True, eq=False)
class Looks:
    """What a network answered and where it looked, for each scene."""

    answers: NDArray[np.int64]
    """(n,)"""
    cam: Floats
    """(n, h, w), of the true class, raw and signed."""
    grad_cam: Floats
    """(n, h', w') at GRAD_CAM_STAGE, of the true class, raw and signed."""

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Looks:
        return Looks(self.answers[chosen], self.cam[chosen], self.grad_cam[chosen])


def look(network: Network, resolution: int, scene_set: SceneSet) -> Looks:
    """Run a network over scenes; maps are of each scene's true class."""
    answers, cams, grad_cams = [], [], []
    weight = network.head.weight.detach()  # (classes, C)
    images, labels = scene_set.images, scene_set.labels
    for start in range(0, len(images), 100):
        part = slice(start, start + 100)
        x = networks.preprocess(torch.from_numpy(images[part]), resolution)  # (B, 3, R, R)
        with torch.no_grad():
            stages = network.activations(x)  # nine of (B, C, h, w)
            logits = network.tail(stages[-1], STAGES[-1])  # (B, classes)
        leaf = stages[GRAD_CAM_STAGE - 1].detach().requires_grad_()  # (B, C, h, w)
        target = weight[torch.from_numpy(labels[part])]  # (B, C)
        with torch.enable_grad():
            # One sum for all scenes: no scene's logit depends on another scene's activation.
            sum_of_logits = (network.pooled(leaf, GRAD_CAM_STAGE) * target).sum()
            (gradient,) = torch.autograd.grad(sum_of_logits, leaf)  # (B, C, h, w)
        answers.append(logits.argmax(1).numpy())
        last, early = stages[-1].numpy(), leaf.detach().numpy()
        cams += [class_activation_map(a, w) for a, w in zip(last, target.numpy(), strict=True)]
        grad_cams += [grad_cam(a, g) for a, g in zip(early, gradient.numpy(), strict=True)]
    return Looks(np.concatenate(answers), np.stack(cams), np.stack(grad_cams))


@dataclass(frozen=True)
class Measured:
    """Measures of one kind of map on the scenes of one run."""

    values: Mapping[str, Values]
    """Measure to one value per scene, (n,)."""
    best_threshold: float
    """Where the mean overlap is largest, as a share of the map's maximum."""


def measure_maps(maps: Floats, scene_set: SceneSet) -> Measured:
    """Every measure of maps (n, h, w)."""
    masks = scene_set.masks
    evidence = localization.enlarged(maps, masks.shape[-1])  # (n, S, S)
    coarse = localization.enlarged(localization.pooled(maps, COARSEST_GRID), masks.shape[-1])
    energy = localization.energy(evidence, masks)
    coarse_energy = localization.energy(coarse, masks)
    overlaps = {t: localization.overlap(evidence, masks, t) for t in THRESHOLDS}
    best = max(THRESHOLDS, key=lambda threshold: float(overlaps[threshold].mean()))
    return Measured(
        {
            "energy": energy,
            "energy_of_ceiling": energy / localization.ceiling(masks, maps.shape[-1]),
            "pooled_energy": coarse_energy,
            "pooled_energy_of_ceiling": coarse_energy
            / localization.ceiling(masks, maps.shape[-1], COARSEST_GRID),
            "pointing_game": localization.pointing(evidence, masks),
            "iou_best_threshold": overlaps[best],
            "iou_fixed_threshold": overlaps[FIXED_THRESHOLD],
            "coverage": localization.coverage(evidence, masks, FIXED_THRESHOLD),
            "distractor_energy": localization.energy(evidence, scene_set.distractors),
        },
        best,
    )


def references(masks: Floats) -> dict[str, Floats]:
    """Maps that look at nothing, or at exactly the object; each (n, S, S)."""
    side = masks.shape[-1]
    distance = (np.arange(side) - (side - 1) / 2) / side  # (S,)
    squared = distance[:, None] ** 2 + distance[None, :] ** 2  # (S, S)
    centred = {
        "uniform": np.ones((side, side)),
        "centre_dot": squared <= squared.min(),
        "centre_gaussian": np.exp(-squared / (2 * 0.25**2)),
    }
    same = {
        name: np.repeat(one[None].astype(np.float32), len(masks), axis=0)
        for name, one in centred.items()
    }
    return same | {"mask": masks}


def size_groups(masks: Floats) -> NDArray[np.int64]:
    """0, 1, 2 for the third of the scenes (n,) with the smallest, middle and largest objects."""
    order = masks.sum(axis=(1, 2)).argsort(kind="stable").argsort()  # (n,), rank by visible area
    groups: NDArray[np.int64] = order * len(SIZE_GROUPS) // max(1, len(masks))
    return groups


def paired_interval(
    differences: Sequence[Values], labels: Sequence[NDArray[np.int64]]
) -> tuple[float, float, float]:
    """Mean over runs of the mean difference, and its 95 % percentile bootstrap interval.

    `differences` and `labels` have one array (n_run,) per run. Classes are drawn with replacement,
    all their scenes at once (Davison & Hinkley 1997, section 3.8): scenes of a class show the same
    few drawings, so they are not independent. The same draw is used in every run.
    """
    totals = np.array(
        [_per_class(values, of) for values, of in zip(differences, labels, strict=True)]
    )
    counts = np.array([_per_class(np.ones(len(of)), of) for of in labels])  # (runs, classes)
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(CLASSES), (RESAMPLES, len(CLASSES)))
    sums, sizes = totals[:, drawn].sum(axis=2), counts[:, drawn].sum(axis=2)  # (runs, resamples)
    means = (sums / np.maximum(sizes, 1)).mean(axis=0)  # (resamples,)
    difference = mean(float(values.mean()) for values in differences)
    low, high = np.percentile(means, [2.5, 97.5])
    return difference, float(low), float(high)


def _per_class(values: Values, labels: NDArray[np.int64]) -> Values:
    """Sums by class, (classes,)."""
    sums: Values = np.bincount(labels, weights=values, minlength=len(CLASSES)).astype(np.float64)
    return sums


@dataclass(frozen=True, eq=False)
class RunLooks:
    """One run's networks on its scenes of the unseen vendor."""

    scene_set: SceneSet
    """Those that all networks classify correctly."""
    labels: NDArray[np.int64]
    """Of all scenes."""
    right: Mapping[str, NDArray[np.bool_]]
    """Network key to whether it classified each of all scenes correctly."""
    looks: Mapping[str, Looks]
    """Network key to what it did on those scenes."""
    top1_seen: Mapping[str, float]
    same_answer: Mapping[tuple[str, str], float]
    """Share of all unseen scenes on which two networks answer alike, right or wrong."""


def look_at_run(run: int, trained: Mapping[str, Network], count: int) -> RunLooks:
    """Let networks (by key of SCALINGS) of one run look at `count` scenes seen, `count` unseen."""
    first = Run(SCALINGS["baseline"], run)
    seen = SceneSet.make(first.seen, scenes.SEEN, count)
    top1_seen = {
        key: float((look(network, SCALINGS[key].resolution, seen).answers == seen.labels).mean())
        for key, network in trained.items()
    }
    unseen = SceneSet.make(first.unseen, scenes.UNSEEN, count)
    looks = {
        key: look(network, SCALINGS[key].resolution, unseen) for key, network in trained.items()
    }
    right = {key: one.answers == unseen.labels for key, one in looks.items()}
    all_right: NDArray[np.bool_] = np.logical_and.reduce(list(right.values()))
    if not all_right.any():
        raise ValueError(
            f"Run {run} has no scene that all its networks classify correctly, so there is nothing "
            "to measure maps on. Train longer or measure more scenes."
        )
    return RunLooks(
        unseen[all_right],
        unseen.labels,
        right,
        {key: one[all_right] for key, one in looks.items()},
        top1_seen,
        {
            (one, other): float((looks[one].answers == looks[other].answers).mean())
            for one, other in combinations(looks, 2)
        },
    )


Json = dict[str, Any]


def measure(trained: Mapping[int, Mapping[str, Network]], count: int) -> Json:
    """Everything that results.json holds, from networks by run and key, on `count` scenes each.

    `mean` is over runs and `spread` their sample standard deviation (None for a single run).
    """
    made = {
        run: look_at_run(run, networks_of, count)
        for run, networks_of in tqdm(trained.items(), "runs", disable=None)
    }
    keys = [key for key in SCALINGS if any(key in run.looks for run in made.values())]
    maps: dict[str, Callable[[Looks], Floats]] = {
        "cam": lambda one: one.cam,
        f"grad_cam_stage_{GRAD_CAM_STAGE}": lambda one: one.grad_cam,
    }
    measured = {
        (kind, key, number): measure_maps(of(run.looks[key]), run.scene_set)
        for kind, of in maps.items()
        for number, run in made.items()
        for key in run.looks
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
                "networks": list(run.looks),
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
                "grid": next(r.looks[key].cam.shape[-1] for r in made.values() if key in r.looks),
                "multiply_adds": networks.multiply_adds(SCALINGS[key]),
                "parameters": networks.parameters(SCALINGS[key]),
                "top1_seen": _over_runs(
                    [r.top1_seen[key] for r in made.values() if key in r.looks]
                ),
                "top1_unseen": _over_runs(
                    [float(r.right[key].mean()) for r in made.values() if key in r.looks]
                ),
            }
            | {kind: summary(kind, key) for kind in maps}
            for key in keys
        },
        "references": _references(list(made.values()), list(groups.values())),
        "pairs": [*_accuracy_pairs(made, keys), *_pairs(made, measured, keys, list(maps))],
        "agreement": _agreement(list(made.values()), keys),
    }


def _summary(measured: Sequence[Measured], groups: Sequence[NDArray[np.int64]]) -> Json:
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


def _references(runs: Sequence[RunLooks], groups: Sequence[NDArray[np.int64]]) -> Json:
    """The reference maps under the measures of every map, on the same scenes."""
    measured: dict[str, list[Measured]] = {}
    for run in runs:
        for name, maps in references(run.scene_set.masks).items():
            measured.setdefault(name, []).append(measure_maps(maps, run.scene_set))
    return {name: _summary(of_runs, groups) for name, of_runs in measured.items()}


def _accuracy_pairs(made: Mapping[int, RunLooks], keys: Sequence[str]) -> list[Json]:
    """`other` minus `one` in top-1 accuracy on all scenes of the unseen vendor."""
    rows = []
    for one, other in combinations(keys, 2):
        runs = [run for run in made.values() if one in run.right and other in run.right]
        differences = [run.right[other].astype(float) - run.right[one] for run in runs]
        interval = paired_interval(differences, [run.labels for run in runs])
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
    made: Mapping[int, RunLooks],
    measured: Mapping[tuple[str, str, int], Measured],
    keys: Sequence[str],
    kinds: Sequence[str],
) -> list[Json]:
    """`other` minus `one`, for every pair of networks and every measure."""
    rows = []
    for kind in kinds:
        for one, other in combinations(keys, 2):
            runs = [n for n, run in made.items() if one in run.looks and other in run.looks]
            for name in measured[kind, keys[0], runs[0]].values if runs else ():
                differences = [
                    measured[kind, other, n].values[name] - measured[kind, one, n].values[name]
                    for n in runs
                ]
                labels = [made[n].scene_set.labels for n in runs]
                interval = paired_interval(differences, labels)
                rows.append(_pair_row(kind, name, one, other, interval))
    return rows


def _agreement(runs: Sequence[RunLooks], keys: Sequence[str]) -> list[Json]:
    """How alike two networks are: their answers, and their CAMs pooled to the common grid."""
    rows = []
    for one, other in combinations(keys, 2):
        both = [run for run in runs if one in run.looks and other in run.looks]
        correlations = [
            localization.correlation(
                *(localization.pooled(run.looks[key].cam, COARSEST_GRID) for key in (one, other))
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
