"""Frozen records that travel with maps: where a crop lies, what was predicted, whence it comes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """What a model says of one class."""

    index: int
    label: str
    probability: float
    """Softmax over all classes, 0 to 1."""
    logit: float


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from: everything needed to compute it again."""

    model: str
    """Key in the zoo."""
    title: str
    architecture: str
    """Library and its name of the architecture."""
    width: float | None
    depth: float | None
    resolution: int
    weights: str
    """File name, or that the network is untrained."""
    weights_sha256: str | None
    recipe: str
    preprocessing: Mapping[str, Any]
    """Its name and settings as plain values."""
    engine: str
    image_sha256: str
    versions: Mapping[str, str]

    @property
    def trained(self) -> bool:
        return self.weights_sha256 is not None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**dataclasses.asdict(self), "trained": self.trained}


@dataclass(frozen=True)
class Crop:
    """What the model saw. Coordinates are continuous: pixel i covers i to i + 1."""

    photograph: tuple[int, int]
    """Width and height of the upright photograph in pixels."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in photograph pixels; always inside the photograph."""
    resolution: int
    """Side of the model's square input in pixels."""

    def to_photograph(self, x: float, y: float) -> tuple[float, float]:
        """Model coordinates (0 to resolution) to photograph coordinates."""
        left, top, right, bottom = self.box
        return (
            left + x * (right - left) / self.resolution,
            top + y * (bottom - top) / self.resolution,
        )

    def to_model(self, x: float, y: float) -> tuple[float, float]:
        """Photograph coordinates to model coordinates; outside 0 to resolution if not seen."""
        left, top, right, bottom = self.box
        return (
            (x - left) * self.resolution / (right - left),
            (y - top) * self.resolution / (bottom - top),
        )

    def part(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A box of the photograph in sides of the square that the model saw: 0 to 1 inside it."""
        left, top = self.to_model(box[0], box[1])
        right, bottom = self.to_model(box[2], box[3])
        side = self.resolution
        return (left / side, top / side, right / side, bottom / side)

    @property
    def seen(self) -> float:
        """Fraction of the photograph's area that the model saw, 0 to 1."""
        left, top, right, bottom = self.box
        width, height = self.photograph
        return (right - left) * (bottom - top) / (width * height)

    def box_in(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The box in pixels of the photograph resized to this width and height."""
        left, top, right, bottom = self.box
        x, y = width / self.photograph[0], height / self.photograph[1]
        return (left * x, top * y, right * x, bottom * y)
