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

from effnet_viz.arrays import Floats, area_mean
from effnet_viz.attribution.cam import class_activation_map, grad_cam
from effnet_viz.engines.network import Network
from effnet_viz.lab import networks, scenes
from effnet_viz.lab.networks import GRAD_CAM_STAGE, SCALINGS
from effnet_viz.lab.results import SIZE_GROUPS
from effnet_viz.lab.runs import Run
from effnet_viz.lab.sprites import Drawings
from effnet_viz.metrics import localization
from effnet_viz.metrics.localization import FIXED_THRESHOLD, THRESHOLDS, Values
from effnet_viz.models.zoo import STAGES

COARSEST_GRID = 4
"""Cells on a side of the coarsest map of the five: the baseline's."""


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
    assert network.linear_head is not None
    weight = network.linear_head.weight.detach()  # (classes, C)
    images, labels = scene_set.images, scene_set.labels
    for start in range(0, len(images), 100):
        part = slice(start, start + 100)
        x = networks.preprocess(torch.from_numpy(images[part]), resolution)  # (B, 3, R, R)
        with torch.no_grad():
            stages = network.forward_intermediates(x)  # nine of (B, C, h, w)
            logits = network.tail(stages[-1], STAGES[-1])  # (B, classes)
        leaf = stages[GRAD_CAM_STAGE - 1].detach().requires_grad_()  # (B, C, h, w)
        target = weight[torch.from_numpy(labels[part])]  # (B, C)
        with torch.enable_grad():
            # One sum for all scenes: no scene's logit depends on another scene's activation.
            sum_of_logits = (network.pre_logits(leaf, GRAD_CAM_STAGE) * target).sum()
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
    evidence = localization.enlarge_evidence(maps, masks.shape[-1])  # (n, S, S)
    coarse = localization.enlarge_evidence(
        area_mean(maps, COARSEST_GRID, COARSEST_GRID), masks.shape[-1]
    )
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
