"""Deletion and insertion: whether a network needs what its map shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.explanation import Explanation
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import Floats, Mask, Pixels
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import Preprocessing
from effnet_viz.metrics.deletion import (
    BLUR,
    FRACTIONS,
    Curve,
    Kind,
    blur,
    first_pixels,
    pixel_order,
)
from effnet_viz.models.model import Model
from effnet_viz.records import Crop, Prediction


@dataclass(frozen=True, eq=False)
class Perturbation:
    """What a network sees while its most important pixels are blurred, or come back.

    Everything happens in the network's own input, so that each pixel of `mask` is one it sees.
    """

    original: Floats
    """The network's input, (3, R, R)."""
    baseline: Floats
    """The same, blurred, (3, R, R)."""
    order: NDArray[np.int64]
    """Pixels of the input, the most important first, (R²,)."""
    crop: Crop
    """Where in the photograph the input lies."""
    preprocessing: Preprocessing

    @property
    def nbytes(self) -> int:
        return self.original.nbytes + self.baseline.nbytes + self.order.nbytes

    def mask(self, fraction: float) -> Mask:
        """The most important fraction (0 to 1) of the crop, (R, R)."""
        return first_pixels(self.order, fraction, self.crop.resolution)

    def image(self, fraction: float, kind: Kind) -> Floats:
        """The input (1, 3, R, R) with that fraction blurred, or with all but that blurred."""
        deleted = self.mask(fraction) == (kind == "deletion")  # (R, R)
        return np.where(deleted, self.baseline, self.original)[None]  # (1, 3, R, R)

    def picture(self, fraction: float, kind: Kind) -> Pixels:
        """The same for the eye, (R, R, 3); it lies over `crop.box` of the photograph."""
        return self.preprocessing.picture(self.image(fraction, kind))


def perturb(
    photograph: Photograph, preprocessing: Preprocessing, attribution: Attribution
) -> Perturbation:
    """Prepares a photograph for deletion in the order of a map of its crop."""
    x, crop = preprocessing(photograph)  # (1, 3, R, R)
    return perturb_input(x, crop, preprocessing, attribution)


def perturb_input(
    x: Floats, crop: Crop, preprocessing: Preprocessing, attribution: Attribution
) -> Perturbation:
    """The same from the network's input (1, 3, R, R), with a map of a stage or of pixels."""
    baseline = blur(x[0], BLUR * crop.resolution)  # (3, R, R)
    order = pixel_order(attribution.values, attribution.placement, crop.resolution)  # (R²,)
    return Perturbation(x[0], baseline, order, crop, preprocessing)


@dataclass(frozen=True)
class DeletionInsertion:
    """How the probability falls and rises in the order of the network's own map.

    Petsiuk et al. 2018 (RISE, arXiv 1806.07421), with the blur of its insertion in both directions.
    A faithful map has a small area under deletion and a large one under insertion.
    """

    attribution: Attribution
    """The map."""
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


def says(model: Model, image: Floats, target: Prediction) -> Prediction:
    """What a network says of a class for another input (1, 3, R, R): one forward pass."""
    logits = model.engine.forward(image).logits[0]  # (classes,)
    return Predictions(logits, model.classes).of(target.index)


def deletion_insertion(
    explanation: Explanation,
    photograph: Photograph,
    progress: Callable[[float], None] | None = None,
) -> DeletionInsertion:
    """Deletion and insertion for one network's map of a photograph, one image a step.

    `progress` hears how much is done, 0 to 1.
    """
    model, attribution = explanation.analysis.model, explanation.attribution
    prepared = perturb(photograph, model.preprocessing, attribution)
    return race(model, attribution, prepared, progress)


def race(
    model: Model,
    attribution: Attribution,
    prepared: Perturbation,
    progress: Callable[[float], None] | None = None,
) -> DeletionInsertion:
    """Deletion and insertion in the prepared order; see deletion_insertion."""
    # Deletion ends where insertion begins and the other way round.
    steps: list[tuple[Kind, float]] = [("deletion", fraction) for fraction in FRACTIONS]
    steps += [("insertion", fraction) for fraction in FRACTIONS[1:-1]]
    found: list[float] = []
    for kind, fraction in steps:
        found.append(says(model, prepared.image(fraction, kind), attribution.target).probability)
        if progress is not None:
            progress(len(found) / len(steps))
    deletion, inner = tuple(found[: len(FRACTIONS)]), found[len(FRACTIONS) :]
    insertion = (deletion[-1], *inner, deletion[0])
    return DeletionInsertion(attribution, Curve(FRACTIONS, deletion), Curve(FRACTIONS, insertion))


HOTTEST = 0.1
"""Part of what the network saw that is blurred to see whether its answer needs it."""


@dataclass(frozen=True)
class HottestBlurred:
    """What a network says of the class with the hottest part of its map blurred."""

    before: Prediction
    """Of the photograph as it is."""
    after: Prediction
    """Of the same class."""


def blur_hottest(explanation: Explanation, photograph: Photograph) -> HottestBlurred:
    """Blurs the HOTTEST part of what a network saw, in the order of its map: one forward pass.

    One step of deletion (see DeletionInsertion) with the same blur, so it lies on that curve. It
    does not show that the map is right: what is blurred may matter for other reasons, and blur is
    itself something that a network may react to. Raises EngineError and MemoryError.
    """
    model, attribution = explanation.analysis.model, explanation.attribution
    prepared = perturb(photograph, model.preprocessing, attribution)
    after = says(model, prepared.image(HOTTEST, "deletion"), attribution.target)
    return HottestBlurred(attribution.target, after)
