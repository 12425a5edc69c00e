"""The words that belong to a map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import Analysis


def map_caption(analysis: Analysis, method: str, stage: int, *, target: bool = True) -> list[str]:
    """Two lines that belong to every map: model, weights; method, class, stage.

    The scale is added by who colours the map. `target=False` leaves the class out, for maps that
    explain none.
    """
    provenance = analysis.provenance
    side = f"{provenance.resolution} px"
    model = provenance.title if side in provenance.title else f"{provenance.title} at {side}"
    grid = "×".join(str(side) for side in analysis.stages[stage].shape[:0:-1])
    explained = [f"class “{analysis.target.label}”"] if target else []
    return [
        f"{model}, weights: {provenance.weights}",
        ", ".join([method, *explained, f"stage {stage} ({grid})"]),
    ]


def where_strongest(values: NDArray[np.float32]) -> str:
    """One sentence for someone who cannot see the map (h, w)."""
    height, width = values.shape
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    vertical = ("top", "middle", "bottom")[min(2, 3 * int(row) // height)]
    horizontal = ("left", "centre", "right")[min(2, 3 * int(column) // width)]
    return f"It is strongest at the {vertical} {horizontal} of what the model saw."
