"""A scene put together part by part, as a person asks for it.

Every part has random numbers of its own, made from the seed and the part alone: whoever moves the
target or adds a distractor keeps all the rest. Masks are as exact as those of the drawn scenes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats
from effnet_viz.lab import sprites
from effnet_viz.lab.scenes import (
    NEAREST_TO_EDGE,
    SIDE,
    STANDARD,
    STUDIO,
    TARGET_SIZE,
    Arrangement,
    Random,
    Scene,
    distractor_layer,
    drawn_background,
    exposed,
    target_layer,
)
from effnet_viz.lab.sprites import CLASSES, VENDORS, Drawings
from effnet_viz.scenes.layers import Polygon, outline

MOST_DISTRACTORS = 12
MOST_OCCLUSION = 0.6
"""Of the target's area. The networks have learned from scenes that hide up to 35 %."""
_TOLERANCE = 0.04
"""How far the hidden share may be from what was asked."""
_ATTEMPTS = 60
"""Places that are tried for things in front of the target."""
_BACKGROUND, _CLUTTER, _TARGET, _FRONT, _EXPOSURE, _CHOICE = range(6)


@dataclass(frozen=True)
class SceneSpec:
    """What a person asks for."""

    seed: int
    """Decides everything that is not asked for: background, distractors, how things are turned."""
    label: int
    """Index in CLASSES."""
    vendor: str
    """Whose drawings; one that drew the class."""
    size: float
    """Longer side of the target, as a share of the scene's side."""
    cx: float
    """Centre of the target from the left, 0 to 1."""
    cy: float
    distractors: int
    """Distractors below the target, 0 to MOST_DISTRACTORS."""
    occlusion: float
    """Share of the target to hide behind distractors, 0 to MOST_OCCLUSION."""


@dataclass(frozen=True, eq=False)
class Composed:
    """A scene made as asked."""

    scene: Scene
    occlusion: float
    """Share of the target's area that is hidden in fact, of what lies inside the scene."""
    outline: list[Polygon]
    """Around the visible parts of the target."""


def vendors_of(label: int) -> tuple[str, ...]:
    """The vendors that drew a class."""
    return tuple(v for v in VENDORS if sprites.of_vendors(v).targets[CLASSES[label]])


def chosen_by_chance(seed: int, vendor: str) -> SceneSpec:
    """As the training scenes are, in round numbers; the vendor drew all classes."""
    random = _random(seed, _CHOICE)
    size = round(20 * float(random.uniform(*TARGET_SIZE))) / 20
    margin = NEAREST_TO_EDGE * size
    cx, cy = (round(float(place), 3) for place in random.uniform(margin, 1 - margin, 2))
    return SceneSpec(
        seed,
        int(random.integers(len(CLASSES))),
        vendor,
        size,
        cx,
        cy,
        int(random.integers(*STANDARD.distractors, endpoint=True)),
        float(random.choice([0.0, 0.0, 0.1, 0.2, 0.3])),
    )


def compose(spec: SceneSpec, backdrop: NDArray[np.uint8] | None = None) -> Composed:
    """The scene; on a picture (SIDE, SIDE, 3) of one's own instead of a drawn background."""
    source = sprites.of_vendors(spec.vendor)
    seed = spec.seed
    if backdrop is None:
        background = drawn_background(_random(seed, _BACKGROUND))
    else:
        background = (backdrop / np.float32(255)).astype(np.float32)
    layers = [
        distractor_layer(source, _random(seed, _CLUTTER, number))
        for number in range(spec.distractors)
    ]
    target = _target(spec, source)  # (S, S, 4)
    centred = replace(spec, cx=0.5, cy=0.5, distractors=0)
    front = [_front_layer(spec, source, number) for number in _in_front(centred)]
    arrangement = Arrangement(spec.label, background, (*layers, target, *front), len(layers))
    visible = arrangement.visible  # (layers, S, S)
    mask = visible[arrangement.target]  # (S, S)
    image = exposed(arrangement.composite(), _random(seed, _EXPOSURE))
    scene = Scene(image, mask, visible.sum(axis=0) - mask, spec.label)
    occlusion = 1 - float(mask.sum()) / max(float(target[..., 3].sum()), 1e-6)
    return Composed(scene, occlusion, outline(mask))


@lru_cache(maxsize=256)
def _in_front(spec: SceneSpec) -> tuple[int, ...]:
    """Which of the places tried hide as much of a target in the middle as is asked."""
    source = sprites.of_vendors(spec.vendor)
    uncovered = _target(spec, source)[..., 3]  # (S, S)
    whole = float(uncovered.sum())
    chosen = []
    for number in range(_ATTEMPTS):
        if 1 - float(uncovered.sum()) / whole > spec.occlusion - _TOLERANCE:
            break
        left = uncovered * (1 - _front_layer(spec, source, number)[..., 3])
        if 1 - float(left.sum()) / whole <= spec.occlusion + _TOLERANCE:
            chosen.append(number)
            uncovered = left
    return tuple(chosen)


def _target(spec: SceneSpec, source: Drawings) -> Floats:
    random = _random(spec.seed, _TARGET)
    choices = source.targets[CLASSES[spec.label]]
    drawing = choices[random.integers(len(choices))]
    centre = (spec.cx * SIDE, spec.cy * SIDE)
    return target_layer(drawing, random, spec.size * SIDE, centre)


def _front_layer(spec: SceneSpec, source: Drawings, number: int) -> Floats:
    """A distractor whose centre lies on the target's square; it moves with the target."""
    x, y, half = (SIDE * value for value in (spec.cx, spec.cy, spec.size / 2))
    box = (x - half, y - half, x + half, y + half)
    return distractor_layer(source, _random(spec.seed, _FRONT, number), box)


def _random(seed: int, *part: int) -> Random:
    return np.random.default_rng((STUDIO, seed, *part))
