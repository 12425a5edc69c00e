"""The mosaic of the grid pointing game with the maps over it."""

from __future__ import annotations

from collections.abc import Sequence

from effnet_viz.analysis.pointing_game import TILES, Pointing, Tile, mosaic
from effnet_viz.arrays import Pixels, positive_evidence, positive_range
from effnet_viz.images.photograph import resized
from effnet_viz.images.preprocessing import Preprocessing, as_picture
from effnet_viz.pictures import render


def mosaic_picture(
    tiles: Sequence[Tile], preprocessing: Preprocessing, played: Pointing, side: int
) -> Pixels:
    """The mosaic, (side, side, 3); over each tile the positive evidence of its own class there.

    Every tile has its own scale, from zero to the largest evidence of its class in the mosaic.
    """
    picture = as_picture(mosaic(tiles, preprocessing), preprocessing)  # (R, R, 3)
    picture = resized(picture, side, side)  # (side, side, 3)
    drawn = picture.copy()  # (side, side, 3)
    for pointed, (left, top, right, bottom) in zip(played.tiles, TILES, strict=False):
        limits = positive_range(pointed.evidence)
        box = (0.0, 0.0, float(side), float(side))
        positive = positive_evidence(pointed.evidence)  # (h, w)
        whole = render.overlay(picture, positive, box, limits, "magma", 0.55)
        rows = slice(round(top * side), round(bottom * side))
        columns = slice(round(left * side), round(right * side))
        drawn[rows, columns] = whole[rows, columns]
    untrained = not played.origins[0].trained
    return render.stamp(drawn, "UNTRAINED: random weights") if untrained else drawn
