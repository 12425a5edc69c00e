"""Deletion and insertion: whether a network needs what its map shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from effnet_viz.analysis.explanation import Look, Origin
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import Floats, Pixels
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import Preprocessing, as_picture, preprocess
from effnet_viz.metrics.deletion import (
    BLUR,
    FRACTIONS,
    Curve,
    Kind,
    blur,
    first_pixels,
    pixel_order,
)
from effnet_viz.records import Crop


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
    preprocessing: Preprocessing

    def mask(self, fraction: float) -> NDArray[np.bool_]:
        """The most important fraction (0 to 1) of the crop, (R, R)."""
        return first_pixels(self.order, fraction, self.crop.resolution)

    def image(self, fraction: float, kind: Kind) -> torch.Tensor:
        """The input (1, 3, R, R) with that fraction blurred, or with all but that blurred."""
        deleted = self.mask(fraction) == (kind == "deletion")  # (R, R)
        mixed = np.where(deleted, self.blurred, self.sharp)  # (3, R, R)
        return torch.from_numpy(mixed)[None]  # (1, 3, R, R)

    def picture(self, fraction: float, kind: Kind) -> Pixels:
        """The same for the eye, (R, R, 3); it lies over `crop.box` of the photograph."""
        return as_picture(self.image(fraction, kind), self.preprocessing)


def perturbation(
    photograph: Photograph, preprocessing: Preprocessing, evidence: Floats
) -> Perturbation:
    """Prepares a photograph for the deletion race in the order of a map (h, w) of its crop."""
    image, crop = preprocess(photograph, preprocessing)  # (1, 3, R, R)
    sharp = image[0].numpy()  # (3, R, R)
    soft = blur(sharp, BLUR * crop.resolution)  # (3, R, R)
    ranking = pixel_order(evidence, crop.resolution)  # (R²,)
    return Perturbation(sharp, soft, ranking, crop, preprocessing)


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
