"""What a network goes by on the pictures that it was measured on, and where it goes wrong.

Maps of one class are put into groups that look alike (spectral relevance analysis, Lapuschkin et
al. 2019, arXiv 1902.10178). Whether a network needs what a group marks is tried, not guessed: the
marked place is copied into pictures of other classes, and, where masks say where the thing is, the
thing is painted out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import Analysis, analyse, analyse_input
from effnet_viz.analysis.explanation import method_at
from effnet_viz.analysis.progress import Progress, part, silent
from effnet_viz.arrays import Floats, Mask, Pixels, Placement, resample
from effnet_viz.images.photograph import ImageError, Photograph, resized
from effnet_viz.metrics import localization
from effnet_viz.metrics.clusters import cluster_maps, mean_cosine, shares
from effnet_viz.metrics.concentration import half_of_the_evidence
from effnet_viz.metrics.intervals import sign_test, wilson_interval
from effnet_viz.metrics.road import impute
from effnet_viz.models.model import Model
from effnet_viz.models.validation import ValidationPicture
from effnet_viz.records import Crop, Prediction

SIDE = 112
"""Of small pictures and masks, in pixels."""

MOST = 240
"""Pictures that are looked at; of more, an equal share of every class is drawn."""

TRIED = 40
"""Pictures that a place is copied into, or a class's thing is painted out of, at most."""

CHANCE = 0.01
"""Probability below which a difference of pairs is no chance."""

TOGETHER = 1 / 3
"""Share of a place that may lie on its mirror image: more is the middle of the picture."""

SAME = 0.3
"""Mean correlation of pixels above which a place shows the same in most pictures."""

LARGEST_BOX = 0.75
"""Of the picture: a thing that fills more leaves no surroundings when it is painted out."""

Read = Callable[[ValidationPicture], tuple[Photograph, Photograph | None]]
"""The picture and its mask, decoded. Raises ImageError."""


@dataclass(frozen=True, eq=False)
class Look:
    """One picture as the network saw it."""

    picture: ValidationPicture
    digest: str
    """SHA-256 (hex) of its file."""
    predicted: Prediction
    own: Prediction
    """Of the class that it shows."""
    map: Floats
    """For the class that it shows, (h, w), in logit units."""
    predicted_map: Floats
    """For the class that was predicted, (h, w)."""
    small: Pixels
    """What the network saw, (SIDE, SIDE, 3)."""
    mask: Floats | None
    """(SIDE, SIDE), 0 to 1: the share of each pixel that shows the thing; None where unknown."""
    outside: float | None
    """Share of the positive evidence for its class outside of the thing, 0 to 1."""

    @property
    def right(self) -> bool:
        return self.predicted.index == self.own.index

    @property
    def surprise(self) -> float:
        """-1 to 1: how sure of a wrong class, above 0; how sure of the right one, below."""
        return -self.own.probability if self.right else self.predicted.probability


@dataclass(frozen=True)
class Count:
    """So many of so many."""

    found: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1; nan of none."""
        return self.found / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, of Wilson; 0 to 1 of none."""
        return wilson_interval(self.found, self.of) if self.of else (0.0, 1.0)

    def is_clearly_above(self, other: Count) -> bool:
        """Whether the two intervals do not meet."""
        return self.interval[0] > other.interval[1]


@dataclass(frozen=True, eq=False)
class Copied:
    """The group's place in pictures that are not called its class: how many then are."""

    there: Count
    """With what the group has at its place."""
    opposite: Count
    """With what it has at the opposite place, as large, there."""
    chance: float
    """How probable such a difference, or more, is by chance; see metrics.intervals.sign_test."""
    same: float
    """How alike what the group's pictures have at the place is: mean correlation, -1 to 1."""


@dataclass(frozen=True, eq=False)
class Group:
    """Pictures of one class whose maps look alike."""

    label: str
    looks: tuple[Look, ...]
    of: int
    """Pictures of the class."""
    map: Floats
    """Mean of the maps in shares of their sums, (h, w)."""
    placement: Placement
    small: Pixels
    """Mean of the pictures, (SIDE, SIDE, 3): what they all have at one place is sharp."""
    place: Mask
    """The fewest pixels with half of the evidence, (SIDE, SIDE)."""
    alike: float
    """Mean cosine of two of its maps, 0 to 1."""
    copied: Copied | None
    """None where the place is the middle of the picture, or nothing is marked."""

    @property
    def outside(self) -> float | None:
        """Mean share of the evidence outside of the thing; None without masks."""
        found = [look.outside for look in self.looks if look.outside is not None]
        return float(np.mean(found)) if found else None

    @property
    def decides(self) -> bool:
        """Whether the place turns other pictures into this class, and the opposite one does not."""
        return self.copied is not None and self.copied.chance < CHANCE

    @property
    def shows_the_same(self) -> bool:
        """Whether its pictures look alike at the place, as a mark does and things seldom do."""
        return self.copied is not None and self.copied.same > SAME

    @property
    def is_shortcut(self) -> bool:
        """Whether the place decides and is not the thing.

        By the masks where there are some, else because most pictures of the class look the same
        there: a thing lies elsewhere in every picture, or looks different.
        """
        if self.outside is not None:
            return self.decides and self.outside > 0.5
        return self.decides and self.shows_the_same and len(self.looks) > self.of / 2


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One class without its things: painted out with the box around them."""

    label: str
    outside: float
    """Mean share of the evidence outside of the thing, 0 to 1."""
    even: float
    """The same for a map that is even: the mean share of the picture that is not the thing."""
    still: Count
    """Of its pictures, those that are called this class without the thing."""
    others: Count
    """Of pictures of other classes, likewise painted out, those that are called this class."""

    @property
    def is_shortcut(self) -> bool:
        """Whether most are still named without the thing, and far more than pictures of others."""
        return self.still.share > 0.5 and self.still.is_clearly_above(self.others)


@dataclass(frozen=True, eq=False)
class Study:
    """What was found out of one network's pictures."""

    model: Model
    looks: tuple[Look, ...]
    groups: tuple[Group, ...]
    """Of every class, those that are shortcuts first."""
    surroundings: tuple[Surroundings, ...]
    """Of every class, those that are shortcuts first; none without masks."""
    there: int
    """Pictures that there are; fewer may have been looked at."""
    unreadable: tuple[tuple[str, str], ...]
    """Name and reason of pictures that could not be read."""

    @cached_property
    def id(self) -> str:
        """What pictures of it are kept by: the network and all that it looked at."""
        of = f"{self.model.id} {[look.digest for look in self.looks]}"
        return hashlib.sha256(of.encode()).hexdigest()

    @cached_property
    def right(self) -> Count:
        """Pictures whose most probable class is theirs."""
        return Count(sum(look.right for look in self.looks), len(self.looks))

    def confusion(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Labels that are shown or predicted, and how often a row's was taken for a column's."""
        named = {look.picture.label for look in self.looks}
        named |= {look.predicted.label for look in self.looks}
        labels = tuple(label for label in self.model.classes if label in named)
        matrix = np.zeros((len(labels), len(labels)), np.int64)
        for look in self.looks:
            matrix[labels.index(look.picture.label), labels.index(look.predicted.label)] += 1
        return labels, matrix

    @property
    def nbytes(self) -> int:
        small = 2 * 3 * SIDE**2
        return sum(look.map.nbytes + look.predicted_map.nbytes + small for look in self.looks)


def drawn(pictures: Sequence[ValidationPicture], most: int = MOST) -> list[ValidationPicture]:
    """At most so many, an equal share of every class, the same every time."""
    if len(pictures) <= most:
        return list(pictures)
    order = np.random.default_rng(0).permutation(len(pictures)).tolist()
    classes = len({picture.label for picture in pictures})
    taken: dict[str, int] = {}
    kept: list[int] = []
    for place in order:
        label = pictures[place].label
        if taken.get(label, 0) < max(1, most // classes) and len(kept) < most:
            taken[label] = taken.get(label, 0) + 1
            kept.append(place)
    return [pictures[place] for place in sorted(kept)]


def study(
    pictures: Sequence[ValidationPicture], read: Read, model: Model, progress: Progress = silent
) -> Study:
    """Look at the pictures, group the maps of every class, try what the groups mark.

    Raises ImageError when none of the pictures can be read, and what analyse raises.
    """
    chosen = drawn(pictures)
    looks: list[Look] = []
    unreadable = []
    for number, picture in enumerate(chosen):
        try:
            looks.append(look_at(picture, *read(picture), model))
        except ImageError as error:
            unreadable.append((picture.name, str(error)))
        progress(0.6 * (number + 1) / len(chosen))
    if not looks:
        raise ImageError(f"None of the {len(chosen)} pictures can be read: {unreadable[0][1]}")
    shown = {look.picture.label for look in looks}
    labels = [label for label in model.classes if label in shown]
    trial = _Trial(looks, read, model)
    groups = [group for label in labels for group in _groups(looks, label, model)]
    for number, group in enumerate(groups):
        groups[number] = trial.copied(group)
        progress(0.6 + 0.25 * (number + 1) / len(groups))
    surroundings = trial.surroundings(labels, part(progress, 0.85, 1.0))
    return Study(
        model,
        tuple(looks),
        tuple(sorted(groups, key=lambda group: not group.is_shortcut)),
        tuple(sorted(surroundings, key=lambda of: not of.is_shortcut)),
        len(pictures),
        tuple(unreadable),
    )


def look_at(
    picture: ValidationPicture, photograph: Photograph, mask: Photograph | None, model: Model
) -> Look:
    """One forward pass, and the maps for two classes. Raises what analyse raises."""
    analysis = analyse(photograph, model)
    best = analysis.target
    own = analysis.for_target(picture.label).target
    seen = model.preprocessing.picture(analysis.image)  # (R, R, 3)
    shown = None if mask is None else _seen_mask(mask, analysis.crop)
    evidence = _map(analysis, own)
    outside = None
    if shown is not None:
        placement = _placement(model)
        enlarged = localization.enlarge_evidence(evidence[None], placement, SIDE)
        if enlarged.any():
            outside = 1 - float(localization.energy_pointing_game(enlarged, shown[None])[0])
    return Look(
        picture,
        analysis.provenance.image_sha256,
        best,
        own,
        evidence,
        _map(analysis, best),
        resized(seen, SIDE, SIDE),
        shown,
        outside,
    )


def _map(analysis: Analysis, target: Prediction) -> Floats:
    method = method_at(analysis.model, None)
    return analysis.attribute(method, target=target.index).values


def _placement(model: Model) -> Placement:
    return model.structure.stages[model.last_stage].placement


def _seen_mask(mask: Photograph, crop: Crop) -> Floats:
    """The part of a mask that the network saw of the picture, (SIDE, SIDE), 0 to 1."""
    left, top, right, bottom = crop.box_in(mask.width, mask.height)
    own = Crop((mask.width, mask.height), (left, top, right, bottom), SIDE)
    white = mask.cropped(own, SIDE).mean(axis=2)  # (SIDE, SIDE)
    shown: Floats = (white / 255).astype(np.float32)
    return shown


def _groups(looks: Sequence[Look], label: str, model: Model) -> Iterable[Group]:
    of = [look for look in looks if look.picture.label == label]
    maps = np.stack([look.map for look in of])  # (n, h, w)
    placement = _placement(model)
    for places in cluster_maps(maps):
        members = tuple(of[place] for place in places)
        flat = shares(maps[list(places)])  # (n, h·w)
        mean: Floats = flat.mean(axis=0).reshape(maps.shape[1:]).astype(np.float32)  # (h, w)
        small = np.mean([look.small for look in members], axis=0)  # (SIDE, SIDE, 3)
        yield Group(
            label,
            members,
            len(of),
            mean,
            placement,
            np.rint(small).astype(np.uint8),
            half_of_the_evidence(resample(mean, placement, SIDE, SIDE)),
            mean_cosine(flat),
            None,
        )


class _Trial:
    """Changed pictures, and what the network says of them."""

    def __init__(self, looks: Sequence[Look], read: Read, model: Model) -> None:
        self._looks, self._read, self._model = looks, read, model

    def copied(self, group: Group) -> Group:
        """The group with what copying its place does."""
        place, opposite = group.place, group.place[::-1, ::-1]  # (SIDE, SIDE)
        elsewhere = [
            look
            for look in self._looks
            if group.label not in (look.picture.label, look.predicted.label)
        ]
        others = _spread(elsewhere, TRIED)
        if not place.any() or not others:
            return group
        if (place & opposite).sum() / place.sum() > TOGETHER:
            return group
        donors = _spread(group.looks, len(others))
        turned = []
        for number, other in enumerate(others):
            image, donor = self._input(other), self._input(donors[number % len(donors)])
            answers = []
            for where in (place, opposite):
                changed = np.where(_enlarged(where, image.shape[-1]), donor, image)
                answers.append(self._answer(changed, other).label == group.label)
            turned.append(answers)
        there, across = np.array(turned).T  # (n,) each
        chance = sign_test(int((there & ~across).sum()), int((across & ~there).sum()))
        pixels = np.stack([look.small[place].astype(np.float32) for look in group.looks])
        pixels = pixels.reshape(len(pixels), -1)  # (n, pixels · 3)
        same = mean_cosine(pixels - pixels.mean(axis=1, keepdims=True))
        counted, opposite_counted = (Count(int(of.sum()), len(of)) for of in (there, across))
        return replace(group, copied=Copied(counted, opposite_counted, chance, same))

    def surroundings(self, labels: Sequence[str], progress: Progress) -> list[Surroundings]:
        """Every class whose things are known to the pixel, without them."""
        known = [look for look in self._looks if _can_be_painted_out(look)]
        chosen = _spread_classes(known, labels, TRIED)
        answers = []
        for number, look in enumerate(chosen):
            progress(number / len(chosen))
            answers.append(self._without_thing(look))
        found = []
        for label in labels:
            masked = [look for look in known if look.picture.label == label]
            if not masked:
                continue
            own = [
                answer.label == label
                for look, answer in zip(chosen, answers, strict=True)
                if look.picture.label == label
            ]
            others = [
                answer.label == label
                for look, answer in zip(chosen, answers, strict=True)
                if look.picture.label != label
            ]
            found.append(
                Surroundings(
                    label,
                    float(np.mean([look.outside for look in masked if look.outside is not None])),
                    float(
                        np.mean([1 - look.mask.mean() for look in masked if look.mask is not None])
                    ),
                    Count(sum(own), len(own)),
                    Count(sum(others), len(others)),
                )
            )
        return found

    def _input(self, look: Look) -> Floats:
        """(1, 3, R, R)"""
        return self._model.preprocessing(self._read(look.picture)[0])[0]

    def _answer(self, image: Floats, look: Look) -> Prediction:
        crop = Crop(image.shape[2:], (0, 0, *image.shape[2:]), image.shape[-1])
        return analyse_input(image, crop, look.digest, self._model).target

    def _without_thing(self, look: Look) -> Prediction:
        """What the network says with the box around the thing filled in from what is around it."""
        image = self._input(look)
        left, top, right, bottom = _box(look)
        side = image.shape[-1] / SIDE
        removed = np.zeros(image.shape[2:], np.bool_)  # (R, R)
        removed[int(top * side) : round(bottom * side), int(left * side) : round(right * side)] = (
            True
        )
        return self._answer(impute(image[0], removed)[None], look)


def _box(look: Look) -> tuple[int, int, int, int]:
    """Around the thing, in pixels of the small picture: left, top, right, bottom."""
    assert look.mask is not None
    rows, columns = np.nonzero(look.mask > 0.1)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def _can_be_painted_out(look: Look) -> bool:
    if look.mask is None or look.outside is None or not (look.mask > 0.1).any():
        return False
    left, top, right, bottom = _box(look)
    return bool((right - left) * (bottom - top) <= LARGEST_BOX * SIDE**2)


def _enlarged(mask: Mask, side: int) -> Mask:
    """(SIDE, SIDE) to (side, side), every pixel with the nearest one."""
    index = (np.arange(side) * len(mask)) // side
    return mask[np.ix_(index, index)]


def _spread(looks: Sequence[Look], most: int) -> list[Look]:
    """At most so many, evenly from the whole list."""
    step = max(1.0, len(looks) / most)
    return [looks[int(place * step)] for place in range(min(most, len(looks)))]


def _spread_classes(looks: Sequence[Look], labels: Sequence[str], most: int) -> list[Look]:
    """At most so many of each class."""
    return [
        look
        for label in labels
        for look in _spread([of for of in looks if of.picture.label == label], most)
    ]
