"""The grid pointing game: photographs of different classes put together into one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from effnet_viz.analysis.analysis import analyse_input
from effnet_viz.analysis.explanation import method_at
from effnet_viz.analysis.progress import Progress, part, silent
from effnet_viz.arrays import Floats, Placement, positive_evidence, resample
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Method
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import Preprocessing
from effnet_viz.metrics.localization import share_inside
from effnet_viz.models.model import Model
from effnet_viz.models.variants import variant
from effnet_viz.models.zoo import ModelEntry
from effnet_viz.records import Crop, Prediction


@dataclass(frozen=True)
class GridCell:
    """One photograph of the mosaic and the class it shows."""

    photograph: Photograph
    target: int
    """Index of the class."""


CELLS = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0))
"""Boxes of the four cells in shares of the mosaic's sides: row by row."""


@dataclass(frozen=True, eq=False)
class CellScore:
    """Where a network's evidence for the class of one cell lies."""

    target: Prediction
    """The class, with its probability in the whole mosaic."""
    share: float
    """Of the positive evidence over the mosaic, inside the class's own cell, 0 to 1; an even map
    has 1/4. See metrics.localization.share_inside."""
    evidence: Floats
    """(h, w), in the unit of the method; GridPointing.placement says where its cells lie."""


@dataclass(frozen=True, eq=False)
class GridPointing:
    """The grid pointing game of one network (Böhle et al. 2021, arXiv 2104.00032)."""

    model: Model
    """At twice its own resolution."""
    stage: int
    scores: tuple[CellScore, ...]
    method: Method
    placement: Placement
    """Where the cells of the maps lie in the mosaic."""

    @property
    def mean(self) -> float:
        """Mean share; nan where a map has no positive evidence."""
        return float(np.mean([score.share for score in self.scores]))


def entry_for_mosaic(entry: ModelEntry) -> ModelEntry:
    """The same network at twice the resolution. Raises VariantError when that is too large."""
    return variant(
        entry.base or entry.key,
        width=entry.width,
        depth=entry.depth,
        resolution=2 * entry.resolution,
    )


def mosaic(cells: Sequence[GridCell], preprocessing: Preprocessing) -> Floats:
    """Two to four photographs as one input (1, 3, R, R), row by row; missing ones in mean colour.

    `preprocessing` is that of the network at twice its resolution: each photograph is prepared as
    for the network itself. Raises ValueError for another number of cells and for a class that
    occurs twice, whose evidence would have two right places.
    """
    classes = [cell.target for cell in cells]
    if not 2 <= len(cells) <= len(CELLS) or len(set(classes)) < len(classes):
        raise ValueError("A mosaic has two to four photographs of different classes.")
    side = preprocessing.resolution // 2
    halved = preprocessing.at(side)
    x = np.zeros((1, 3, 2 * side, 2 * side), np.float32)  # (1, 3, R, R)
    for cell, (left, top, _, _) in zip(cells, CELLS, strict=False):
        column, row = int(left * 2 * side), int(top * 2 * side)
        x[:, :, row : row + side, column : column + side] = halved(cell.photograph)[0]
    return x


def grid_pointing(
    model: Model,
    cells: Sequence[GridCell],
    stage: int | None = None,
    *,
    method: Method | str | None = None,
    progress: Progress = silent,
) -> GridPointing:
    """Plays the game with a network at twice its resolution (see entry_for_mosaic), in one pass.

    `stage` None is the last one, `method` None is CAM there and Grad-CAM elsewhere; others run the
    network as often as they do for a map of each cell's class. `progress` hears how much is done, 0
    to 1. Shares are of the pixels of the mosaic, to which the positive evidence is enlarged
    (arrays.resample), as Böhle et al. enlarge coarse maps. Raises what Analysis.attribute raises.
    """
    stage = model.last_stage if stage is None else stage
    method = method_at(model, stage) if method is None else methods.find(method)
    side = model.preprocessing.resolution
    x = mosaic(cells, model.preprocessing)  # (1, 3, R, R)
    crop = Crop((side, side), (0.0, 0.0, float(side), float(side)), side)
    analysis = analyse_input(x, crop, hashlib.sha256(x.tobytes()).hexdigest(), model)
    scores, placement = [], model.structure.stages[stage].placement
    for place, (cell, box) in enumerate(zip(cells, CELLS, strict=False)):
        attribution = analysis.attribute(
            method,
            stage,
            cell.target,
            progress=part(progress, place / len(cells), (place + 1) / len(cells)),
        )
        evidence, placement = attribution.values, attribution.placement  # (h, w)
        pixels = resample(positive_evidence(evidence), placement, side, side)  # (R, R)
        scores.append(CellScore(attribution.target, share_inside(pixels, box), evidence))
        progress((place + 1) / len(cells))
    return GridPointing(model, stage, tuple(scores), method, placement)
