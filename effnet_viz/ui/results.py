"""What visitors share: photographs, analyses, maps, pictures; each made once while it is kept.

A result is kept by the function that makes it and the identities of its arguments: images by the
hash of their bytes, so nobody reaches one that they do not have, models by key and weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis import evaluation, faithfulness, mistakes, randomization
from effnet_viz.analysis import pointing_game as game
from effnet_viz.analysis import verdict as sentences
from effnet_viz.analysis.analysis import Analysis, Target, analyse
from effnet_viz.analysis.evaluation import MethodScores
from effnet_viz.analysis.explanation import Explanation, explain, method_at
from effnet_viz.analysis.mistakes import Study
from effnet_viz.analysis.randomization import SanityCheck
from effnet_viz.arrays import (
    Floats,
    Pixels,
    Placement,
    blocks,
    full_range,
    positive_evidence,
    positive_range,
    reduced,
)
from effnet_viz.attribution import channels as stage_channels
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import METHODS, Library, Method
from effnet_viz.images.guarded import decode_guarded, layers_guarded
from effnet_viz.images.photograph import ImageError, Photograph, resized
from effnet_viz.metrics.deletion import Kind
from effnet_viz.models import validation
from effnet_viz.models.model import Model
from effnet_viz.models.validation import ValidationPicture
from effnet_viz.models.variants import ModelRef
from effnet_viz.pictures import render
from effnet_viz.pictures.encode import data_url, encode
from effnet_viz.pictures.mosaic import mosaic_picture
from effnet_viz.records import Crop
from effnet_viz.serving import models, settings, telemetry
from effnet_viz.serving.cache import SharedCache, key_of
from effnet_viz.serving.queue import CapacityLimiter
from effnet_viz.serving.slow_methods import load_in_worker, run_cascade_in_worker
from effnet_viz.ui import viewer
from effnet_viz.ui.upload import Upload

LONGEST_SIDE = 800
"""Longer side of a photograph on the page, in pixels."""
SEEN_SIDE = 640
"""Side on the page of a square from the photograph, in pixels."""
COVERED_SIDE = 520
"""Side of the crop with a covered part, in pixels."""
OVERVIEW_WIDTH = 288
"""Of the whole photograph beside the answers, in pixels: twice what it takes on the page."""
TILE_CELLS = 28
"""Longest side of a channel's tile, in cells."""
DECODERS = 2
"""Photographs decoded at once."""
MEAN_TILE_SIDE = 204
"""Side of the picture of a stage, in pixels: twice what it takes on the page."""
LEADERS = 5
"""How many of the strongest channels of a place are told."""

_results = telemetry.caches["results"] = SharedCache(settings.RESULT_BYTES)
_decoders = telemetry.queues["photographs"] = CapacityLimiter(DECODERS, settings.STUCK_SECONDS)
_large_decoders = CapacityLimiter(1, settings.STUCK_SECONDS)


@dataclass(frozen=True, eq=False)
class DisplayImage:
    """A photograph as the page shows it."""

    picture: Pixels
    """(H, W, 3), the longer side about SEEN_SIDE to LONGEST_SIDE."""
    width: int
    height: int
    """Of the photograph itself, in pixels."""
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Covered:
    """What a model says of a photograph with a part covered."""

    explanation: Explanation
    keep: bool
    """Whether all but the part was covered."""
    picture: str
    """What the model saw, as a data: URL."""


@dataclass(frozen=True, eq=False)
class PlayedGame:
    """The grid pointing game of one network."""

    pointing: game.GridPointing
    picture: bytes
    """The mosaic with the maps over it, a JPEG file."""


def decoded(content: bytes) -> Photograph:
    """Decoded, in turn: a large photograph takes some hundred megabytes meanwhile."""
    return decode_guarded(content, _decoding)


def layers(content: bytes) -> tuple[Pixels, NDArray[np.uint8] | None]:
    """Colours (H, W, 3) and opacity (H, W), None for an opaque picture; in turn, as decoded."""
    return layers_guarded(content, _decoding)


@contextmanager
def _decoding(large: bool) -> Iterator[None]:
    """A turn at decoding: large photographs wait for each other, and no others for them."""
    with _large_decoders.turn() if large else nullcontext(), _decoders.turn():
        yield


@_results.kept(lambda made: made.pixels.nbytes)
def photograph(image: Upload) -> Photograph:
    """In full size. Raises ImageError."""
    return decoded(image.content)


@_results.kept(lambda made: made.picture.nbytes)
def display_image(image: Upload) -> DisplayImage:
    """The photograph for the page. Raises ImageError."""
    whole = photograph(image)
    # Over an icon, a map would have too few pixels: enlarge small photographs, in blocks.
    picture = render.enlarge_cells(whole.reduced(LONGEST_SIDE), SEEN_SIDE)
    return DisplayImage(picture, whole.width, whole.height, whole.notes)


def _sent_bytes(sent: viewer.Photograph) -> int:
    return len(sent.source)


@_results.kept(_sent_bytes)
def sent_photograph(image: Upload) -> viewer.Photograph:
    """The photograph as the viewer shows it. Raises ImageError."""
    shown = display_image(image)
    return _sent(image.id, shown.picture, (shown.width, shown.height))


def middle(width: int, height: int) -> Crop:
    """The largest square in the middle: every model's crop lies in it."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return Crop((width, height), (left, top, left + side, top + side), SEEN_SIDE)


@_results.kept(_sent_bytes)
def sent_middle(image: Upload) -> viewer.Photograph:
    """Only the middle, for photographs too narrow to show a map on the whole."""
    whole = photograph(image)
    picture = whole.cropped(middle(whole.width, whole.height), SEEN_SIDE)
    side = min(whole.width, whole.height)
    return _sent(f"{image.id} middle", picture, (side, side))


def _sent(key: str, picture: Pixels, original: tuple[int, int]) -> viewer.Photograph:
    height, width = picture.shape[:2]
    return viewer.Photograph(key, data_url(picture, "jpeg"), width, height, original)


@_results.kept(len)
def thumbnail(image: Upload, side: int) -> str:
    """The middle of a photograph, (side, side), as a data: URL."""
    picture = display_image(image).picture  # (H, W, 3)
    height, width = picture.shape[:2]
    shorter = min(height, width)
    left, top = (width - shorter) // 2, (height - shorter) // 2
    square = render.crop(picture, (left, top, left + shorter, top + shorter))
    return data_url(resized(square, side, side), "jpeg")


@_results.kept(len)
def overview(image: Upload) -> str:
    """The whole photograph, small, as a data: URL."""
    picture = display_image(image).picture  # (H, W, 3)
    height, width = picture.shape[:2]
    shrunk = min(1, OVERVIEW_WIDTH / width, OVERVIEW_WIDTH / height)
    size = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    return data_url(resized(picture, *size), "jpeg")


def model(ref: ModelRef) -> Model:
    """The model, once for all visitors. Raises WeightsError."""
    return models.get_model(ref)


@_results.kept(lambda made: made.activations.nbytes)
def _forward(model: Model, image: Upload | Photograph) -> Analysis:
    """One forward pass, for the most probable class."""
    return analyse(image if isinstance(image, Photograph) else photograph(image), model)


def analysis(model: Model, image: Upload | Photograph, target: Target = None) -> Analysis:
    """One forward pass, explained for a class; None for the most probable one."""
    return _forward(model, image).for_target(target)


@_results.kept(lambda made: made.nbytes)
def attribution(analysis: Analysis, method: Method, stage: int | None) -> Attribution:
    """The map of a stage and its channels, for the analysis's class."""
    return analysis.attribute(method, stage)


@_results.kept(lambda _: 5000)
def doubts(model: Model) -> Mapping[str, tuple[str, ...]]:
    """Where methods do not do on a model what their papers say, by key; see attribution.doubts."""
    from effnet_viz.attribution import doubts as doubts_of  # takes seconds: torch

    network = model.module()
    return {key: doubts_of.doubts(method, network) for key, method in METHODS.items()}


@dataclass(frozen=True, eq=False)
class TimedAttribution:
    """A map and the seconds that it took."""

    attribution: Attribution
    seconds: float


def timed_attribution(
    analysis: Analysis,
    method: Method,
    stage: int | None,
    other: int | None,
    progress: Callable[[float], None],
) -> TimedAttribution:
    """The map of any method; `other` is the class that it is told from, where a method does.

    `progress` hears how much is done, 0 to 1. Raises what Analysis.attribute raises.
    """

    def make() -> TimedAttribution:
        if method.library is not Library.ENGINE:
            load_in_worker(analysis.model, progress)  # which takes a while the first time
        began = time.perf_counter()
        made = analysis.attribute(method, stage, other=other, progress=progress)
        seconds = time.perf_counter() - began
        _measured[analysis.model.id, method.key, stage] = seconds
        return TimedAttribution(made, seconds)

    key = key_of(timed_attribution, analysis, method, stage, other)
    return _results.get(key, make, lambda made: made.attribution.nbytes)


def sanity_check(
    analysis: Analysis,
    checked: tuple[Method, ...],
    stage: int,
    progress: Callable[[float], None],
) -> SanityCheck:
    """The maps of these methods while the weights become random; see analysis.randomization."""

    def make() -> SanityCheck:
        return randomization.sanity_check(
            analysis, checked, stage=stage, progress=progress, runner=run_cascade_in_worker
        )

    key = key_of(sanity_check, analysis, checked, stage)
    return _results.get(key, make, lambda made: made.nbytes)


def method_scores(
    analysis: Analysis,
    method: Method,
    stage: int,
    cells: tuple[tuple[Upload, int], ...],
    progress: Callable[[float], None],
) -> MethodScores:
    """One method's map in numbers; see analysis.evaluation.

    `cells` are photographs and classes for the grid pointing game, none where twice the network's
    resolution is too large. Raises what Analysis.attribute raises.
    """

    def make() -> MethodScores:
        placed = [game.GridCell(photograph(image), target) for image, target in cells]
        return evaluation.score_method(
            analysis,
            method,
            stage=stage,
            cells=placed,
            doubled=doubled(analysis.model) if placed else None,
            progress=progress,
        )

    key = key_of(method_scores, analysis, method, stage, cells)
    return _results.get(key, make, lambda made: made.attribution.nbytes)


_measured: dict[tuple[object, str, int | None], float] = {}
"""Seconds of a map when it was last made here, by model, method and stage."""
_shortest: dict[object, float] = {}
"""Seconds of the shortest forward pass seen here, by model: others had to share the processors."""
_EAGER = 2.7
"""How much longer a run takes through a library, with its gradient, than in the engine."""
_AROUND = 0.1
"""Seconds that a library takes around its runs."""


def forward_seconds(analysis: Analysis) -> float:
    """What a forward pass of this network takes when nothing else does."""
    model, seen = analysis.model.id, analysis.activations.seconds
    _shortest[model] = min(seen, _shortest.get(model, seen))
    return _shortest[model]


def expected_seconds(analysis: Analysis, method: Method, stage: int | None) -> float:
    """What a map will take: what it last took, else by its runs and the forward pass; a library's
    also by how much longer than that its other maps of this network took."""
    known = _measured.get((analysis.model.id, method.key, stage))
    if known is not None:
        return known
    expected = _by_runs(analysis, method, stage)
    if method.library is Library.ENGINE:
        return expected
    slower = [
        seconds / _by_runs(analysis, METHODS[key], at)
        for (model, key, at), seconds in list(_measured.items())
        if model == analysis.model.id and METHODS[key].library is not Library.ENGINE
    ]
    return expected * (median(slower) if slower else 1.0)


def _by_runs(analysis: Analysis, method: Method, stage: int | None) -> float:
    share = 1.0
    if method.only_after and stage is not None:
        stages = analysis.model.structure.stages
        after = sum(one.multiply_adds for number, one in stages.items() if number > stage)
        share = after / analysis.model.structure.multiply_adds
    each = 1.0 if method.only_forward else _EAGER
    around = 0.0 if method.library is Library.ENGINE else _AROUND
    return around + method.passes * share * each * forward_seconds(analysis)


def explanation(
    model: Model, image: Upload | Photograph, target: Target, stage: int | None
) -> Explanation:
    """One network's CAM or Grad-CAM of a photograph; see analysis.explanation.explain."""
    seen = analysis(model, image, target)
    at = model.last_stage if stage is None else stage
    return Explanation(seen, attribution(seen, method_at(model, at), at))


@_results.kept(lambda made: made.nbytes)
def channels(model: Model, image: Upload, stage: int) -> stage_channels.Channels:
    """The channels of a stage at a glance."""
    activation = _forward(model, image).stages[stage]  # (C, h, w)
    placement = model.structure.stages[stage].placement
    return stage_channels.channels(activation, placement, TILE_CELLS, LEADERS)


@_results.kept(len)
def mean_tile(model: Model, image: Upload, stage: int) -> str:
    """The mean over the channels of a stage in viridis, every place with its nearest cell."""
    activation = _forward(model, image).stages[stage]  # (C, h, w)
    placement = model.structure.stages[stage].placement
    mean, coarser = reduced(activation.mean(axis=0), placement, 2 * TILE_CELLS)  # (h', w')
    placed = blocks(mean, coarser, MEAN_TILE_SIDE, MEAN_TILE_SIDE)  # (S, S)
    return data_url(render.apply_colormap(placed, full_range(mean), "viridis"), "webp")


@_results.kept(lambda made: len(made.picture) + made.explanation.attribution.nbytes)
def covered(model: Model, image: Upload, box: viewer.Box, keep: bool, target: int) -> Covered:
    """What the model says when the box, or with `keep` everything else, is blurred."""
    changed = photograph(image).covered(box, keep=keep)
    left = explain(changed, model, target)
    picture = changed.cropped(left.analysis.crop, COVERED_SIDE)
    return Covered(left, keep, data_url(picture, "jpeg"))


@_results.kept(lambda _: 1000)
def verdict(explanation: Explanation) -> sentences.Verdict:
    """What the page says of an explanation before anything else."""
    analysis = explanation.analysis
    best = analysis.for_target(analysis.predictions[0].index)
    own = attribution(best, explanation.attribution.method, explanation.attribution.stage)
    return sentences.verdict(explanation, own)


@_results.kept(lambda _: 200)
def hottest_blurred(explanation: Explanation, image: Upload) -> faithfulness.HottestBlurred:
    """What the network says with the hottest part of its map blurred."""
    return faithfulness.blur_hottest(explanation, photograph(image))


def mistakes_of(
    model: Model, pictures: tuple[ValidationPicture, ...], progress: Callable[[float], None]
) -> Study:
    """What a network of one's own goes by on its pictures; see analysis.mistakes.

    Raises ImageError when none of them can be read.
    """

    def read(picture: ValidationPicture) -> tuple[Photograph, Photograph | None]:
        whole = decoded(validation.content_of(picture.path))
        if picture.mask is None:
            return whole, None
        try:
            return whole, decoded(validation.content_of(picture.mask))
        except ImageError as error:
            raise ImageError(f"Its mask cannot be used: {error}") from error

    return _results.get(
        key_of(mistakes_of, model, validation.fingerprint(pictures)),
        lambda: mistakes.study(pictures, read, model, progress),
        lambda made: made.nbytes,
    )


@_results.kept(len)
def small_map(study: Study, number: int) -> str:
    """A picture of a study with the map for what it was taken for, as a data: URL."""
    look = study.looks[number]
    placement = study.model.structure.stages[study.model.last_stage].placement
    return _over(look.small, look.predicted_map, placement)


@_results.kept(len)
def mean_map(study: Study, number: int) -> str:
    """The mean picture of a group of a study with its mean map, as a data: URL."""
    group = study.groups[number]
    return _over(group.small, group.map, group.placement)


def _over(picture: Pixels, values: Floats, placement: Placement) -> str:
    height, width = picture.shape[:2]
    box = (0.0, 0.0, float(width), float(height))
    positive = positive_evidence(values)  # (h, w)
    limits = positive_range(values)
    drawn = render.overlay(picture, positive, placement, box, limits, "magma", 0.5)
    return data_url(drawn, "jpeg")


def deletion_insertion(
    explanation: Explanation, image: Upload, progress: Callable[[float], None]
) -> faithfulness.DeletionInsertion:
    """Deletion and insertion of one network; `progress` hears how much is done, 0 to 1."""
    return _results.get(
        key_of(deletion_insertion, explanation, image),
        lambda: faithfulness.deletion_insertion(explanation, photograph(image), progress),
        lambda made: 32 * len(made.deletion.fractions),
    )


@_results.kept(lambda made: made.nbytes)
def _perturbation(explanation: Explanation, image: Upload) -> faithfulness.Perturbation:
    preprocessing = explanation.analysis.model.preprocessing
    return faithfulness.perturb(photograph(image), preprocessing, explanation.attribution)


@_results.kept(len)
def perturbed(explanation: Explanation, image: Upload, fraction: float, kind: Kind) -> bytes:
    """What a network sees at a step of deletion or insertion, as a JPEG file."""
    picture = _perturbation(explanation, image).picture(fraction, kind)
    if max(picture.shape) > COVERED_SIDE:
        picture = resized(picture, COVERED_SIDE, COVERED_SIDE)
    return encode(picture, "jpeg")


def doubled(model: Model) -> Model:
    """A network of the zoo at twice its resolution, for mosaics.

    Raises VariantError when that is too large, and WeightsError.
    """
    entry = game.entry_for_mosaic(ModelRef(model.id.key).entry)
    return models.get_model(ModelRef(entry.key, not model.trained))


def grid_pointing(
    model: Model,
    cells: tuple[tuple[Upload, int], ...],
    stage: int | None,
    method: Method,
    progress: Callable[[float], None],
) -> PlayedGame:
    """The grid pointing game of a network of the zoo; `cells` are photographs and classes.

    Raises what doubled and Analysis.attribute raise.
    """

    def play() -> PlayedGame:
        placed = [game.GridCell(photograph(image), target) for image, target in cells]
        large = doubled(model)
        played = game.grid_pointing(large, placed, stage, method=method, progress=progress)
        return PlayedGame(played, encode(mosaic_picture(placed, played, SEEN_SIDE), "jpeg"))

    key = key_of(grid_pointing, model, cells, stage, method)
    return _results.get(key, play, lambda made: len(made.picture))


def forget(image_id: str) -> None:
    """Forget what was computed of an image that nobody has open any more."""
    _results.forget(image_id)


def clear() -> None:
    """Forget every result; the next visitor computes anew."""
    _results.clear()
