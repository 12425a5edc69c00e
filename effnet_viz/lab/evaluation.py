"""What the trained networks look at, in numbers: `effnet-viz lab measure`.

Everything about maps is measured on scenes of the vendor that a run never saw, and only on those
that all networks of the run classify correctly: a map of a wrong answer explains something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models.efficientnet import EfficientNet

from effnet_viz.arrays import Floats, Placement, tile_mean
from effnet_viz.attribution.stages import attribute_stage
from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.engine import Engine
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.lab import networks, scenes
from effnet_viz.lab.results import SIZE_GROUPS
from effnet_viz.lab.runs import Run
from effnet_viz.lab.scalings import GRAD_CAM_STAGE, SCALINGS
from effnet_viz.lab.sprites import Drawings
from effnet_viz.metrics import localization
from effnet_viz.metrics.localization import FIXED_THRESHOLD, THRESHOLDS, Values

COARSEST_GRID = 4
"""Cells on a side of the coarsest map of the five, the baseline's: as many that tile the scene are
the grid that all share."""


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
class SceneMaps:
    """What a network answered and where it found evidence, for each scene."""

    answers: NDArray[np.int64]
    """(n,)"""
    cam: Floats
    """(n, h, w), of the true class, in units of the logit."""
    grad_cam: Floats
    """(n, h', w') at GRAD_CAM_STAGE, of the true class, in units of the logit."""

    def __getitem__(self, chosen: NDArray[np.bool_]) -> SceneMaps:
        return SceneMaps(self.answers[chosen], self.cam[chosen], self.grad_cam[chosen])


def as_engine(module: EfficientNet) -> Engine:
    """PyTorch runs it: it takes any number of scenes at once."""
    return TorchEngine(as_network(module))


def explain_on_batch(engine: Engine, resolution: int, scene_set: SceneSet) -> SceneMaps:
    """Run a network over scenes, 100 at a time; maps are of each scene's true class."""
    answers, cams, grad_cams = [], [], []
    for start in range(0, len(scene_set.images), 100):
        part = slice(start, start + 100)
        images = torch.from_numpy(scene_set.images[part])  # (B, S, S, 3)
        x = networks.preprocess(images, resolution).contiguous().numpy()  # (B, 3, R, R)
        activations = engine.forward(x)
        targets = scene_set.labels[part].tolist()
        answers.append(activations.logits.argmax(axis=1))
        last = max(activations.stages)
        cams.append(attribute_stage(engine, activations, last, targets).values)
        grad_cams.append(attribute_stage(engine, activations, GRAD_CAM_STAGE, targets).values)
    return SceneMaps(np.concatenate(answers), np.concatenate(cams), np.concatenate(grad_cams))


@dataclass(frozen=True)
class Scores:
    """Measures of one kind of map on the scenes of one run."""

    values: Mapping[str, Values]
    """Measure to one value per scene, (n,)."""
    best_threshold: float
    """Where the mean overlap is largest, as a share of the map's maximum."""


def placement_of(key: str, stage: int | None = None) -> Placement:
    """Where in a scene the cells of a network's maps lie; at its last stage (None) the CAM's."""
    built = networks.structure(SCALINGS[key])
    return built.stages[built.last if stage is None else stage].placement


def score_maps(maps: Floats, placement: Placement, scene_set: SceneSet) -> Scores:
    """Every measure of maps (n, h, w), whose cells lie at these places of the scenes."""
    masks, cells = scene_set.masks, maps.shape[-1]
    side = masks.shape[-1]
    evidence = localization.enlarge_evidence(maps, placement, side)  # (n, S, S)
    pooled = tile_mean(maps, placement, COARSEST_GRID)  # signed, (n, 4, 4)
    coarse = localization.enlarge_evidence(pooled, Placement.even(COARSEST_GRID), side)
    energy = localization.energy_pointing_game(evidence, masks)
    coarse_energy = localization.energy_pointing_game(coarse, masks)
    overlaps = {t: localization.mask_iou(evidence, masks, t) for t in THRESHOLDS}
    best = max(THRESHOLDS, key=lambda threshold: float(overlaps[threshold].mean()))
    return Scores(
        {
            "energy": energy,
            "energy_of_ceiling": energy / localization.upper_bound(masks, placement, cells),
            "pooled_energy": coarse_energy,
            "pooled_energy_of_ceiling": coarse_energy
            / localization.upper_bound(masks, placement, cells, COARSEST_GRID),
            "pointing_game": localization.pointing(evidence, masks),
            "iou_best_threshold": overlaps[best],
            "iou_fixed_threshold": overlaps[FIXED_THRESHOLD],
            "coverage": localization.recall(evidence, masks, FIXED_THRESHOLD),
            "distractor_energy": localization.energy_pointing_game(evidence, scene_set.distractors),
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


@dataclass(frozen=True, eq=False)
class RunMaps:
    """One run's networks on its scenes of the unseen vendor."""

    scene_set: SceneSet
    """Those that all networks classify correctly."""
    labels: NDArray[np.int64]
    """Of all scenes."""
    right: Mapping[str, NDArray[np.bool_]]
    """Network key to whether it classified each of all scenes correctly."""
    maps: Mapping[str, SceneMaps]
    """Network key to what it did on those scenes."""
    top1_seen: Mapping[str, float]
    same_answer: Mapping[tuple[str, str], float]
    """Share of all unseen scenes on which two networks answer alike, right or wrong."""


def explain_run(run: int, trained: Mapping[str, Engine], count: int) -> RunMaps:
    """Networks (by key of SCALINGS) of one run on `count` scenes seen, `count` unseen."""
    first = Run(SCALINGS["baseline"], run)
    seen = SceneSet.make(first.seen, scenes.SEEN, count)
    top1_seen = {
        key: float(
            (explain_on_batch(engine, SCALINGS[key].resolution, seen).answers == seen.labels).mean()
        )
        for key, engine in trained.items()
    }
    unseen = SceneSet.make(first.unseen, scenes.UNSEEN, count)
    maps = {
        key: explain_on_batch(engine, SCALINGS[key].resolution, unseen)
        for key, engine in trained.items()
    }
    right = {key: one.answers == unseen.labels for key, one in maps.items()}
    all_right: NDArray[np.bool_] = np.logical_and.reduce(list(right.values()))
    if not all_right.any():
        raise ValueError(
            f"Run {run} has no scene that all its networks classify correctly, so there is nothing "
            "to measure maps on. Train longer or measure more scenes."
        )
    return RunMaps(
        unseen[all_right],
        unseen.labels,
        right,
        {key: one[all_right] for key, one in maps.items()},
        top1_seen,
        {
            (one, other): float((maps[one].answers == maps[other].answers).mean())
            for one, other in combinations(maps, 2)
        },
    )
