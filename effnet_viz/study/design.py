"""Which networks the study is about, and which scenes it shows them: the same ones, for ever.

Each object of the collection is shown PLACEMENTS times, each time on GROUNDS, so that nothing but
the background changes between these; and PAIRS times beside an object of another class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from effnet_viz.scenes.backgrounds import Background
from effnet_viz.scenes.editor import SIDE, SceneSpec, by_chance
from effnet_viz.scenes.objects import PhotoObject, named, objects, unlike

NETWORKS = ("lite0", "lite2", "lite1", "lite0-r448", "lite0-r320")
"""Those that are shipped, in the order in which they are measured."""
PLACEMENTS = 5
GROUNDS = (Background.MADE, Background.MADE, Background.BLURRED, Background.BLURRED)
PAIRS = 3
MASK_SIDE = 224
"""Masks are exact at SIDE pixels, and maps are compared with their means over 2 × 2 of them."""
_STREAM = 1907
_SEEDS = 100
"""Seeds of each object, more than it uses."""


@dataclass(frozen=True)
class Shown:
    """The scenes of one object of the collection."""

    thing: PhotoObject
    alone: tuple[SceneSpec, ...]
    """PLACEMENTS × GROUNDS, the grounds of a placement one after the other."""
    pairs: tuple[SceneSpec, ...]
    """With this object below another."""


@cache
def design() -> tuple[Shown, ...]:
    """One entry for each object, in the order of the collection's table."""
    return tuple(_shown(number) for number in range(len(objects())))


def scenes_of(name: str) -> tuple[SceneSpec, ...]:
    """The scenes in which an object is alone; raises UnknownObjectError."""
    number = objects().index(named(name))
    return design()[number].alone


def _shown(number: int) -> Shown:
    thing, seed = objects()[number], _SEEDS * number
    others = unlike(thing.labels)
    random = np.random.default_rng((_STREAM, number))
    second = random.choice(len(others), PAIRS, replace=False)
    return Shown(
        thing,
        tuple(
            spec for placement in range(PLACEMENTS) for spec in _alone(thing.name, seed + placement)
        ),
        tuple(
            by_chance(seed + PLACEMENTS + pair, thing.name, others[second[pair]].name)
            for pair in range(PAIRS)
        ),
    )


def _alone(name: str, seed: int) -> Iterator[SceneSpec]:
    spec = by_chance(seed, name)
    for number, background in enumerate(GROUNDS):
        yield replace(spec, background=background, ground=len(GROUNDS) * seed + number)


@cache
def digest() -> str:
    """What tells these scenes from others: rows of another digest are not comparable."""
    told = repr((SIDE, MASK_SIDE, [(one.thing.labels, one.alone, one.pairs) for one in design()]))
    return hashlib.sha256(told.encode()).hexdigest()
