"""What visitors share: decoded photographs, analyses, drawn maps. Keys are all a result depends on.

Pictures are found by the hash of their bytes, so nobody reaches one that they do not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis import analysis
from effnet_viz.analysis.explanation import Look
from effnet_viz.analysis.faithfulness import Perturbation, Race, perturbation, race
from effnet_viz.analysis.pointing_game import Pointing, Tile, entry_for_mosaic, pointing
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import full_range, reduced
from effnet_viz.attribution import cam
from effnet_viz.attribution.attribution import StageExplanation
from effnet_viz.attribution.channels import Channels
from effnet_viz.attribution.channels import channels as channels_at_a_glance
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph, resized
from effnet_viz.metrics.deletion import Kind
from effnet_viz.models import model, variants
from effnet_viz.models import zoo as network
from effnet_viz.pictures import render
from effnet_viz.pictures.encode import data_url, encode
from effnet_viz.pictures.mosaic import mosaic_picture
from effnet_viz.records import Crop
from effnet_viz.serving import models, settings
from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import Turns
from effnet_viz.ui import viewer

LONGEST_SIDE = 800
"""Longer side of a photograph on the page, in pixels."""
SEEN_SIDE = 640
"""Side on the page of a square from the photograph, in pixels."""

COVERED_SIDE = 320
"""Side of the crop with a covered part, in pixels."""
TILE_CELLS = 28
"""Longest side of a channel's tile, in cells."""
DECODERS = 2
"""Photographs decoded at once."""
LEADERS = 5
"""How many of the strongest channels of a place are told."""

_results = SharedCache(settings.RESULT_BYTES)
_decoders = Turns(DECODERS, settings.STUCK_SECONDS)


@dataclass(frozen=True, eq=False)
class DisplayImage:
    """A photograph as the page shows it."""

    picture: NDArray[np.uint8]
    """(H, W, 3), the longer side about SEEN_SIDE to LONGEST_SIDE."""
    width: int
    height: int
    """Of the photograph itself, in pixels."""
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Covered:
    """What a model says of a photograph with a part covered."""

    predictions: Predictions
    picture: str
    """What the model saw, as a data: URL."""


@dataclass(frozen=True, eq=False)
class Pointed:
    """The grid pointing game of one network."""

    played: Pointing
    picture: bytes
    """The mosaic with the maps over it, a JPEG file."""


def decoded(content: bytes) -> Photograph:
    """Decoded, in turn: a large photograph takes some hundred megabytes meanwhile."""
    with _decoders.turn():
        return decode(content)


def _decoded(digest: str, content: bytes) -> Photograph:
    """In full size."""
    return _results.get(
        ("decoded", digest), lambda: decoded(content), lambda made: made.pixels.nbytes
    )


def shown(digest: str, content: bytes) -> DisplayImage:
    """The photograph for the page. Raises ImageError."""

    def make() -> DisplayImage:
        photograph = _decoded(digest, content)
        # Over an icon, a map would have too few pixels: enlarge small photographs, in blocks.
        picture = render.enlarge_cells(photograph.reduced(LONGEST_SIDE), SEEN_SIDE)
        return DisplayImage(picture, photograph.width, photograph.height, photograph.notes)

    return _results.get(("shown", digest), make, lambda made: made.picture.nbytes)


def photograph(digest: str, content: bytes) -> viewer.Photograph:
    """The photograph as the viewer shows it. Raises ImageError."""
    made = shown(digest, content)
    return _sent(digest, made.picture, (made.width, made.height))


def middle(width: int, height: int) -> Crop:
    """The largest square in the middle: every model's crop lies in it."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return Crop((width, height), (left, top, left + side, top + side), SEEN_SIDE)


def middle_alone(digest: str, content: bytes) -> viewer.Photograph:
    """Only the middle, for photographs too narrow to show a map on the whole."""
    photograph = _decoded(digest, content)
    crop = middle(photograph.width, photograph.height)
    picture = _results.get(
        ("middle", digest), lambda: photograph.cropped(crop, SEEN_SIDE), lambda made: made.nbytes
    )
    side = min(photograph.width, photograph.height)
    return _sent(f"{digest} middle", picture, (side, side))


def _sent(key: str, picture: NDArray[np.uint8], original: tuple[int, int]) -> viewer.Photograph:
    height, width = picture.shape[:2]
    source = _results.get(("sent", key), lambda: data_url(picture, "jpeg"), len)
    return viewer.Photograph(key, source, width, height, original)


def loaded(key: str, untrained: bool) -> model.Model:
    """The model, once for all visitors. Raises WeightsError."""
    return models.shared(key, untrained=untrained)


def analysed(key: str, untrained: bool, digest: str, content: bytes) -> analysis.Analysis:
    """One forward pass, explained for the most probable class."""
    return _results.get(
        ("analysed", key, models.weights_hash(key, untrained), digest),
        lambda: analysis.analyse(_decoded(digest, content), loaded(key, untrained)),
        lambda made: made.activations.nbytes,
    )


def explained(
    key: str, untrained: bool, digest: str, stage: int, result: analysis.Analysis
) -> StageExplanation:
    """Grad-CAM and channel relevance at a stage for the result's target class."""
    return _results.get(
        ("explained", key, result.provenance.weights_sha256, digest, stage, result.target.index),
        lambda: result.explain_stage(stage),
        lambda made: made.grad_cam.nbytes + made.channel_relevance.nbytes,
    )


def channels(
    key: str, untrained: bool, digest: str, stage: int, result: analysis.Analysis
) -> Channels:
    """The channels of a stage at a glance."""
    return _results.get(
        ("channels", key, result.provenance.weights_sha256, digest, stage),
        lambda: channels_at_a_glance(result.stages[stage], TILE_CELLS, LEADERS),
        lambda made: made.nbytes,
    )


def covered(
    key: str, untrained: bool, digest: str, box: viewer.Box, keep: bool, content: bytes
) -> Covered:
    """What the model says when the box, or with `keep` everything else, is blurred."""

    def make() -> Covered:
        photograph = _decoded(digest, content).covered(box, keep=keep)
        result = analysis.analyse(photograph, loaded(key, untrained))
        crop = photograph.cropped(result.crop, COVERED_SIDE)
        return Covered(result.predictions, data_url(crop, "jpeg"))

    sha256 = models.weights_hash(key, untrained)
    return _results.get(
        ("covered", key, sha256, digest, box, keep), make, lambda made: len(made.picture)
    )


def looked(
    key: str, untrained: bool, digest: str, target: str | None, stage: int, content: bytes
) -> Look:
    """One network's map of a photograph for a class; None for its most probable one."""
    result = analysed(key, untrained, digest, content).for_target(target)
    if stage == network.STAGES[-1]:
        return Look(result, stage, result.cam)
    grad_cam = explained(key, untrained, digest, stage, result).grad_cam  # (h, w)
    return Look(result, stage, cam.in_logit_units(grad_cam))


def _identity(look: Look, digest: str) -> tuple[object, ...]:
    """All that what follows from a look depends on."""
    provenance = look.analysis.provenance
    key = (provenance.model, provenance.weights_sha256, digest)
    return (*key, look.stage, look.analysis.target.index)


def raced(look: Look, digest: str, content: bytes, tell: Callable[[float], None] | None) -> Race:
    """The deletion race of one network; `tell` hears of its progress."""
    return _results.get(
        ("raced", *_identity(look, digest)),
        lambda: race(look, _decoded(digest, content), tell),
        lambda made: 32 * len(made.deletion.fractions),
    )


def perturbed(
    look: Look,
    digest: str,
    fraction: float,
    kind: Kind,
    content: bytes,
) -> bytes:
    """What a network sees at a place of its race, as a JPEG file."""
    identity = _identity(look, digest)

    def prepare() -> Perturbation:
        preprocessing = look.analysis.model.entry.preprocessing
        return perturbation(_decoded(digest, content), preprocessing, look.evidence)

    def make() -> bytes:
        prepared = _results.get(
            ("perturbation", *identity),
            prepare,
            lambda made: made.sharp.nbytes + made.blurred.nbytes + made.order.nbytes,
        )
        picture = prepared.picture(fraction, kind)
        if max(picture.shape) > COVERED_SIDE:
            picture = resized(picture, COVERED_SIDE, COVERED_SIDE)
        return encode(picture, "jpeg")

    return _results.get(("perturbed", *identity, fraction, kind), make, len)


def pointed(
    key: str,
    untrained: bool,
    tiles: tuple[tuple[str, int], ...],
    stage: int,
    contents: tuple[bytes, ...],
) -> Pointed:
    """The grid pointing game of a network; `tiles` are the photographs' digests and classes.

    Raises VariantError when twice the network's resolution is too large, and WeightsError.
    """

    def make() -> Pointed:
        entry = entry_for_mosaic(variants.find(key))
        placed = [
            Tile(_decoded(digest, content), target)
            for (digest, target), content in zip(tiles, contents, strict=True)
        ]
        played = pointing(loaded(entry.key, untrained), placed, stage)
        picture = mosaic_picture(placed, entry.preprocessing, played, SEEN_SIDE)
        return Pointed(played, encode(picture, "jpeg"))

    sha256 = models.weights_hash(key, untrained)
    return _results.get(
        ("pointed", key, sha256, tiles, stage), make, lambda made: len(made.picture)
    )


def mean_tile(picture_key: str, activation: NDArray[np.float32]) -> str:
    """The mean over the channels of an activation (C, h, w) in viridis, a pixel a cell or block."""

    def make() -> str:
        mean = reduced(activation.mean(axis=0), 2 * TILE_CELLS)  # (h', w')
        return data_url(render.colourise(mean, full_range(mean), "viridis"), "webp")

    return _results.get(("mean tile", picture_key), make, len)


def thumbnail(digest: str, side: int, content: bytes) -> str:
    """The middle of a photograph, (side, side), as a data: URL."""

    def make() -> str:
        picture = shown(digest, content).picture  # (H, W, 3)
        height, width = picture.shape[:2]
        middle = min(height, width)
        left, top = (width - middle) // 2, (height - middle) // 2
        square = render.cut(picture, (left, top, left + middle, top + middle))
        return data_url(resized(square, side, side), "jpeg")

    return _results.get(("thumbnail", digest, side), make, len)


def clear() -> None:
    """Forget every result; the next visitor computes anew."""
    _results.clear()
