"""What a visitor has chosen: image and model."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.models import variants, zoo


@dataclass(frozen=True)
class Upload:
    """An image to explain: a sample or one of the visitor's own."""

    id: str
    """SHA-256 of the content."""
    title: str
    description: str
    """Alternative text."""
    content: bytes


@dataclass(frozen=True)
class ModelRef:
    """Names a model that can be built and cached."""

    key: str
    untrained: bool

    @property
    def entry(self) -> zoo.ModelEntry:
        """The model in the zoo, or a variant of one."""
        return variants.find(self.key)
