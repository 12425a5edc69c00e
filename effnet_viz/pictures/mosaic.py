"""The mosaic of the grid pointing game with the maps over it."""

from __future__ import annotations

from collections.abc import Sequence

from effnet_viz.analysis.pointing_game import CELLS, GridCell, GridPointing, mosaic
from effnet_viz.arrays import Pixels, positive_evidence, positive_range
from effnet_viz.images.photograph import resized
from effnet_viz.pictures import render
from effnet_viz.pictures.captions import UNTRAINED


def mosaic_picture(cells: Sequence[GridCell], played: GridPointing, side: int) -> Pixels:
    """The mosaic, (side, side, 3); over each cell the positive evidence of its own class there.

    Every cell has its own scale, from zero to the largest evidence of its class in the mosaic.
    """
    preprocessing = played.model.preprocessing
    picture = preprocessing.picture(mosaic(cells, preprocessing))  # (R, R, 3)
    picture = resized(picture, side, side)  # (side, side, 3)
    drawn = picture.copy()  # (side, side, 3)
    for score, (left, top, right, bottom) in zip(played.scores, CELLS, strict=False):
        limits = positive_range(score.evidence)
        box = (0.0, 0.0, float(side), float(side))
        positive = positive_evidence(score.evidence)  # (h, w)
        whole = render.overlay(picture, positive, played.placement, box, limits, "magma", 0.55)
        rows = slice(round(top * side), round(bottom * side))
        columns = slice(round(left * side), round(right * side))
        drawn[rows, columns] = whole[rows, columns]
    return drawn if played.model.trained else render.stamp(drawn, UNTRAINED)
