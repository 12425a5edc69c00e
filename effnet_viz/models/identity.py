"""What a model's results depend on."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from effnet_viz.models.weights import WeightFile
from effnet_viz.models.zoo import ModelEntry


class ModelId(NamedTuple):
    """What a model's results depend on, and all that they depend on beside the image."""

    key: str
    weights: str
    """SHA-256 (hex) of the weights; begins with "untrained" where there are none. Behind it, for a
    network of one's own, a digest of its architecture, classes and preprocessing."""


def id_of(entry: ModelEntry, file: WeightFile | None) -> ModelId:
    """What the results of an entry with the weights of this file depend on; None is untrained."""
    weights = file.sha256 if file else "untrained"
    if entry.labels is None:
        return ModelId(entry.key, weights)
    rest = (entry.library, entry.architecture, entry.width, entry.depth, entry.preprocessing)
    digest = hashlib.sha256(f"{entry.labels} {rest}".encode()).hexdigest()
    return ModelId(entry.key, f"{weights} {digest[:16]}")
