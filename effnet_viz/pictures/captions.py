"""The words that belong to a map."""

from __future__ import annotations

import numpy as np

from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.records import Provenance

UNTRAINED = "UNTRAINED: random weights"
"""What stands over every picture of an untrained network."""


def model_caption(provenance: Provenance) -> str:
    """Model, resolution and weights in a line."""
    side = f"{provenance.resolution} px"
    title = provenance.title
    model = title if side in title else f"{title} at {side}"
    return f"{model}, weights: {provenance.weights}"


def provenance_lines(provenance: Provenance) -> list[str]:
    """Everything needed to compute a map again: weights by their hash, preprocessing, versions."""
    preprocessing = ", ".join(f"{key} {value}" for key, value in provenance.preprocessing.items())
    versions = ", ".join(f"{name} {version}" for name, version in provenance.versions.items())
    digest = f", SHA-256 {provenance.weights_sha256}" if provenance.weights_sha256 else ""
    return [
        f"{provenance.architecture}, {provenance.recipe}{digest}",
        f"Preprocessing: {preprocessing}",
        f"Image SHA-256 {provenance.image_sha256}",
        f"{provenance.engine}; {versions}",
    ]


def map_caption(attribution: Attribution) -> list[str]:
    """Two lines that belong to every map: model, weights; method, class, stage.

    The scale is added by who colours the map.
    """
    method, other = attribution.method, attribution.other
    rather = f" rather than “{other.label}”" if other else ""
    return [
        model_caption(attribution.provenance),
        f"{method.title}, class “{attribution.target.label}”{rather}, {place_caption(attribution)}",
    ]


def place_caption(attribution: Attribution) -> str:
    """The stage and its grid, or that these are pixels and how their colours became one value."""
    values = attribution.values
    if attribution.stage is not None:
        return stage_caption(attribution.stage, values)
    grid = f"{values.shape[-1]}×{values.shape[-2]}"
    return f"pixels ({grid}), {attribution.method.reduction}"


def stage_caption(stage: int, values: Floats) -> str:
    """The stage and the grid of its maps (..., h, w)."""
    return f"stage {stage} ({values.shape[-1]}×{values.shape[-2]})"


def where_strongest(values: Floats, placement: Placement) -> str:
    """One sentence for someone who cannot see the map (h, w)."""
    down, across = (
        min(max(int(3 * (placement.start + int(cell) * placement.step)), 0), 2)
        for cell in np.unravel_index(int(values.argmax()), values.shape)
    )  # thirds of the square
    vertical = ("top", "middle", "bottom")[down]
    horizontal = ("left", "centre", "right")[across]
    return f"It is strongest at the {vertical} {horizontal} of what the model saw."
