"""The grid pointing game."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from effnet_viz.analysis.explanation import Origin, origin_of
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import Floats
from effnet_viz.attribution import cam
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import Preprocessing, preprocess
from effnet_viz.metrics import localization
from effnet_viz.models import variants, zoo
from effnet_viz.models import zoo as network
from effnet_viz.models.model import Model
from effnet_viz.records import Prediction


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
    return variants.variant(
        entry.base or entry.key,
        width=entry.width,
        depth=entry.depth,
        resolution=2 * entry.resolution,
    )


def mosaic(tiles: Sequence[Tile], preprocessing: Preprocessing) -> torch.Tensor:
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


def pointing(model: Model, tiles: Sequence[Tile], stage: int = network.STAGES[-1]) -> Pointing:
    """Plays the game with a network at twice its resolution (see entry_for_mosaic), in one pass."""
    image = mosaic(tiles, model.entry.preprocessing)  # (1, 3, R, R)
    activations = model.engine.forward(image)
    predictions = Predictions(activations.logits)
    activation = activations.stages[stage]  # (C, h, w)
    pointed = []
    for tile, box in zip(tiles, TILES, strict=False):
        if stage == network.STAGES[-1]:
            gradient = model.engine.head.gradient(activation, tile.target)  # (C, h, w)
        else:
            gradient = model.engine.gradient(activation, stage, tile.target)  # (C, h, w)
        evidence = cam.in_logit_units(cam.grad_cam(activation, gradient))  # (h, w)
        share = localization.share_inside(evidence, box)
        pointed.append(Pointed(predictions.of(tile.target), share, evidence))
    origins = tuple(origin_of(model, one.target.label, stage) for one in pointed)
    return Pointing(origins, tuple(pointed))
