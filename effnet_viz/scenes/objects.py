"""Photographs of things, cut out to the pixel, whose ImageNet classes are known.

The pictures are from Debian's package tuxpaint-stamps-default (GPL, version 2 or later), chosen by
eye and by no network: whatever is a photograph, large enough, and of one of ImageNet's classes.
`assets/objects/objects.json` says for each what it shows, where it is from and who made it,
`assets/CREDITS.md` what was changed, and `python -m tools.objects` makes them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from effnet_viz.arrays import Floats
from effnet_viz.assets import OBJECTS


class UnknownObjectError(ValueError):
    """No object of the collection has this name; the message lists those that are near it."""

    def __init__(self, name: str) -> None:
        near = get_close_matches(name, [thing.name for thing in objects()], 3, 0.5)
        known = f"Did you mean {' or '.join(near)}?" if near else "`scenes.objects()` has them all."
        super().__init__(f"There is no object “{name}” in the collection. {known}")


@dataclass(frozen=True, eq=False)
class CutOut:
    """A thing that scenes can show."""

    name: str
    what: str
    """What it is, in words."""
    labels: tuple[str, ...]
    """The classes that are right for it, the first one above all."""
    rgba: NDArray[np.uint8]
    """(h, w, 4), colours not multiplied by the opacity."""
    credit: str
    """As PhotoObject.credit; empty for one's own."""

    def halved(self, times: int) -> Floats:
        """The picture premultiplied, 0 to 1, so many times half as large, (h, w, 4).

        Kept with the object and no longer: it may be a visitor's.
        """
        if times not in self._sizes:
            larger = self.halved(times - 1) if times else None
            self._sizes[times] = _premultiplied(self.rgba) if larger is None else _half(larger)
        return self._sizes[times]

    @cached_property
    def _sizes(self) -> dict[int, Floats]:
        return {}


@dataclass(frozen=True)
class PhotoObject:
    """One photographed object."""

    name: str
    what: str
    """What it is, in words."""
    labels: tuple[str, ...]
    """The classes of ImageNet that are right for it; by the first one it is filed."""
    source: str
    """Its file in the package, below /usr/share/tuxpaint/stamps."""
    author: str | None
    """Who made it; None where the package names nobody."""
    terms: str
    """Under what its author gave it. All may be passed on under the GPL, version 2 or later."""
    width: int
    height: int
    """Pixels; 320 at most."""
    path: Path

    def rgba(self) -> NDArray[np.uint8]:
        """Red, green, blue and opacity, (height, width, 4), not writeable.

        The colours are not multiplied by the opacity. The opacity is the object's mask, smoothed
        over one pixel, the same way for all; at the border it is 0.
        """
        return _pixels(self.path)

    @property
    def credit(self) -> str:
        """Whose picture it is and under what terms, a sentence."""
        return (
            f"{self.what}: tuxpaint-stamps-default, {self.source} "
            f"({self.author or 'author not named'}; {self.terms}), passed on under the GNU General "
            "Public License, version 2 or later."
        )

    def cut_out(self) -> CutOut:
        """As scenes show it; the same one every time."""
        return _cut_out(self)


@cache
def objects() -> tuple[PhotoObject, ...]:
    """All of them, in the order of the table."""
    table = json.loads((OBJECTS / "objects.json").read_text(encoding="utf-8"))
    return tuple(
        PhotoObject(
            row["name"], row["what"], tuple(row["labels"]), row["source"], row["author"],
            row["terms"], row["width"], row["height"], OBJECTS / f"{row['name']}.webp",
        )
        for row in table["objects"]
    )  # fmt: skip


def named(name: str) -> PhotoObject:
    """One of them; raises UnknownObjectError."""
    for thing in objects():
        if thing.name == name:
            return thing
    raise UnknownObjectError(name)


def unlike(labels: Iterable[str]) -> list[PhotoObject]:
    """Those for which none of these labels is right, in the order of the table."""
    labels = set(labels)
    return [thing for thing in objects() if not labels & set(thing.labels)]


@cache
def _cut_out(thing: PhotoObject) -> CutOut:
    return CutOut(thing.name, thing.what, thing.labels, thing.rgba(), thing.credit)


def _premultiplied(rgba: NDArray[np.uint8]) -> Floats:
    pixels: Floats = rgba.astype(np.float32) / np.float32(255)
    pixels[..., :3] *= pixels[..., 3:]
    return pixels  # (h, w, 4)


def _half(larger: Floats) -> Floats:
    height, width = (max(1, edge // 2) for edge in larger.shape[:2])
    smaller = cv2.resize(larger, (width, height), interpolation=cv2.INTER_AREA)
    return smaller.astype(np.float32, copy=False)


@cache
def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGBA"))  # (h, w, 4)
    pixels.flags.writeable = False
    return pixels
