"""A map that knows what it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from effnet_viz.arrays import Floats, Placement
from effnet_viz.records import Crop, Prediction, Provenance

UNIT = "logit; raw, signed, no maximum divided out"
"""Unit of every map here, with which they can share a colour scale."""


class Method(Enum):
    """How a map is made."""

    CAM = "cam"
    """The head's weights: exact, and only where the last stage is pooled into a linear head."""
    GRAD_CAM = "grad-cam"
    """Gradients, at any stage."""

    @property
    def title(self) -> str:
        return {Method.CAM: "CAM", Method.GRAD_CAM: "Grad-CAM"}[self]


@dataclass(frozen=True, eq=False)
class Attribution:
    """Where in an image the evidence for one class was found, at one stage of one model."""

    values: Floats
    """(h, w), raw and signed, in units of the logit."""
    channels: Floats
    """(C,): what each channel of the stage adds to the logit; see attribution.stages."""
    placement: Placement
    """Where its cells lie in the square that the model saw; see engines.structure.Stage."""
    crop: Crop
    """Where that square lies in the photograph."""
    stage: int
    target: Prediction
    """The class."""
    method: Method
    provenance: Provenance

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.channels.nbytes
