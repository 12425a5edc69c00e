"""The five shipped networks on one scene: answers, maps, and how the maps fit the true mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from effnet_viz.arrays import softmax
from effnet_viz.attribution import cam
from effnet_viz.engines import structure
from effnet_viz.engines.create import create
from effnet_viz.engines.engine import Engine
from effnet_viz.engines.network import STAGES
from effnet_viz.engines.structure import Structure
from effnet_viz.lab import networks, runs
from effnet_viz.lab.networks import GRAD_CAM_STAGE, SCALINGS, Scaling
from effnet_viz.lab.runs import HELD_OUT_VENDORS
from effnet_viz.lab.scenes import Scene
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.metrics import localization

Method = Literal["CAM", "Grad-CAM"]
STAGE_OF: Mapping[Method, int] = {"CAM": STAGES[-1], "Grad-CAM": GRAD_CAM_STAGE}

UNSEEN_VENDOR = HELD_OUT_VENDORS[runs.SHIPPED_RUN]
"""Whose drawings the shipped networks have never seen."""


@dataclass(frozen=True)
class Answer:
    """One of the classes that a network thinks of."""

    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class SceneExplanation:
    """What one network says of a scene, and why."""

    scaling: Scaling
    answers: tuple[Answer, ...]
    """All classes, the most probable first."""
    method: Method
    target: str
    """The class that is explained."""
    evidence: NDArray[np.float32]
    """(h, w), signed, in units of the logit."""
    energy: float
    """Share of the positive evidence on the object, 0 to 1 (localization.energy)."""
    ceiling: float
    """The energy of a perfect map on this grid."""
    hit: bool
    """Whether the largest value lies on the object (localization.pointing)."""
    coverage: float
    """Share of the object in the region of strong evidence (localization.coverage)."""
    distractors: float
    """Share of the positive evidence on distractors."""

    @property
    def stage(self) -> int:
        return STAGE_OF[self.method]

    @property
    def caption(self) -> list[str]:
        """Two lines that belong to the map, but for the scale: model, weights; method, class."""
        grid = "×".join(map(str, self.evidence.shape[::-1]))
        return [
            f"{self.scaling.title} at {self.scaling.resolution} px, weights: scaling lab, run "
            f"{runs.SHIPPED_RUN}, trained without {UNSEEN_VENDOR}'s drawings",
            f"{self.method}, class “{self.target}”, stage {self.stage} ({grid})",
        ]


_loading = Lock()


def engines() -> Mapping[str, Engine]:
    """The shipped networks by key of SCALINGS, loaded once; raises UnfinishedError.

    They take 12 MB and stay.
    """
    with _loading:
        return _engines()


@cache
def _engines() -> Mapping[str, Engine]:
    return {
        key: create(runs.shipped(scaling), scaling.resolution) for key, scaling in SCALINGS.items()
    }


@cache
def structures() -> Mapping[str, Structure]:
    """Grids and receptive fields of the five, by key of SCALINGS."""
    made = {}
    for key, scaling in SCALINGS.items():
        with structure.shapes_only():
            network = networks.staged(networks.build(scaling))
        made[key] = structure.walk(network, scaling.resolution)
    return made


def display_name(name: str) -> str:
    """A class as a person would say it: “dog-face” is “dog face”."""
    return name.replace("-", " ")


def explained(scene: Scene, method: Method, *, own_answer: bool) -> tuple[SceneExplanation, ...]:
    """Every network on one scene: for the class of the object, or for each network's own answer."""
    return tuple(
        _explained(SCALINGS[key], engine, scene, method, own_answer)
        for key, engine in engines().items()
    )


def _explained(
    scaling: Scaling, engine: Engine, scene: Scene, method: Method, own_answer: bool
) -> SceneExplanation:
    image = torch.from_numpy(scene.image[None])  # (1, S, S, 3)
    activations = engine.forward(networks.preprocess(image, scaling.resolution))
    probabilities = softmax(activations.logits)  # (classes,)
    order = np.argsort(-probabilities, kind="stable")  # (classes,)
    target = int(order[0]) if own_answer else scene.label
    activation = activations.stages[STAGE_OF[method]]  # (C, h, w)
    if method == "CAM":
        evidence = cam.class_activation_map(activation, engine.head.weight[target])
    else:
        gradient = engine.gradient(activation, STAGE_OF[method], target)  # (C, h, w)
        evidence = cam.in_logit_units(cam.grad_cam(activation, gradient))
    masks, distractors = scene.mask[None], scene.distractors[None]  # (1, S, S)
    larger = localization.enlarge_evidence(evidence[None], masks.shape[-1])  # (1, S, S)
    return SceneExplanation(
        scaling,
        tuple(Answer(display_name(CLASSES[i]), float(probabilities[i])) for i in order.tolist()),
        method,
        display_name(CLASSES[target]),
        evidence,
        energy=float(localization.energy(larger, masks)[0]),
        ceiling=float(localization.ceiling(masks, evidence.shape[-1])[0]),
        hit=bool(localization.pointing(larger, masks)[0] > 0.5),
        coverage=float(localization.coverage(larger, masks, localization.FIXED_THRESHOLD)[0]),
        distractors=float(localization.energy(larger, distractors)[0]),
    )
