"""What a visitor has chosen: image, model, display."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz import explain, render, zoo


@dataclass(frozen=True)
class ChosenImage:
    """The image on the page."""

    digest: str
    """SHA-256 of the content."""
    title: str
    description: str
    """Alternative text."""
    content: bytes


@dataclass(frozen=True)
class ChosenModel:
    """The model on the page."""

    key: str
    untrained: bool

    @property
    def entry(self) -> zoo.ModelEntry:
        return zoo.find(self.key)


@dataclass(frozen=True)
class Display:
    """How maps are shown; changing it never runs a network."""

    whole: bool
    """On the whole photograph, or on the model's crop alone."""
    signed: bool
    """For and against the class, or only for it."""
    shared: bool
    """One colour scale for all maps on the page, or each its own."""
    colour_map: str
    opacity: float

    def limits(self, *maps: NDArray[np.float32]) -> render.Range:
        """The value range that these maps share."""
        return render.signed_range(*maps) if self.signed else render.positive_range(*maps)

    def evidence(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The map as it is shown."""
        return values if self.signed else explain.positive_evidence(values)
