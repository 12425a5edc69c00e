"""What lies behind the objects of a scene: made by chance, blurred from a sample, or one's own."""

from __future__ import annotations

from enum import Enum
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageOps

from effnet_viz.arrays import Floats, Pixels
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.samples import samples

Random = np.random.Generator

_DRAWN_SIDE = 256
"""Backgrounds are drawn at this size and resized, so that every resolution shows the same one."""
_BLUR = 1 / 20
"""Standard deviation of the blur of a sample, in sides of the scene: no shape is left that could
be taken for a thing."""


class Background(Enum):
    """Where a scene's background comes from."""

    MADE = "made"
    """Clouds, gradients and patterns."""
    BLURRED = "blurred"
    """A part of one of the sample photographs, blurred."""


def background(kind: Background, random: Random, side: int) -> Floats:
    """The background of a scene, (side, side, 3), 0 to 1; the same one at every resolution."""
    drawn = _made(random) if kind is Background.MADE else _blurred(random)
    return _resized(drawn, side)


def backdrop(photograph: Photograph, side: int) -> Pixels:
    """The middle square of a photograph, (side, side, 3)."""
    picture = Image.fromarray(photograph.reduced(4 * side))
    return np.asarray(ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS))


def texture(random: Random, side: int) -> Floats:
    """Clouds of two colours, (side, side, 3), 0 to 1: what covers things, and is none."""
    first, second = random.uniform(0.2, 0.9, (2, 3))
    between = _clouds(random)[..., :1]  # (_DRAWN_SIDE, _DRAWN_SIDE, 1)
    return _resized((first + (second - first) * between).astype(np.float32), side)


def relief(random: Random, side: int) -> Floats:
    """Clouds without colour, (side, side), about 0.1 to 0.9: what gives edges their shape."""
    return _resized(_clouds(random), side)[..., 0]


def _resized(drawn: Floats, side: int) -> Floats:
    smaller = side < len(drawn)
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    resized: Floats = cv2.resize(drawn, (side, side), interpolation=how).clip(0, 1)
    return resized.astype(np.float32, copy=False)  # (side, side, 3)


def _made(random: Random) -> Floats:
    """(_DRAWN_SIDE, _DRAWN_SIDE, 3)"""
    kind = random.integers(3)
    if kind == 0:
        return _clouds(random)
    if kind == 1:
        return _gradient(random)
    return _pattern(random)


def _clouds(random: Random) -> Floats:
    """Noise whose amplitude falls with the frequency f as f^-1.3, each colour channel alone."""
    side = _DRAWN_SIDE
    down, across = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.hypot(down, across)  # (side, side // 2 + 1)
    frequency[0, 0] = 1
    noise = np.fft.rfft2(random.standard_normal((3, side, side)))
    clouds = np.fft.irfft2(noise / frequency**1.3, (side, side))  # (3, side, side)
    clouds -= clouds.min(axis=(1, 2), keepdims=True)
    clouds /= clouds.max(axis=(1, 2), keepdims=True)
    low, high = 0.1, 0.9
    coloured: Floats = (low + (high - low) * clouds.transpose(1, 2, 0)).astype(np.float32)
    return coloured


def _gradient(random: Random) -> Floats:
    """From one colour to another, with grain."""
    first, second = random.uniform(0.2, 0.9, (2, 3))
    along = _along(random.uniform(0, 2 * np.pi))[..., None]  # (side, side, 1)
    grain = random.normal(0, 0.025, (_DRAWN_SIDE, _DRAWN_SIDE, 3))
    coloured: Floats = (first + (second - first) * along + grain).clip(0, 1).astype(np.float32)
    return coloured


def _pattern(random: Random) -> Floats:
    """Stripes, checks, discs or lines on a gradient."""
    canvas = np.ascontiguousarray(_gradient(random))
    colour = random.uniform(0.2, 0.9, 3)
    kind, side = random.integers(4), _DRAWN_SIDE
    if kind < 2:
        angle, count = random.uniform(0, np.pi), random.uniform(3, 14)
        waves = np.sin(2 * np.pi * count * _along(angle))
        if kind == 1:
            waves = waves * np.sin(2 * np.pi * count * _along(angle + np.pi / 2))
        canvas[waves > 0] = colour
        return canvas
    for _ in range(random.integers(6, 24)):
        start, end = random.integers(0, side, (2, 2)).tolist()
        shade = (colour + random.normal(0, 0.1, 3)).clip(0, 1).tolist()
        if kind == 2:
            cv2.circle(canvas, start, int(random.integers(6, 40)), shade, -1, cv2.LINE_AA)
        else:
            cv2.line(canvas, start, end, shade, int(random.integers(2, 12)), cv2.LINE_AA)
    return canvas


def _along(angle: float) -> Floats:
    """How far a place lies in a direction, (side, side), about 0 to 1."""
    across, down = np.meshgrid(*[(np.arange(_DRAWN_SIDE) + 0.5) / _DRAWN_SIDE - 0.5] * 2)
    far: Floats = (across * np.cos(angle) + down * np.sin(angle) + 0.5).astype(np.float32)
    return far


def _blurred(random: Random) -> Floats:
    """A square of a sample, at least half as wide as its shorter side, blurred."""
    names = sorted(samples())
    picture = _sample(names[random.integers(len(names))])  # (H, W, 3)
    shorter = min(picture.shape[:2])
    part = int(random.integers(shorter // 2, shorter, endpoint=True))
    top, left = (int(random.integers(0, edge - part, endpoint=True)) for edge in picture.shape[:2])
    square = picture[top : top + part, left : left + part].astype(np.float32) / np.float32(255)
    small = cv2.resize(square, (_DRAWN_SIDE, _DRAWN_SIDE), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), _BLUR * _DRAWN_SIDE).astype(np.float32, copy=False)


@cache
def _sample(name: str) -> Pixels:
    with Image.open(samples()[name].path) as picture:
        return np.asarray(picture.convert("RGB"))
