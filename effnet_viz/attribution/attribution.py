"""A map that knows what it is."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution.methods import Method, Unit
from effnet_viz.records import Crop, Prediction, Provenance


@dataclass(frozen=True, eq=False)
class Attribution:
    """Where in an image the evidence for one class was found, by one method in one model."""

    values: Floats
    """(h, w), raw and signed, in the unit of the method."""
    channels: Floats | None
    """(C,): what each channel of the stage adds to the logit (attribution.stages); None for a
    method that does not tell."""
    placement: Placement
    """Where its cells lie in the square that the model saw; see engines.structure.Stage."""
    crop: Crop
    """Where that square lies in the photograph."""
    stage: int | None
    """None: the pixels of the input."""
    target: Prediction
    """The class."""
    other: Prediction | None
    """The class that it is told from, for a method that compares."""
    method: Method
    provenance: Provenance

    @property
    def unit(self) -> Unit:
        return self.method.unit

    @property
    def scale(self) -> str:
        """Maps of one name can share a colour scale; empty where the values mean nothing outside
        their map. Parts of the logit are as large as their cells are."""
        if self.unit is Unit.ARBITRARY:
            return ""
        rows, columns = self.values.shape
        return f"{self.unit.name} {rows}×{columns}" if self.unit is Unit.PARTS else self.unit.name

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + (0 if self.channels is None else self.channels.nbytes)
