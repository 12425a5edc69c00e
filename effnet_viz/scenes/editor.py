"""Scenes of photographed objects whose masks are known to the pixel.

A scene is a stack: a background, things that distract, one object or two, and what hides the first
of them. Everything is placed in shares of the scene's side, so that one description makes the same
scene at every resolution; what is not described follows from the seed alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np

from effnet_viz.arrays import Floats, Pixels
from effnet_viz.images.photograph import Photograph
from effnet_viz.scenes import backgrounds
from effnet_viz.scenes.backgrounds import Background, Random
from effnet_viz.scenes.layers import Layer, Polygon, composite, outline, visible
from effnet_viz.scenes.objects import CutOut, named, objects, unlike

SIDE = 448
"""Height and width of a scene in pixels, where nothing else is asked for."""
SIZES = (0.3, 0.65)
"""Longer side of an object drawn by chance, as a share of the scene's side."""
SMALLEST, LARGEST = 0.1, 0.9
MOST_DISTRACTORS = 8
MOST_HIDDEN = 0.9
"""Of the first object's area."""
TOGETHER = 0.46
"""Longer side of each of two objects drawn by chance, which lie side by side."""
_DISTRACTOR_SIZES = (0.08, 0.18)
_SEEN = 0.07
"""So near to the edge no object's box comes by chance: networks cut off about as much."""
_STREAM = 19
"""What tells the random numbers of these scenes from all others made from the same seeds."""
_CHOICE, _BACKGROUND, _DISTRACTORS, _COVER = range(4)


@dataclass(frozen=True)
class Placed:
    """Where an object lies, and how."""

    name: str
    """Of the object."""
    size: float
    """Its longer side as a share of the scene's side, SMALLEST to LARGEST."""
    cx: float
    """Its centre from the left, 0 to 1."""
    cy: float
    turned: float = 0.0
    """Degrees, clockwise."""
    mirrored: bool = False


@dataclass(frozen=True)
class SceneSpec:
    """Everything that a scene is made from, but pictures of one's own."""

    objects: tuple[Placed, ...]
    """One or two, the lower one first."""
    seed: int
    """Decides the distractors, and where what hides the object comes from."""
    background: Background
    ground: int
    """Which of the backgrounds of its kind."""
    distractors: int = 0
    """Small things below the objects, 0 to MOST_DISTRACTORS."""
    hidden: float = 0.0
    """The share of the first object to hide, 0 to MOST_HIDDEN."""
    light: float = 0.0
    """-1 dark, 0 as photographed, 1 bright: values v become v^(2^-light)."""
    warmth: float = 0.0
    """-1 cold to 1 warm: red times 2^(warmth / 4), blue divided by it."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A finished scene."""

    spec: SceneSpec
    objects: tuple[CutOut, ...]
    """What it shows, in the order of `masks`."""
    image: Pixels
    """(side, side, 3)"""
    masks: Floats
    """(objects, side, side), 0 to 1: the share of each pixel that shows each object."""
    others: Floats
    """(side, side), 0 to 1: the share that shows what distracts or hides."""
    hidden: float
    """The share of the first object's area inside the scene that is hidden in fact."""

    @cached_property
    def photograph(self) -> Photograph:
        """As networks are shown every picture."""
        digest = hashlib.sha256(self.image.tobytes()).hexdigest()
        return Photograph(self.image, digest, ())

    def outlines(self) -> list[list[Polygon]]:
        """Around what shows of each object."""
        return [outline(mask) for mask in self.masks]

    @property
    def credits(self) -> tuple[str, ...]:
        """Whose pictures it shows, a sentence each; a copy of the scene carries them."""
        others = [named(placed.name) for placed in distractors(self.spec, self.objects)]
        said = [one.credit for one in self.objects] + [one.credit for one in others]
        return tuple(dict.fromkeys(line for line in said if line))


def make(
    *names: str,
    seed: int = 0,
    side: int = SIDE,
    size: float | None = None,
    place: Sequence[float] | None = None,
    turned: float | None = None,
    mirrored: bool | None = None,
    background: Background | str | Pixels | None = None,
    distractors: int = 0,
    hidden: float = 0.0,
    light: float = 0.0,
    warmth: float = 0.0,
) -> Scene:
    """A scene of one object of the collection or of two, the same one for the same arguments.

    `names` are objects of `scenes.objects()`; without one, the seed chooses. What is not given
    follows from the seed. `size`, `place` (x, y), `turned` and `mirrored` are those of the first
    object, see Placed; `background` is a kind of Background or its name, or a picture of one's own
    (side, side, 3); all else see SceneSpec. Raises ValueError for more than two names or a value
    out of range, UnknownObjectError for an unknown name.
    """
    own = background if isinstance(background, np.ndarray) else None
    spec = by_chance(seed, *names)
    first = spec.objects[0]
    cx, cy = place or (first.cx, first.cy)
    first = Placed(
        first.name,
        first.size if size is None else size,
        cx,
        cy,
        first.turned if turned is None else turned,
        first.mirrored if mirrored is None else mirrored,
    )
    if isinstance(background, str | Background):
        spec = replace(spec, background=Background(background))
    described = replace(
        spec, objects=(first, *spec.objects[1:]), distractors=distractors, hidden=hidden,
        light=light, warmth=warmth,
    )  # fmt: skip
    return compose(described, side, backdrop=own)


def by_chance(seed: int, *names: str) -> SceneSpec:
    """One object or two, placed, turned a little, perhaps mirrored, on a background by chance.

    Without a name the seed chooses an object. Two lie side by side.
    """
    if len(names) > 2:
        raise ValueError(f"A scene shows one object or two, not {len(names)}.")
    random = _random(seed, _CHOICE)
    chosen = names or (objects()[random.integers(len(objects()))].name,)
    placed = tuple(_placed(name, random, number, len(chosen)) for number, name in enumerate(chosen))
    kind = (Background.MADE, Background.BLURRED)[int(random.random() < 1 / 3)]
    return SceneSpec(placed, seed, kind, ground=seed)


def _placed(name: str, random: Random, number: int, count: int) -> Placed:
    size = random.uniform(*SIZES)
    turned, mirrored = round(float(random.uniform(-15, 15)), 1), bool(random.random() < 0.5)
    thing = named(name)
    width, height = thing.width, thing.height
    if count == 2:
        size = TOGETHER
        across, down = 0.27 + 0.46 * number, random.uniform(0.35, 0.65)
    else:
        half = size / 2 / max(width, height)
        x, y = (min(0.5, _SEEN + half * edge) for edge in (width, height))
        across, down = random.uniform(x, 1 - x), random.uniform(y, 1 - y)
    return Placed(
        name, round(float(size), 3), round(float(across), 3), round(float(down), 3), turned,
        mirrored,
    )  # fmt: skip


def find(name: str) -> CutOut:
    """An object of the collection; raises UnknownObjectError."""
    return named(name).cut_out()


def compose(
    spec: SceneSpec,
    side: int = SIDE,
    *,
    own: Sequence[CutOut] = (),
    backdrop: Pixels | None = None,
) -> Scene:
    """The scene as described, (side, side).

    `own` are objects beside the collection's; `backdrop` is a picture (side, side, 3) instead of
    the background. Raises ValueError for a value out of range, UnknownObjectError.
    """
    _require_in_range(spec)
    by_name = {one.name: one for one in own}
    shown = tuple(by_name.get(one.name) or find(one.name) for one in spec.objects)
    if backdrop is None:
        background = _background(spec.background, spec.ground, side)
    else:
        background = (backdrop / np.float32(255)).astype(np.float32)
    below = [_layer(find(placed.name), placed, side) for placed in distractors(spec, shown)]
    things = [
        _layer(thing, placed, side) for thing, placed in zip(shown, spec.objects, strict=True)
    ]
    first, over = things[0], [_cover(things[0], spec, side)] if spec.hidden else []
    # What hides the first object lies right above it.
    stack = [*below, first, *over, *things[1:]]
    shares = visible(stack, side)  # (layers, S, S)
    places = [len(below), *range(len(stack) - len(things) + 1, len(stack))]
    masks = shares[places]  # (objects, S, S)
    others: Floats = shares.sum(axis=0) - masks.sum(axis=0)
    image = _lit(composite(background, stack), spec)
    whole = float(first.opacity.sum())
    hidden = 1 - float(masks[0].sum()) / whole if whole else 0.0
    return Scene(spec, shown, image, masks, others, hidden)


def _require_in_range(spec: SceneSpec) -> None:
    if not 1 <= len(spec.objects) <= 2:
        raise ValueError(f"A scene shows one object or two, not {len(spec.objects)}.")
    ranges = [
        ("distractors", spec.distractors, 0, MOST_DISTRACTORS),
        ("hidden", spec.hidden, 0, MOST_HIDDEN),
        ("light", spec.light, -1, 1),
        ("warmth", spec.warmth, -1, 1),
        *[("size", one.size, SMALLEST, LARGEST) for one in spec.objects],
        *[("place", place, 0, 1) for one in spec.objects for place in (one.cx, one.cy)],
    ]
    for name, value, low, high in ranges:
        if not low <= value <= high:
            raise ValueError(f"`{name}` must be between {low} and {high}, not {value}.")


def _random(seed: int, *part: int) -> Random:
    return np.random.default_rng((_STREAM, seed, *part))


@lru_cache(maxsize=32)
def _background(kind: Background, ground: int, side: int) -> Floats:
    """The newest ones are kept, 2.4 MB each: whoever drags an object keeps its background."""
    number = list(Background).index(kind)
    drawn = backgrounds.background(kind, _random(ground, _BACKGROUND, number), side)
    drawn.flags.writeable = False
    return drawn


def distractors(spec: SceneSpec, shown: Sequence[CutOut]) -> list[Placed]:
    """Small things of other classes than the objects that are shown, anywhere."""
    others = unlike(label for thing in shown for label in thing.labels)
    placed = []
    for number in range(spec.distractors):
        random = _random(spec.seed, _DISTRACTORS, number)
        thing = others[random.integers(len(others))]
        cx, cy = random.uniform(0.05, 0.95, 2)
        size, turned = random.uniform(*_DISTRACTOR_SIZES), random.uniform(-180, 180)
        placed.append(Placed(thing.name, size, cx, cy, turned, bool(random.random() < 0.5)))
    return placed


def _layer(thing: CutOut, placed: Placed, side: int) -> Layer:
    """An object as a layer, as far as it lies inside the scene."""
    source = _halved(thing, placed.size * side)  # (h, w, 4)
    height, width = source.shape[:2]
    scale = placed.size * side / max(height, width)
    angle = np.deg2rad(placed.turned)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if placed.mirrored:
        turn[:, 0] *= -1
    extent = np.abs(turn) @ (width / 2, height / 2)  # (2,)
    centre = np.array([placed.cx, placed.cy]) * side
    left, top = (max(0, int(np.floor(edge)) - 1) for edge in centre - extent)
    right, bottom = (min(side, int(np.ceil(edge)) + 1) for edge in centre + extent)
    # Pixel i of a picture has its centre at i + 1/2.
    offset = centre - (left, top) - turn @ (width / 2, height / 2)
    offset += turn @ (0.5, 0.5) - 0.5
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    size = (max(1, right - left), max(1, bottom - top))
    pixels = cv2.warpAffine(source, np.column_stack([turn, offset]), size, flags=how)
    alpha = np.clip(pixels[..., 3:], 0, 1)  # cubic curves leave the range of their points
    bounded: Floats = np.concatenate([np.clip(pixels[..., :3], 0, alpha), alpha], axis=2)
    return Layer(bounded, left, top)


def _halved(thing: CutOut, size: float) -> Floats:
    """The object premultiplied, (h, w, 4), halved while sampling would skip pixels."""
    levels, pixels = 0, max(thing.rgba.shape[:2])
    while pixels > 1.5 * size and levels < 6:
        levels, pixels = levels + 1, pixels // 2
    return thing.halved(levels)


def _cover(first: Layer, spec: SceneSpec, side: int) -> Layer:
    """What hides the asked share of the first object: more of the same where more is asked.

    Its edge runs across the object in a direction by chance, and not straight.
    """
    angle, relief, colours = _covering(spec.seed, side)
    placed = spec.objects[0]
    across, down = np.meshgrid(*[(np.arange(side) + 0.5) / side] * 2)
    x, y = (across - placed.cx) / placed.size, (down - placed.cy) / placed.size
    depth = x * np.cos(angle) + y * np.sin(angle) + 0.5 * relief  # (S, S)
    depth[np.hypot(x, y) > 0.7 + 0.2 * relief] = np.inf  # of the object's size: it covers no more
    edge = _quantile(depth[first.box], first.opacity, spec.hidden)
    softness = 1 / (placed.size * side)  # about a pixel
    opacity = np.clip(0.5 + (edge - depth) / softness, 0, 1).astype(np.float32)  # (S, S)
    return Layer.trimmed(np.dstack([colours * opacity[..., None], opacity]))


@lru_cache(maxsize=8)
def _covering(seed: int, side: int) -> tuple[float, Floats, Floats]:
    """From where things are hidden, the shape of the edge (S, S), and with what (S, S, 3)."""
    random = _random(seed, _COVER)
    angle = float(random.uniform(0, 2 * np.pi))
    return angle, backgrounds.relief(random, side), backgrounds.texture(random, side)


def _quantile(depth: Floats, weights: Floats, share: float) -> float:
    """Up to where `share` of the weight lies; both (h, w)."""
    order = np.argsort(depth, axis=None)
    summed = np.cumsum(weights.ravel()[order], dtype=np.float64)
    place = int(np.searchsorted(summed, share * summed[-1]))
    return float(depth.ravel()[order[min(place, depth.size - 1)]])


def _lit(canvas: Floats, spec: SceneSpec) -> Pixels:
    """The canvas (S, S, 3), 0 to 1, in its light, as bytes."""
    if spec.light:
        canvas = canvas ** np.float32(2**-spec.light)
    if spec.warmth:
        factor = 2 ** (spec.warmth / 4)
        canvas = canvas * np.array([factor, 1, 1 / factor], np.float32)
    taken: Pixels = (canvas * 255).round().clip(0, 255).astype(np.uint8)
    taken.flags.writeable = False
    return taken
