"""What one network makes of a scene of photographed objects.

The class that is explained is one that is right for the target object: of its accepted labels, the
one that this network gives the highest logit. A network that knows none of them is explained for
its own answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.localized import seen_of
from effnet_viz.arrays import Floats
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.metrics import localization as metrics
from effnet_viz.records import Prediction
from effnet_viz.scenes.editor import Scene, SceneSpec, by_chance
from effnet_viz.scenes.objects import named, unlike
from effnet_viz.study.accepted import accepted_classes, class_of

_SECOND = 23
"""What tells the choice of a second object from all else that is made from the same seed."""


@dataclass(frozen=True)
class BenchAnswer:
    """What one network answers to a scene."""

    answer: Prediction
    """Its most probable class."""
    right: bool | None
    """Whether that is an accepted label of an object in the scene; None where the network knows
    none of these labels."""
    knows_target: bool
    """Whether it has a class that is right for the target object."""


@dataclass(frozen=True)
class Shares:
    """Where the positive evidence of a map lies, in shares, 0 to 1; see analysis.localized."""

    on_target: float
    """The map's energy on the target object."""
    upper_bound: float
    """The energy of a perfect map on this grid."""
    hit: bool
    """Whether the largest value lies on the target object."""
    on_other: float | None
    """The map's energy on the other object; None where there is none."""


def for_object(seen: Analysis, scene: Scene, target: int) -> Analysis:
    """The same forward pass, explained for an object of the scene, by its place in the list."""
    return seen.for_target(class_of(seen, scene.objects[target]))


def answer_to(seen: Analysis, scene: Scene, target: int) -> BenchAnswer:
    """The network's answer, and whether it is one."""
    accepted = [accepted_classes(thing, seen.model.classes) for thing in scene.objects]
    right = {index for indices in accepted for index in indices}
    answer = seen.predictions[0]
    return BenchAnswer(answer, answer.index in right if right else None, bool(accepted[target]))


def shares(attribution: Attribution, masks: Floats, target: int) -> Shares:
    """How much of a map lies on the target object, and on the other one.

    `masks` are those of the scene's objects (objects, H, W), at any resolution.
    """
    values, placement = attribution.values, attribution.placement  # (h, w)
    seen = [seen_of(attribution, mask)[None] for mask in masks]  # (1, S, S) each
    evidence = metrics.enlarge_evidence(values[None], placement, seen[0].shape[-1])  # (1, S, S)

    def energy(mask: Floats) -> float:
        return float(metrics.energy_pointing_game(evidence, mask)[0])

    of_target = seen[target]
    others = [energy(mask) for number, mask in enumerate(seen) if number != target]
    return Shares(
        on_target=energy(of_target),
        upper_bound=float(metrics.upper_bound(of_target, placement, values.shape[-1])[0]),
        hit=bool(metrics.pointing(evidence, of_target)[0] > 0.5),
        on_other=others[0] if others else None,
    )


def spec_by_chance(seed: int, count: int) -> SceneSpec:
    """A scene of one object of the collection or of two, which no label is right for both of.

    See scenes.editor.by_chance.
    """
    spec = by_chance(seed)
    if count == 1:
        return spec
    first = named(spec.objects[0].name)
    others = unlike(first.labels)
    second = others[np.random.default_rng((_SECOND, seed)).integers(len(others))]
    return by_chance(seed, first.name, second.name)
