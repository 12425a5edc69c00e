"""One photograph and one class, several networks: maps, agreement, deletion race, pointing game.

`compare` does everything; each of its pieces can be called on its own and kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from effnet_viz.analysis import caveats
from effnet_viz.analysis.analysis import (
    Analysis,
    Prediction,
    Predictions,
    Source,
    Target,
    analyse,
    class_index,
)
from effnet_viz.attribution import cam
from effnet_viz.images.photograph import Crop, Photograph, decode, preprocess, resized
from effnet_viz.metrics import agreement
from effnet_viz.models import zoo
from effnet_viz.models.model import Model, load
from effnet_viz.models.weights import WeightsError
from effnet_viz.pictures import render

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]

GRID = 64
"""Cells a side of the grid on which maps of different networks are compared."""

FRACTIONS = tuple(step / 20 for step in range(21))
"""Parts of the crop, 0 to 1, that are removed or put back in the deletion race."""

BLUR = 10 / 224
"""Standard deviation of the blur that removes, in sides of the crop (Fong & Vedaldi 2017, arXiv
1704.03296: 10 pixels of 224)."""

SCALE = "logit; raw, signed, no maximum divided out"
"""Unit of every map here, with which they can share a colour scale."""

Kind = Literal["deletion", "insertion"]


@dataclass(frozen=True)
class Origin:
    """Which network, weights, class and stage a result belongs to, and its map's scale."""

    model: str
    """Key in the zoo."""
    title: str
    weights: str
    """File name, or that the network is untrained."""
    trained: bool
    target: str
    stage: int
    method: str
    scale: str


# One network


@dataclass(frozen=True, eq=False)
class Look:
    """One network's map of the photograph."""

    analysis: Analysis
    stage: int
    evidence: Floats
    """(h, w) over the analysis's crop, in units of the logit: CAM at stage 9, else Grad-CAM."""

    @property
    def seconds(self) -> float:
        """What the forward pass took on this machine."""
        return self.analysis.activations.seconds

    @property
    def name(self) -> str:
        """Key of the model, and whether it is untrained."""
        analysis = self.analysis
        return analysis.model.entry.key + ("" if analysis.model.trained else " (untrained)")

    @property
    def method(self) -> str:
        return _method(self.stage)

    @property
    def origin(self) -> Origin:
        return _origin(self.analysis.model, self.analysis.target.label, self.stage)

    @cached_property
    def concentration(self) -> agreement.Concentration:
        """Of the positive evidence over what this network saw, on a grid of GRID cells."""
        box = self.analysis.crop.box
        return agreement.concentration(agreement.on_grid(self.evidence, box, box, GRID))

    @cached_property
    def findings(self) -> tuple[caveats.Finding, ...]:
        """What to know before reading this map."""
        return caveats.findings(self.analysis, self.evidence, self.stage, self.method)


def look(source: Source, model: Model, target: Target = None, stage: int = zoo.STAGES[-1]) -> Look:
    """One network's map of a photograph, from one forward pass."""
    analysis = analyse(source, model, target)
    return Look(analysis, stage, evidence_of(analysis, stage))


def evidence_of(analysis: Analysis, stage: int) -> Floats:
    """Grad-CAM of the target class at a stage, (h, w), in units of the logit; CAM at stage 9."""
    if stage == zoo.STAGES[-1]:
        return analysis.cam
    return cam.in_logit_units(analysis.grad_cam(stage))


# Deletion race


@dataclass(frozen=True, eq=False)
class Perturbation:
    """What a network sees while its most important pixels are blurred, or come back.

    Everything happens in the network's own input, so that each pixel of `mask` is one it sees.
    """

    sharp: Floats
    """The network's input, (3, R, R)."""
    blurred: Floats
    """(3, R, R)"""
    order: NDArray[np.int64]
    """Pixels of the input, the most important first, (R²,)."""
    crop: Crop
    """Where in the photograph the input lies."""
    preprocessing: zoo.Preprocessing

    def mask(self, fraction: float) -> NDArray[np.bool_]:
        """The most important fraction (0 to 1) of the crop, (R, R)."""
        return agreement.first_pixels(self.order, fraction, self.crop.resolution)

    def image(self, fraction: float, kind: Kind) -> torch.Tensor:
        """The input (1, 3, R, R) with that fraction blurred, or with all but that blurred."""
        deleted = self.mask(fraction) == (kind == "deletion")  # (R, R)
        mixed = np.where(deleted, self.blurred, self.sharp)  # (3, R, R)
        return torch.from_numpy(mixed)[None]  # (1, 3, R, R)

    def picture(self, fraction: float, kind: Kind) -> Picture:
        """The same for the eye, (R, R, 3); it lies over `crop.box` of the photograph."""
        return as_picture(self.image(fraction, kind), self.preprocessing)


def perturbation(
    photograph: Photograph, preprocessing: zoo.Preprocessing, evidence: Floats
) -> Perturbation:
    """Prepares a photograph for the deletion race in the order of a map (h, w) of its crop."""
    image, crop = preprocess(photograph, preprocessing)  # (1, 3, R, R)
    sharp = image[0].numpy()  # (3, R, R)
    blurred = agreement.blurred(sharp, BLUR * crop.resolution)  # (3, R, R)
    order = agreement.order(evidence, crop.resolution)  # (R²,)
    return Perturbation(sharp, blurred, order, crop, preprocessing)


def as_picture(image: torch.Tensor, preprocessing: zoo.Preprocessing) -> Picture:
    """A network's input (1, 3, R, R) for the eye, (R, R, 3): its normalisation is undone."""
    mean = np.array(preprocessing.mean)[:, None, None]  # (3, 1, 1)
    std = np.array(preprocessing.std)[:, None, None]  # (3, 1, 1)
    values = image[0].numpy() * std + mean  # (3, R, R)
    levels = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)  # (3, R, R)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))  # (R, R, 3)


@dataclass(frozen=True)
class Curve:
    """Probability of the target class against the fraction removed or put back."""

    fractions: tuple[float, ...]
    probabilities: tuple[float, ...]

    @property
    def area(self) -> float:
        """See metrics.area_under_curve."""
        return agreement.area_under_curve(self.fractions, self.probabilities)


@dataclass(frozen=True)
class Race:
    """How the probability falls and rises in the order of the network's own map.

    Petsiuk et al. 2018 (RISE, arXiv 1806.07421), with the blur of its insertion in both directions.
    A faithful map has a small area under deletion and a large one under insertion.
    """

    origin: Origin
    deletion: Curve
    """The most important pixels are blurred first."""
    insertion: Curve
    """All is blurred, and the most important pixels come back first."""

    def relative_area(self, kind: Kind) -> float:
        """Area under a curve in shares of the whole photograph's probability; nan if that is 0.

        To compare networks, of which one is surer of the class than another from the start.
        """
        curve = self.deletion if kind == "deletion" else self.insertion
        whole = self.deletion.probabilities[0]
        return curve.area / whole if whole > 0 else float("nan")


def race(
    looked: Look, photograph: Photograph, progress: Callable[[float], None] | None = None
) -> Race:
    """Deletion and insertion for one network, one forward pass a step.

    `progress` hears how much is done, 0 to 1. `photograph` is the one that was looked at.
    """
    model, target = looked.analysis.model, looked.analysis.target.index
    prepared = perturbation(photograph, model.entry.preprocessing, looked.evidence)
    # Deletion ends where insertion begins and the other way round.
    both: list[tuple[Kind, float]] = [("deletion", fraction) for fraction in FRACTIONS]
    both += [("insertion", fraction) for fraction in FRACTIONS[1:-1]]
    found: dict[tuple[Kind, float], float] = {}
    for done, (kind, fraction) in enumerate(both, 1):
        logits = model.engine.forward(prepared.image(fraction, kind)).logits  # (classes,)
        found[kind, fraction] = Predictions(logits).of(target).probability
        if progress is not None:
            progress(done / len(both))
    deletion = tuple(found["deletion", fraction] for fraction in FRACTIONS)
    inner = (found["insertion", fraction] for fraction in FRACTIONS[1:-1])
    insertion = (deletion[-1], *inner, deletion[0])
    return Race(looked.origin, Curve(FRACTIONS, deletion), Curve(FRACTIONS, insertion))


# Grid pointing game


@dataclass(frozen=True)
class Tile:
    """One photograph of the mosaic and the class it shows."""

    photograph: Photograph
    target: int
    """Index of the class."""


TILES = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0))
"""Boxes of the four tiles in shares of the mosaic's sides: row by row."""

CHANCE = 1 / len(TILES)
"""Share that an even map puts into one tile."""


@dataclass(frozen=True, eq=False)
class Pointed:
    """Where a network's evidence for the class of one tile lies."""

    target: Prediction
    """The class, with its probability in the whole mosaic."""
    share: float
    """Of the positive evidence, inside the class's own tile; see metrics.share_inside."""
    evidence: Floats
    """(h, w) over the mosaic, in units of the logit."""


@dataclass(frozen=True, eq=False)
class Pointing:
    """The grid pointing game of one network (Böhle et al. 2021, arXiv 2104.00032)."""

    origins: tuple[Origin, ...]
    """One for each tile."""
    tiles: tuple[Pointed, ...]

    @property
    def mean(self) -> float:
        """Mean share; nan where a map has no positive evidence."""
        return float(np.mean([tile.share for tile in self.tiles]))


def entry_for_mosaic(entry: zoo.ModelEntry) -> zoo.ModelEntry:
    """The same network at twice the resolution. Raises VariantError when that is too large."""
    return zoo.variant(
        entry.base or entry.key,
        width=entry.width,
        depth=entry.depth,
        resolution=2 * entry.resolution,
    )


def mosaic(tiles: Sequence[Tile], preprocessing: zoo.Preprocessing) -> torch.Tensor:
    """Two to four photographs as one input (1, 3, R, R), row by row; missing ones in mean colour.

    `preprocessing` is that of the network at twice its resolution: each photograph is prepared as
    for the network itself. Raises ValueError for another number of tiles and for a class that
    occurs twice, whose evidence would have two right places.
    """
    classes = [tile.target for tile in tiles]
    if not 2 <= len(tiles) <= len(TILES) or len(set(classes)) < len(classes):
        raise ValueError("A mosaic has two to four photographs of different classes.")
    side = preprocessing.crop // 2
    halved = dataclasses.replace(preprocessing, resize=preprocessing.resize // 2, crop=side)
    image = torch.zeros(1, 3, 2 * side, 2 * side)  # (1, 3, R, R)
    for tile, (left, top, _, _) in zip(tiles, TILES, strict=False):
        x, y = int(left * 2 * side), int(top * 2 * side)
        image[:, :, y : y + side, x : x + side] = preprocess(tile.photograph, halved)[0]
    return image


def pointing(model: Model, tiles: Sequence[Tile], stage: int = zoo.STAGES[-1]) -> Pointing:
    """Plays the game with a network at twice its resolution (see entry_for_mosaic), in one pass."""
    image = mosaic(tiles, model.entry.preprocessing)  # (1, 3, R, R)
    activations = model.engine.forward(image)
    predictions = Predictions(activations.logits)
    activation = activations.stages[stage]  # (C, h, w)
    pointed = []
    for tile, box in zip(tiles, TILES, strict=False):
        if stage == zoo.STAGES[-1]:
            gradient = model.engine.head.gradient(activation, tile.target)  # (C, h, w)
        else:
            gradient = model.engine.gradient(activation, stage, tile.target)  # (C, h, w)
        evidence = cam.in_logit_units(cam.grad_cam(activation, gradient))  # (h, w)
        share = agreement.share_inside(evidence, box)
        pointed.append(Pointed(predictions.of(tile.target), share, evidence))
    origins = tuple(_origin(model, one.target.label, stage) for one in pointed)
    return Pointing(origins, tuple(pointed))


def mosaic_picture(
    tiles: Sequence[Tile], preprocessing: zoo.Preprocessing, played: Pointing, side: int
) -> Picture:
    """The mosaic, (side, side, 3); over each tile the positive evidence of its own class there.

    Every tile has its own scale, from zero to the largest evidence of its class in the mosaic.
    """
    picture = as_picture(mosaic(tiles, preprocessing), preprocessing)  # (R, R, 3)
    picture = resized(picture, side, side)  # (side, side, 3)
    drawn = picture.copy()  # (side, side, 3)
    for pointed, (left, top, right, bottom) in zip(played.tiles, TILES, strict=False):
        limits = render.positive_range(pointed.evidence)
        box = (0.0, 0.0, float(side), float(side))
        positive = cam.positive_evidence(pointed.evidence)  # (h, w)
        whole = render.overlay(picture, positive, box, limits, "magma", 0.55)
        rows = slice(round(top * side), round(bottom * side))
        columns = slice(round(left * side), round(right * side))
        drawn[rows, columns] = whole[rows, columns]
    untrained = not played.origins[0].trained
    return render.stamp(drawn, "UNTRAINED: random weights") if untrained else drawn


# All networks


@dataclass(frozen=True, eq=False)
class NetworkResult:
    """Everything about one network; what was not asked for, or was too large, is None."""

    look: Look
    race: Race | None = None
    pointing: Pointing | None = None
    notes: tuple[str, ...] = ()
    """Why something is missing, and what to do."""


@dataclass(frozen=True)
class Failure:
    """A network that could not be used."""

    model: str
    title: str
    message: str
    """What happened and what to do."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several networks' maps of one photograph for one class. At least one network worked."""

    networks: tuple[NetworkResult, ...]
    failures: tuple[Failure, ...] = ()

    @cached_property
    def region(self) -> agreement.Box:
        """The part of the photograph that every network saw, in its pixels."""
        return agreement.common_region([n.look.analysis.crop.box for n in self.networks])

    @cached_property
    def maps(self) -> tuple[Floats, ...]:
        """Every network's map over `region`, (GRID, GRID), in units of its logit."""
        return tuple(
            agreement.on_grid(n.look.evidence, n.look.analysis.crop.box, self.region, GRID)
            for n in self.networks
        )

    @cached_property
    def rank_correlation(self) -> NDArray[np.float64]:
        """Spearman's ρ of every two maps over `region`, (n, n)."""
        return self._pairwise(agreement.rank_correlation)

    @cached_property
    def overlap(self) -> NDArray[np.float64]:
        """Intersection over union of the highest 20 % of every two maps, (n, n)."""
        return self._pairwise(agreement.overlap)

    @cached_property
    def disagreement(self) -> Floats:
        """Standard deviation across networks of each place's rank, (GRID, GRID) over `region`."""
        return agreement.disagreement(self.maps)

    @property
    def recipes(self) -> tuple[str, ...]:
        """The training recipes of the trained networks, each once."""
        found = [n.look.analysis.provenance for n in self.networks]
        return tuple(dict.fromkeys(p.recipe for p in found if p.trained))

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before comparing."""
        if len(self.recipes) < 2:
            return ()
        return (
            f"These networks were trained by {len(self.recipes)} recipes "
            f"({', '.join(self.recipes)}), so they differ in more than scale. Choose networks of "
            "one recipe to see what scale alone does.",
        )

    def _pairwise(self, compared: Callable[[Floats, Floats], float]) -> NDArray[np.float64]:
        matrix = np.empty((len(self.maps), len(self.maps)))  # (n, n), the same both ways
        for i, one in enumerate(self.maps):
            for j, other in enumerate(self.maps[: i + 1]):
                matrix[i, j] = matrix[j, i] = compared(one, other)
        return matrix


def compare(
    source: Source,
    models: Iterable[str | Model],
    target: Target = None,
    *,
    stage: int = zoo.STAGES[-1],
    tiles: Sequence[Tile] = (),
) -> Comparison:
    """Looks at one photograph with several networks, for one class, and compares their maps.

    `models` are keys or loaded models; `target` None is the most probable class of the first one
    that works, trained ones before untrained; with `tiles`, the grid pointing game is played as
    well. A network whose weights are missing or that does not run becomes a failure with its
    message, and the others go on.
    Raises ImageError, UnknownModelError, UnknownClassError and ValueError for a wrong stage, and
    WeightsError when no network works.
    """
    if stage not in zoo.STAGES:
        raise ValueError(f"There is no stage {stage}. Stages are numbered 1 to 9.")
    entries = [(m, zoo.find(m) if isinstance(m, str) else m.entry) for m in models]
    if not entries:
        raise ValueError("There is nothing to compare. Name at least one model.")
    photograph = source if isinstance(source, Photograph) else decode(source)
    index = None if target is None else class_index(target)
    networks: dict[int, NetworkResult] = {}
    failures: dict[int, Failure] = {}
    # Trained ones first: an untrained one would name a class by chance.
    for place in sorted(range(len(entries)), key=lambda i: _untrained(entries[i][0])):
        named, entry = entries[place]
        try:
            model = load(named) if isinstance(named, str) else named
            result = _all_of(photograph, model, index, stage, tiles)
        except (RuntimeError, MemoryError) as error:  # WeightsError among them
            failures[place] = Failure(entry.key, entry.title, failure_message(error, entry))
        else:
            networks[place] = result
            index = result.look.analysis.target.index
    missing = tuple(failures[place] for place in sorted(failures))
    if not networks:
        raise WeightsError(" ".join(failure.message for failure in missing))
    return Comparison(tuple(networks[place] for place in sorted(networks)), missing)


def _untrained(model: str | Model) -> bool:
    return isinstance(model, Model) and not model.trained


def _all_of(
    photograph: Photograph, model: Model, target: int | None, stage: int, tiles: Sequence[Tile]
) -> NetworkResult:
    looked = look(photograph, model, target, stage)
    result = NetworkResult(looked, race(looked, photograph))
    if not tiles:
        return result
    try:
        doubled = load(entry_for_mosaic(model.entry).key, untrained=not model.trained)
    except zoo.VariantError as error:
        note = f"The grid pointing game needs twice the resolution of {model.entry.title}. {error}"
        return dataclasses.replace(result, notes=(note,))
    return dataclasses.replace(result, pointing=pointing(doubled, tiles, stage))


def failure_message(error: Exception, entry: zoo.ModelEntry) -> str:
    """Why a network could not be used, and what to do."""
    if isinstance(error, WeightsError):
        return str(error)
    reason = str(error) or "it needs more memory"  # a MemoryError often says nothing
    return (
        f"{entry.title} does not run on this machine ({reason}). Choose a smaller network or a "
        "smaller resolution instead."
    )


def _method(stage: int) -> str:
    return "CAM" if stage == zoo.STAGES[-1] else "Grad-CAM"


def _origin(model: Model, target: str, stage: int) -> Origin:
    entry = model.entry
    return Origin(
        model=entry.key,
        title=entry.title,
        weights=model.weights_name,
        trained=model.trained,
        target=target,
        stage=stage,
        method=_method(stage),
        scale=SCALE,
    )
