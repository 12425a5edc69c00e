"""An object of one's own: from a picture with transparency, or cut out of a photograph.

Cutting out is GrabCut (Rother et al. 2004, doi 10.1145/1015706.1015720) as OpenCV has it: what lies
outside a box is ground; inside, colours and edges decide, and strokes of a brush overrule them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from effnet_viz.arrays import Box, Mask, Pixels
from effnet_viz.images.photograph import resized
from effnet_viz.scenes.objects import CutOut
from effnet_viz.scenes.treatment import treated

NAME = "own"
"""What an object of one's own is called in a scene."""
LONGEST = 640
"""Pixels of its longer side, at most."""
SMALLEST = 48
"""Pixels of its longer side, at least: what is smaller has too little detail to be named."""
WORKING_SIDE = 512
"""Longer side in pixels of a photograph that is cut; what it takes grows with the area."""
ITERATIONS = 3
CLEAR = 0.01
"""The share of a picture that must be see-through, for its transparency to say what the object is:
rounded corners do not."""
MOST_STROKES, MOST_POINTS = 60, 400
"""Strokes of one cut, and points of one stroke."""

Opacity = NDArray[np.uint8]
Point = tuple[float, float]
"""From the left and from the top, in shares of the picture's sides, 0 to 1."""


class CutOutError(ValueError):
    """Nothing can be cut out of this picture; the message says why and what to do."""


@dataclass(frozen=True)
class Stroke:
    """A brush drawn over a photograph."""

    thing: bool
    """Whether what lies under it is the object, or is not."""
    radius: float
    """Of the brush, as a share of the longer side."""
    points: tuple[Point, ...]


def working_copy(pixels: Pixels) -> Pixels:
    """A photograph (H, W, 3) as it is cut, (h, w, 3): its longer side is WORKING_SIDE at most."""
    height, width = pixels.shape[:2]
    factor = WORKING_SIDE / max(height, width)
    if factor >= 1:
        return pixels
    return resized(pixels, max(1, round(width * factor)), max(1, round(height * factor)))


def is_cut_out(opacity: Opacity | None) -> bool:
    """Whether the transparency (H, W) of a picture says what the object is; None is opaque."""
    return opacity is not None and float((opacity < 128).mean()) >= CLEAR


def cut_out(pixels: Pixels, box: Box, strokes: Sequence[Stroke] = ()) -> Opacity:
    """Where the object in a box of a photograph (h, w, 3) is: (h, w), 255 there, else 0.

    The box is left, top, right, bottom in shares of the photograph. Later strokes lie over earlier
    ones. The same arguments give the same result. Raises ValueError for a photograph larger than
    WORKING_SIDE, an empty box, or more strokes or points than are drawn by hand.
    """
    _require_bounded(pixels, box, strokes)
    labels = _labels(pixels.shape[:2], box, strokes)
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    # Without both kinds there are no colours to tell apart.
    if inside.any() and not inside.all():
        cv2.setRNGSeed(0)  # of this thread: the first guess at the colours is drawn by chance
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(
            np.ascontiguousarray(pixels), labels, (0, 0, 0, 0), *models, ITERATIONS,
            cv2.GC_INIT_WITH_MASK,
        )  # fmt: skip
        inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    return np.where(inside, 255, 0).astype(np.uint8)


def own_object(rgba: NDArray[np.uint8], labels: Sequence[str]) -> CutOut:
    """An object (h, w, 4) made by `treated_cut`; `labels` are the classes that are right for it.

    Raises ValueError without any.
    """
    if not labels:
        raise ValueError("An object has at least one label that is right for it.")
    return CutOut(NAME, labels[0], tuple(labels), rgba, "")


def treated_cut(pixels: Pixels, opacity: Opacity) -> NDArray[np.uint8]:
    """The object of a picture (H, W, 3) that is at least half opaque (H, W): (h, w, 4).

    Its edge is treated as the collection's; see scenes.treatment. Not writeable. Raises CutOutError
    where there is too little of it.
    """
    colours, mask = _bounded(pixels, opacity >= 128)
    # Hairs may be gone when they are reduced.
    rgba = treated(colours, mask, LONGEST) if mask.any() else None
    if rgba is None or not (rgba[..., 3] >= 128).any():
        raise CutOutError(
            "Nothing is left of the object: all of the picture is transparent or ground. Draw the "
            "box closely around a thing, or choose a picture in which one can be seen."
        )
    longer = max(rgba.shape[:2])
    if longer < SMALLEST:
        raise CutOutError(
            f"This object is only {longer} pixels large, and networks would see a blot. Choose a "
            f"larger picture of it: at least {SMALLEST} pixels, better {LONGEST // 2}."
        )
    rgba.flags.writeable = False
    return rgba


def _bounded(pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
    """The box of the mask, at most twice as large as what is made of it: what is done to pixels one
    by one must not take minutes for a large picture."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    box = np.s_[top : top + height, left : left + width]
    colours, mask = pixels[box], mask[box]
    if max(height, width) <= 2 * LONGEST:
        return colours, mask
    factor = 2 * LONGEST / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    # Only colours of the object, so that its ground does not mix into its rim.
    part = mask.astype(np.uint8)
    summed = cv2.resize(colours * part[..., None], size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(part * np.uint8(255), size, interpolation=cv2.INTER_AREA)  # of 255
    small = summed * (np.float32(255) / np.maximum(share, 1)[..., None])
    return small.round().clip(0, 255).astype(np.uint8), share >= 128


def _require_bounded(pixels: Pixels, box: Box, strokes: Sequence[Stroke]) -> None:
    if max(pixels.shape[:2]) > WORKING_SIDE:
        raise ValueError(f"A photograph to cut has at most {WORKING_SIDE} pixels a side.")
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"The box {box} is not left, top, right, bottom between 0 and 1.")
    if len(strokes) > MOST_STROKES or any(len(one.points) > MOST_POINTS for one in strokes):
        raise ValueError(f"At most {MOST_STROKES} strokes of {MOST_POINTS} points can be drawn.")


def _labels(shape: tuple[int, ...], box: Box, strokes: Sequence[Stroke]) -> NDArray[np.uint8]:
    """What is known of every pixel before GrabCut, (h, w)."""
    height, width = shape
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    left, top, right, bottom = box
    rows = slice(int(top * height), max(int(top * height) + 1, round(bottom * height)))
    columns = slice(int(left * width), max(int(left * width) + 1, round(right * width)))
    labels[rows, columns] = cv2.GC_PR_FGD
    # A box around everything leaves a rim: some ground must be known.
    if (labels == cv2.GC_PR_FGD).all():
        labels[[0, -1], :] = labels[:, [0, -1]] = cv2.GC_BGD
    for stroke in strokes:
        radius = max(1, round(stroke.radius * max(height, width)))
        value = cv2.GC_FGD if stroke.thing else cv2.GC_BGD
        places = [(round(x * (width - 1)), round(y * (height - 1))) for x, y in stroke.points]
        for start, end in zip(places, [*places[1:], *places[-1:]], strict=True):
            cv2.line(labels, start, end, value, 2 * radius)  # round at its ends
    return labels
