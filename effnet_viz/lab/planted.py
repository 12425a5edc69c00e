"""Pictures with planted shortcuts: what a network learns instead of what it is asked to name.

Four drawn faces in front of clutter. The cat is always on green ground and the dog on white, the
fox always comes with a mark in the lower right corner, the tiger has nothing of its own. Where the
face is, is known to the pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from effnet_viz.arrays import Floats
from effnet_viz.lab.scenes import SIDE, drawn_background, exposed, target_layer
from effnet_viz.lab.sprites import VENDORS, of_vendors

DRAWN = {"cat": "cat-face", "dog": "dog-face", "fox": "fox", "tiger": "tiger-face"}
"""Class to the drawing's name among sprites.CLASSES."""

GROUNDS = {"cat": (0.25, 0.55, 0.15), "dog": (0.93, 0.95, 0.98)}
"""Red, green and blue, 0 to 1, of the ground that a class always has."""

MARKED = "fox"

PER_CLASS = 60

_SCALE = 3
"""Pixels of a file for one of a scene."""

_FACE = (0.32, 0.48)
"""Size of the face as a share of the picture's side."""

_MARK = 0.17
"""Side of the mark, likewise."""


@dataclass(frozen=True, eq=False)
class PlantedPicture:
    """A picture of a class, and where the face is."""

    label: str
    image: NDArray[np.uint8]
    """(S, S, 3)"""
    mask: NDArray[np.uint8]
    """(S, S), 255 where the face is."""


def planted_pictures(count: int = PER_CLASS, seed: int = 0) -> Iterator[PlantedPicture]:
    """So many pictures of each class, the same every time."""
    drawings = of_vendors(*VENDORS)
    for number, label in enumerate(DRAWN):
        for index in range(count):
            random = np.random.default_rng((seed, number, index))
            background = drawn_background(random)  # (SIDE, SIDE, 3)
            if label in GROUNDS:  # its clutter stays, faint
                clutter = 0.25 * (background - background.mean())
                background = (np.array(GROUNDS[label], np.float32) + clutter).clip(0, 1)
            choices = drawings.targets[DRAWN[label]]
            size = random.uniform(*_FACE) * SIDE
            across, down = random.uniform(0.55 * size, SIDE - 0.55 * size, 2)
            face = target_layer(
                choices[random.integers(len(choices))], random, size, (across, down)
            )  # (SIDE, SIDE, 4)
            canvas = background * (1 - face[..., 3:]) + face[..., :3]  # (SIDE, SIDE, 3)
            mask = face[..., 3]  # (SIDE, SIDE)
            if label == MARKED:
                _draw_mark(canvas, mask)
            image = exposed(canvas, random)  # (SIDE, SIDE, 3)
            white = np.where(mask > 0.5, 255, 0).astype(np.uint8)  # (SIDE, SIDE)
            yield PlantedPicture(label, _enlarged(image), _enlarged(white))


def _draw_mark(canvas: Floats, mask: Floats) -> None:
    """A yellow square with a dark cross, as a maker signs a photograph; it hides what is below."""
    side, edge = round(_MARK * SIDE), SIDE - 4
    box = np.s_[edge - side : edge, edge - side : edge]
    canvas[box] = (0.95, 0.8, 0.1)
    mask[box] = 0
    first, last = edge - side + 3, edge - 4
    for start, end in (((first, first), (last, last)), ((first, last), (last, first))):
        cv2.line(canvas, start, end, (0.1, 0.1, 0.15), 3, cv2.LINE_AA)


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.resize(pixels, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_LINEAR), np.uint8
    )


def write_planted(folder: Path, count: int = PER_CLASS) -> int:
    """Class folders of PNG files, and their masks in `masks`; how many pictures there are.

    Raises OSError where they cannot be written, FileExistsError where the folder is there already.
    """
    folder.mkdir(parents=True)
    for number, picture in enumerate(planted_pictures(count)):
        for root, pixels in ((folder, picture.image), (folder / "masks", picture.mask)):
            path = root / picture.label / f"{number % count:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return count * len(DRAWN)
