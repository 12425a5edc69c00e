"""Scenes: one target drawing among distractors on clutter, with the exact mask of what shows.

A scene is a stack of layers, so the mask of the target is known to the last bit and needs no
annotation; see scenes.layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Floats
from effnet_viz.lab.sprites import CLASSES, Drawing, Drawings
from effnet_viz.scenes import layers
from effnet_viz.scenes.layers import Layer

SIDE = 128
"""Height and width of a scene in pixels."""
WHOLE = (0.0, 0.0, float(SIDE), float(SIDE))
"""All of a scene: left, top, right, bottom in pixels."""

TARGET_SIZE = (0.35, 0.75)
"""Longer side of the target, as a share of the scene's side. Larger ones would nearly always cover
the centre, and a map that only knows the centre would seem to know the object."""
NEAREST_TO_EDGE = 0.35
"""Of the target's size: its centre comes no nearer to the edge, so little of it is cut off."""
DISTRACTOR_SIZE = (0.1, 0.26)
LARGEST_HIDDEN_SHARE = 0.35
"""Of the target's area, at most so much lies behind distractors."""

TRAINING, LEARNING_CURVE, SEEN, UNSEEN, FIRST_LESSONS, STUDIO = range(6)
"""Streams of scenes: to train on, to watch training, to measure on with seen and unseen vendors;
easy ones to begin training with; those that a person composes."""

Random = np.random.Generator

_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_YIQ_BACK = np.linalg.inv(_YIQ)


@dataclass(frozen=True)
class Difficulty:
    """The ranges that a scene is drawn from, ends included."""

    target_size: tuple[float, float] = TARGET_SIZE
    distractors: tuple[int, int] = (2, 5)
    """Below the target."""
    occluders: tuple[int, int] = (0, 3)
    """Distractors above the target, as far as it stays visible."""


STANDARD = Difficulty()
EASY = Difficulty(target_size=(0.6, 0.8), distractors=(0, 2), occluders=(0, 0))


@dataclass(frozen=True, eq=False)
class Arrangement:
    """What a scene is composed of, before noise and exposure."""

    label: int
    background: Floats
    """(SIDE, SIDE, 3), 0 to 1."""
    layers: tuple[Floats, ...]
    """Each (SIDE, SIDE, 4), lowest first: colours times opacity, opacity; 0 to 1."""
    target: int
    """The layer that is the target; all others are distractors."""

    @cached_property
    def visible(self) -> Floats:
        """(layers, SIDE, SIDE): the share of each pixel that each layer colours."""
        return layers.visible(self._trimmed, SIDE)

    def composite(self) -> Floats:
        """Each layer over what is below it, (SIDE, SIDE, 3), 0 to 1."""
        return layers.composite(self.background, self._trimmed)

    @cached_property
    def _trimmed(self) -> list[Layer]:
        return [Layer.trimmed(layer) for layer in self.layers]


@dataclass(frozen=True, eq=False)
class Scene:
    """A finished scene."""

    image: NDArray[np.uint8]
    """(SIDE, SIDE, 3)"""
    mask: Floats
    """(SIDE, SIDE), 0 to 1: the share of each pixel that shows the target."""
    distractors: Floats
    """(SIDE, SIDE), 0 to 1: the share of each pixel that shows a distractor."""
    label: int
    """Index in CLASSES."""


def make(drawings: Drawings, stream: int, index: int, difficulty: Difficulty = STANDARD) -> Scene:
    """Scene number `index` of a stream: the same every time. Classes take turns."""
    random = np.random.default_rng((stream, index))
    label = index % len(CLASSES)
    arrangement = arrange(drawings, label, random, difficulty)
    visible = arrangement.visible  # (layers, SIDE, SIDE)
    mask = visible[arrangement.target]
    image = exposed(arrangement.composite(), random)
    return Scene(image, mask, visible.sum(axis=0) - mask, label)


def arrange(
    drawings: Drawings, label: int, random: Random, difficulty: Difficulty = STANDARD
) -> Arrangement:
    """Choose and place everything: distractors, the target, distractors over it."""
    background = drawn_background(random)
    below = random.integers(*difficulty.distractors, endpoint=True)
    stack = [distractor_layer(drawings, random) for _ in range(below)]
    choices = drawings.targets[CLASSES[label]]
    target = _target(choices[random.integers(len(choices))], random, difficulty.target_size)
    place = len(stack)
    stack.append(target)
    whole = float(target[..., 3].sum())
    uncovered = target[..., 3]
    for _ in range(random.integers(*difficulty.occluders, endpoint=True)):
        occluder = distractor_layer(drawings, random)
        left = uncovered * (1 - occluder[..., 3])
        if left.sum() >= (1 - LARGEST_HIDDEN_SHARE) * whole:
            stack.append(occluder)
            uncovered = left
    return Arrangement(label, background, tuple(stack), place)


def _target(drawing: Drawing, random: Random, sizes: tuple[float, float]) -> Floats:
    size = random.uniform(*sizes) * SIDE
    x, y = random.uniform(NEAREST_TO_EDGE * size, SIDE - NEAREST_TO_EDGE * size, 2)
    return target_layer(drawing, random, size, (x, y))


def target_layer(
    drawing: Drawing, random: Random, size: float, centre: tuple[float, float]
) -> Floats:
    """The drawing as a layer (SIDE, SIDE, 4), upright or nearly; size and centre (x, y) in
    pixels."""
    return _placed(drawing, random, size, centre, random.normal(0, 18), hue_spread=12)


def distractor_layer(
    drawings: Drawings, random: Random, within: tuple[float, float, float, float] = WHOLE
) -> Floats:
    """A distractor or a piece of one as a layer (SIDE, SIDE, 4), its centre within a box.

    The box is left, top, right, bottom in pixels.
    """
    drawing = drawings.distractors[random.integers(len(drawings.distractors))]
    if random.random() < 0.5:
        drawing = _fragment(drawing, random)
    size = random.uniform(*DISTRACTOR_SIZE) * SIDE
    x, y = random.uniform(within[:2], within[2:])
    return _placed(drawing, random, size, (x, y), random.uniform(-180, 180), hue_spread=40)


def _fragment(drawing: Drawing, random: Random) -> Drawing:
    """About half of a drawing."""
    fragment = np.rot90(drawing, int(random.integers(4))).copy()
    fragment[: int(len(fragment) * random.uniform(0.35, 0.65))] = 0
    return fragment


def _placed(
    drawing: Drawing,
    random: Random,
    size: float,
    centre: tuple[float, float],
    degrees: float,
    hue_spread: float,
) -> Floats:
    """The drawing as a layer (SIDE, SIDE, 4), turned, in perspective, mirrored half of the time,
    its colours shifted."""
    sprite: Floats = drawing.astype(np.float32) / np.float32(255)  # (side, side, 4)
    sprite[..., :3] *= sprite[..., 3:]
    while len(sprite) > 1.5 * size:  # halve first: sampling alone would skip pixels
        sprite = _halved(sprite)
    sprite = _recoloured(sprite, random, hue_spread)
    side = len(sprite)
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    goal = (corners / side - 0.5) * random.uniform(0.87, 1.15, 2) * size
    if random.random() < 0.5:
        goal[:, 0] *= -1
    goal += random.uniform(-0.1, 0.1, (4, 2)) * size
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    goal = goal @ np.array([[cosine, sine], [-sine, cosine]]) + centre
    matrix = cv2.getPerspectiveTransform(corners, goal.astype(np.float32))
    layer = cv2.warpPerspective(sprite, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    bounded: Floats = np.minimum(layer, np.float32(1))  # rounding may pass 1
    return bounded


def _halved(sprite: Floats) -> Floats:
    half = len(sprite) // 2
    smaller: Floats = cv2.resize(sprite, (half, half), interpolation=cv2.INTER_AREA).astype(
        np.float32, copy=False
    )
    return smaller


def _recoloured(sprite: Floats, random: Random, hue_spread: float) -> Floats:
    """The sprite (side, side, 4) after one random linear map of the colours.

    Hue turns in the YIQ plane, saturation, contrast and brightness change.
    """
    hue = np.deg2rad(random.normal(0, hue_spread))
    saturation, contrast = random.uniform(0.5, 1.15), random.uniform(0.65, 1.15)
    brightness = random.uniform(-0.12, 0.12)
    cosine, sine = saturation * np.cos(hue), saturation * np.sin(hue)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    matrix = np.eye(4)
    matrix[:3, :3] = contrast * (_YIQ_BACK @ turn @ _YIQ)
    matrix[:3, 3] = 0.5 * (1 - contrast) + brightness  # an offset, times the opacity
    mapped = cv2.transform(sprite, matrix.astype(np.float32))
    return np.clip(mapped, 0, sprite[..., 3:])


def drawn_background(random: Random) -> Floats:
    """Gradient, a pattern and cloudy noise, (SIDE, SIDE, 3), 0 to 1."""
    first, second, third = random.random((3, 3), np.float32)
    angle = random.uniform(0, np.pi)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    along = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)[..., None]
    across = (y * np.cos(angle) - x * np.sin(angle)).astype(np.float32)[..., None]
    canvas = first + (second - first) * along  # (SIDE, SIDE, 3)
    pattern = random.integers(5)
    if pattern == 1:  # stripes
        stripes = np.sin(along * random.uniform(20, 90)) > random.uniform(-0.5, 0.5)
        canvas = np.where(stripes, third, canvas)
    elif pattern == 2:  # checks
        frequency = random.uniform(12, 50)
        checks = np.sin(along * frequency) * np.sin(across * frequency) > 0
        canvas = np.where(checks, third, canvas)
    elif pattern == 3:  # discs
        for _ in range(random.integers(5, 25)):
            centre = tuple(int(value) for value in random.integers(0, SIDE, 2))
            radius = int(random.integers(3, 22))
            cv2.circle(canvas, centre, radius, random.random(3).tolist(), -1, cv2.LINE_AA)
    elif pattern == 4:  # lines
        for _ in range(random.integers(5, 25)):
            start, end = random.integers(0, SIDE, (2, 2)).tolist()
            width = int(random.integers(1, 7))
            cv2.line(canvas, start, end, random.random(3).tolist(), width, cv2.LINE_AA)
    clouds = sum(
        cv2.resize(
            random.standard_normal((cells, cells, 3), np.float32)
            * np.float32(random.uniform(0, 1)),
            (SIDE, SIDE),
            interpolation=cv2.INTER_CUBIC,
        )
        for cells in (2, 5, 12, 30)
    )
    mixed = canvas * random.uniform(0.6, 1) + clouds * random.uniform(0.03, 0.2)
    background: Floats = mixed.clip(0, 1).astype(np.float32)
    return background


def exposed(canvas: Floats, random: Random) -> NDArray[np.uint8]:
    """The canvas (SIDE, SIDE, 3), 0 to 1, as bytes: contrast, brightness, a colour cast, noise."""
    contrast = random.uniform(0.7, 1.1)
    offset = 0.5 * (1 - contrast) + random.uniform(-0.12, 0.12) + random.normal(0, 0.04, 3)
    noise = random.standard_normal(canvas.shape, np.float32)
    taken = canvas * contrast + offset.astype(np.float32) + noise * random.uniform(0, 0.045)
    taken *= 255
    return taken.round().clip(0, 255).astype(np.uint8)
