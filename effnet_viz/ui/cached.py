"""What visitors share: decoded photographs, analyses, drawn maps. Keys are all a result depends on.

Pictures are found by the hash of their bytes, so nobody reaches one that they do not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz import analysis, image, model, render, serving, settings, zoo
from effnet_viz.sharing import SharedCache

LONGEST_SIDE = 800
"""Longer side of a photograph on the page, in pixels."""
SEEN_SIDE = 640
"""Side of the model's crop on the page, in pixels."""

_results = SharedCache(settings.RESULT_BYTES)


@dataclass(frozen=True, eq=False)
class Shown:
    """A photograph as the page shows it."""

    picture: NDArray[np.uint8]
    """(H, W, 3), the longer side about SEEN_SIDE to LONGEST_SIDE."""
    width: int
    height: int
    """Of the photograph itself, in pixels."""
    notes: tuple[str, ...]


def _decoded(digest: str, content: bytes) -> image.Photograph:
    """In full size."""
    return _results.get(
        ("decoded", digest), lambda: image.decode(content), lambda made: made.pixels.nbytes
    )


def shown(digest: str, content: bytes) -> Shown:
    """The photograph for the page. Raises ImageError."""

    def make() -> Shown:
        photograph = _decoded(digest, content)
        # Over an icon, a map would have too few pixels: enlarge small photographs, in blocks.
        picture = render.enlarge_cells(photograph.reduced(LONGEST_SIDE), SEEN_SIDE)
        return Shown(picture, photograph.width, photograph.height, photograph.notes)

    return _results.get(("shown", digest), make, lambda made: made.picture.nbytes)


def seen(digest: str, preprocessing: zoo.Preprocessing, content: bytes) -> NDArray[np.uint8]:
    """The part that a model sees, (SEEN_SIDE, SEEN_SIDE, 3)."""

    def make() -> NDArray[np.uint8]:
        photograph = _decoded(digest, content)
        crop = image.crop_of(photograph.width, photograph.height, preprocessing)
        return photograph.cropped(crop, SEEN_SIDE)

    return _results.get(("seen", digest, preprocessing), make, lambda made: made.nbytes)


def loaded(key: str, untrained: bool) -> model.Model:
    """The model, once for all visitors. Raises WeightsError."""
    return serving.shared(key, untrained=untrained)


def analysed(key: str, untrained: bool, digest: str, content: bytes) -> analysis.Analysis:
    """One forward pass, explained for the most probable class."""
    return _results.get(
        ("analysed", key, untrained, digest),
        lambda: analysis.analyse(_decoded(digest, content), loaded(key, untrained)),
        lambda made: made.activations.nbytes,
    )


def explained(
    key: str, untrained: bool, digest: str, stage: int, result: analysis.Analysis
) -> analysis.StageExplanation:
    """Grad-CAM and channel relevance at a stage for the result's target class."""
    return _results.get(
        ("explained", key, untrained, digest, stage, result.target.index),
        lambda: result.explain_stage(stage),
        lambda made: made.grad_cam.nbytes + made.channel_relevance.nbytes,
    )


def overlaid(
    picture_key: str,
    values: NDArray[np.float32],
    box: render.Box,
    limits: render.Range,
    colour_map: str,
    opacity: float,
    stamp: str | None,
    picture: NDArray[np.uint8],
) -> bytes:
    """A map over a picture as a JPEG file; `picture_key` stands for the picture."""

    def make() -> bytes:
        drawn = render.overlay(picture, values, box, limits, colour_map, opacity, stamp)
        return render.encode(drawn, "jpeg")

    key = (values.tobytes(), values.shape, box, limits, colour_map, opacity, stamp)
    return _results.get(("overlaid", picture_key, *key), make, len)


def marked(picture_key: str, box: render.Box, picture: NDArray[np.uint8]) -> bytes:
    """The picture with the model's crop marked as a JPEG file."""
    return _results.get(
        ("marked", picture_key, box),
        lambda: render.encode(render.mark_crop(picture, box), "jpeg"),
        len,
    )


def _tile_url(values: NDArray[np.float32], limits: render.Range) -> str:
    return render.data_url(render.colourise(values, limits, "viridis"), "png")


def tile(picture_key: str, values: NDArray[np.float32], limits: render.Range) -> str:
    """A small map in viridis, one pixel a cell, as a data: URL; the key stands for the values."""
    return _results.get(("tile", picture_key, limits), lambda: _tile_url(values, limits), len)


def mean_tile(picture_key: str, activation: NDArray[np.float32]) -> str:
    """The mean over the channels of an activation (C, h, w) as a tile with its own range."""

    def make() -> str:
        mean = activation.mean(axis=0)  # (h, w)
        return _tile_url(mean, render.full_range(mean))

    return _results.get(("mean tile", picture_key), make, len)


def thumbnail(digest: str, side: int, content: bytes) -> str:
    """The middle of a photograph, (side, side), as a data: URL."""

    def make() -> str:
        picture = shown(digest, content).picture  # (H, W, 3)
        height, width = picture.shape[:2]
        middle = min(height, width)
        left, top = (width - middle) // 2, (height - middle) // 2
        square = render.cut(picture, (left, top, left + middle, top + middle))
        return render.data_url(render.resize_picture(square, side, side), "webp")

    return _results.get(("thumbnail", digest, side), make, len)


def clear() -> None:
    """Forget every result; the next visitor computes anew."""
    _results.clear()
