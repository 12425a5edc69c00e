"""What a visitor has chosen: image and model."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.models import variants, zoo


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
        return variants.find(self.key)
