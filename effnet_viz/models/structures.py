"""The structure of an entry's network: read off it once, then kept on disk beside conversions."""

from __future__ import annotations

from functools import lru_cache

from effnet_viz.engines.conversions import Recipe
from effnet_viz.engines.structure import Structure
from effnet_viz.engines.structures import kept
from effnet_viz.models.zoo import ModelEntry


@lru_cache(maxsize=256)
def structure_of(entry: ModelEntry) -> Structure:
    """The structure of an entry's network at its resolution. It needs no weights and no memory."""
    if entry.scaled or entry.labels is not None:  # of which there is no end
        return _read(entry)
    named = (entry.library, entry.architecture)
    return kept(Recipe(__name__, "structure_of", named, entry.resolution), lambda: _read(entry))


def _read(entry: ModelEntry) -> Structure:
    from effnet_viz.models.architectures import summary  # takes seconds: torch

    return summary(entry)
