"""Two experiments with one scene: other backgrounds, and an object that is hidden step by step.

Both ask whether a network follows the object: its background must not matter, and what is hidden
cannot be evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from effnet_viz.analysis.analysis import analyse
from effnet_viz.analysis.explanation import method_at
from effnet_viz.analysis.localized import Localization, localization
from effnet_viz.analysis.progress import Progress, silent
from effnet_viz.analysis.words import listed, number_word, percent, percents
from effnet_viz.arrays import Pixels
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.images.photograph import resized
from effnet_viz.metrics.localization import correlation
from effnet_viz.models.model import Model
from effnet_viz.scenes.backgrounds import Background
from effnet_viz.scenes.editor import SIDE, Scene, SceneSpec, compose
from effnet_viz.scenes.objects import CutOut
from effnet_viz.study.accepted import class_of
from effnet_viz.study.bench import answer_to

BACKGROUNDS = 10
HIDDEN = tuple(step / 10 for step in range(10))
"""Shares of the object that are hidden, one after the other."""
SMALL_SIDE = 208
"""Side in pixels of the small pictures of scenes."""
LITTLE = 0.01
"""A probability that a network does not name the object by: what is lost of it is noise."""
HALF = 0.5
"""Of the probability at first: below it, a network has lost the object."""

Turn = Callable[[], AbstractContextManager[None]]
"""Waits until one more scene may be computed."""


@dataclass(frozen=True, eq=False)
class Look:
    """One network and one scene: little enough to keep many."""

    picture: Pixels
    """The scene, small, (SMALL_SIDE, SMALL_SIDE, 3)."""
    attribution: Attribution
    """For the class that the experiment asks for."""
    right: bool | None
    """Whether the network's own answer is right for an object of the scene; see bench.answer_to."""
    fit: Localization
    """How the map fits what shows of that object."""

    @property
    def probability(self) -> float:
        """Of the class, 0 to 1."""
        return self.attribution.target.probability


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """One network and the same scene on other backgrounds."""

    title: str
    """Of the network."""
    objects: int
    """In the scene."""
    looks: tuple[Look, ...]
    """The scene as it was, then on BACKGROUNDS others."""

    @property
    def changes(self) -> tuple[float, ...]:
        """1 - r with Pearson's r of the map with that of the first scene, for each other one.

        0 is the same map, 1 one that has nothing to do with it, 2 its negative. The network looks
        at the same square each time, so the cells are the same places.
        """
        maps = [look.attribution.values for look in self.looks]  # (h, w) each
        others = np.stack(maps[1:])
        first = np.broadcast_to(maps[0], others.shape)
        return tuple(max(0.0, 1 - value) for value in correlation(others, first).tolist())

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Of the class on each other background."""
        return tuple(look.probability for look in self.looks[1:])

    def sentence(self) -> str:
        """What came out, in words that follow from the numbers alone."""
        label = self.looks[0].attribution.target.label
        low, high = min(self.probabilities), max(self.probabilities)
        spread = f"goes from {percents(low, high, 'to')}"
        if percent(low) == percent(high):
            spread = f"is {percent(low)} on all of them"
        changes = self.changes
        return (
            f"{self.title} {self._named()}. The probability of “{label}” {spread} "
            f"({percent(self.looks[0].probability)} in your scene); its map changes by "
            f"{np.mean(changes):.2f} on average ({min(changes):.2f} to {max(changes):.2f})."
        )

    def _named(self) -> str:
        """“names the object rightly on six of ten other backgrounds”."""
        if self.looks[0].right is None:
            return "has no class for what is in the scene: its own answer is followed"
        right = sum(look.right is True for look in self.looks[1:])
        held = {0: "none", BACKGROUNDS: "all"}.get(right, number_word(right))
        thing = "the object" if self.objects == 1 else "one of the objects"
        return f"names {thing} rightly on {held} of {number_word(BACKGROUNDS)} other backgrounds"


@dataclass(frozen=True, eq=False)
class Hiding:
    """One network and the object that is hidden step by step."""

    title: str
    """Of the network."""
    looks: tuple[Look, ...]
    """With HIDDEN of the object hidden."""

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Of the class at each step."""
        return tuple(look.probability for look in self.looks)

    @property
    def energies(self) -> tuple[float, ...]:
        """Share of the evidence on what is still visible of the object, at each step."""
        return tuple(look.fit.energy for look in self.looks)

    @property
    def areas(self) -> tuple[float, ...]:
        """Share of what the network sees that is still visible of it: the energy of a map that is
        the same everywhere."""
        return tuple(look.fit.area for look in self.looks)

    @property
    def lost(self) -> float | None:
        """The first share hidden at which the probability is below HALF of what it was; None where
        it never is."""
        limit = HALF * self.probabilities[0]
        below = (h for h, p in zip(HIDDEN, self.probabilities, strict=True) if p < limit)
        return next(below, None)

    def sentence(self) -> str:
        """What came out, in words that follow from the numbers alone."""
        first, last = self.probabilities[0], self.probabilities[-1]
        label = self.looks[0].attribution.target.label
        if first < LITTLE:
            fell = ", too little to tell when it is lost"
        elif self.lost is None:
            fell = f" and never falls below half of that ({percent(last)} at the end)"
        else:
            fell = f" and first falls below half of that at {percent(self.lost)} hidden"
        above = [
            hidden
            for hidden, energy, area in zip(HIDDEN, self.energies, self.areas, strict=True)
            if energy > area
        ]
        where = (
            "at every step"
            if len(above) == len(HIDDEN)
            else f"at {number_word(len(above))} of {number_word(len(HIDDEN))} steps"
        )
        return (
            f"{self.title}: “{label}” begins at {percent(first)}{fell}. What is visible of it "
            f"holds {percent(self.energies[0])} of the evidence at first (by chance "
            f"{percent(self.areas[0])}) and {percent(self.energies[-1])} at the end (by chance "
            f"{percent(self.areas[-1])}): more than by chance {where}."
        )


def other_backgrounds(spec: SceneSpec) -> tuple[SceneSpec, ...]:
    """The scene on BACKGROUNDS others than its own, made ones and blurred samples in turn."""
    kinds = (Background.MADE, Background.BLURRED)
    return tuple(
        replace(spec, background=kinds[number % 2], ground=spec.ground + 1 + number // 2)
        for number in range(BACKGROUNDS)
    )


def ten_backgrounds(
    spec: SceneSpec,
    models: Mapping[str, Model],
    target: int = 0,
    *,
    own: Sequence[CutOut] = (),
    backdrop: Pixels | None = None,
    turn: Turn = nullcontext,
    progress: Progress = silent,
) -> Mapping[str, Backgrounds]:
    """Each network on the scene and on it with other backgrounds.

    `target` is which of the scene's objects is asked for: each network for that of its accepted
    labels which it finds most likely in the first scene. `own` and `backdrop` are as in
    scenes.editor.compose; the first scene has the backdrop, the others have none. `turn` is taken
    for every scene, and `progress` hears how much is done, 0 to 1.
    """
    others = _composed(other_backgrounds(spec), own, None)
    scenes = chain(_composed([spec], own, backdrop), others)
    looks = _looked(scenes, models, target, turn, progress, 1 + BACKGROUNDS)
    return {
        key: Backgrounds(models[key].card.title, len(spec.objects), found)
        for key, found in looks.items()
    }


def hide_slowly(
    spec: SceneSpec,
    models: Mapping[str, Model],
    target: int = 0,
    *,
    own: Sequence[CutOut] = (),
    backdrop: Pixels | None = None,
    turn: Turn = nullcontext,
    progress: Progress = silent,
) -> Mapping[str, Hiding]:
    """Each network on the scene with HIDDEN of the target hidden; see ten_backgrounds.

    Of two objects, the target becomes the lower one: what hides it lies right above it.
    """
    first = (spec.objects[target], *spec.objects[:target], *spec.objects[target + 1 :])
    steps = [replace(spec, objects=first, hidden=share) for share in HIDDEN]
    looks = _looked(_composed(steps, own, backdrop), models, 0, turn, progress, len(HIDDEN))
    return {key: Hiding(models[key].card.title, found) for key, found in looks.items()}


def _composed(
    specs: Sequence[SceneSpec], own: Sequence[CutOut], backdrop: Pixels | None
) -> Iterator[Scene]:
    return (compose(spec, SIDE, own=own, backdrop=backdrop) for spec in specs)


def _looked(
    scenes: Iterator[Scene],
    models: Mapping[str, Model],
    target: int,
    turn: Turn,
    progress: Progress,
    count: int,
) -> Mapping[str, tuple[Look, ...]]:
    """What each network makes of each scene, a scene at a time."""
    looks: dict[str, list[Look]] = {key: [] for key in models}
    classes: dict[str, int] = {}
    for done in range(count):
        with turn():
            scene = next(scenes)
            small = resized(scene.image, SMALL_SIDE, SMALL_SIDE)
        thing, mask = scene.objects[target], scene.masks[target]
        for key, model in models.items():
            seen = analyse(scene.photograph, model)
            asked = classes.setdefault(key, class_of(seen, thing))
            found = seen.for_target(asked).attribute(method_at(model, None), None)
            right = answer_to(seen, scene, target).right
            looks[key].append(Look(small, found, right, localization(found, mask)))
        progress((done + 1) / count)
    return {key: tuple(found) for key, found in looks.items()}


def compared(found: Sequence[Backgrounds]) -> str:
    """Which network's map changes least and most; of two at least."""
    ranked = sorted(found, key=lambda one: float(np.mean(one.changes)))
    least, most = ranked[0], ranked[-1]
    return (
        f"The map of {least.title} changes least ({np.mean(least.changes):.2f} on average), that "
        f"of {most.title} most ({np.mean(most.changes):.2f})."
    )


def held_longest(found: Sequence[Hiding]) -> str:
    """Which networks keep half of their first probability the longest, of those that have some."""
    able = [one for one in found if one.probabilities[0] >= LITTLE]
    if not able:
        return "No network finds the class likely to begin with: none can lose it."
    steps = [len(HIDDEN) if one.lost is None else HIDDEN.index(one.lost) for one in able]
    longest = max(steps)
    names = [one.title for one, step in zip(able, steps, strict=True) if step == longest]
    verb, whose = ("keeps", "its") if len(names) == 1 else ("keep", "their")
    even = " even" if longest == len(HIDDEN) else ""
    return (
        f"{listed(names)} {verb} at least half of {whose} first probability the longest:{even} "
        f"with {percent(HIDDEN[longest - 1])} hidden."
    )
