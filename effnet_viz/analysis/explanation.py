"""One network's map of one photograph for one class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from effnet_viz.analysis import caveats
from effnet_viz.analysis.analysis import Analysis, Source, Target, analyse
from effnet_viz.arrays import Floats, on_grid
from effnet_viz.attribution import cam
from effnet_viz.metrics.concentration import Concentration, concentration
from effnet_viz.models import zoo as network
from effnet_viz.models.model import Model

GRID = 64
"""Cells a side of the grid on which maps of different networks are compared."""

SCALE = "logit; raw, signed, no maximum divided out"
"""Unit of every map here, with which they can share a colour scale."""


@dataclass(frozen=True)
class Origin:
    """Which network, weights, class and stage a result belongs to, and its map's scale."""

    model: str
    """Key in the zoo."""
    title: str
    weights: str
    """File name, or that the network is untrained."""
    trained: bool
    target: str
    stage: int
    method: str
    scale: str


@dataclass(frozen=True, eq=False)
class Look:
    """One network's map of the photograph."""

    analysis: Analysis
    stage: int
    evidence: Floats
    """(h, w) over the analysis's crop, in units of the logit: CAM at stage 9, else Grad-CAM."""

    @property
    def seconds(self) -> float:
        """What the forward pass took on this machine."""
        return self.analysis.activations.seconds

    @property
    def name(self) -> str:
        """Key of the model, and whether it is untrained."""
        analysis = self.analysis
        return analysis.model.entry.key + ("" if analysis.model.trained else " (untrained)")

    @property
    def method(self) -> str:
        return method_of(self.stage)

    @property
    def origin(self) -> Origin:
        return origin_of(self.analysis.model, self.analysis.target.label, self.stage)

    @cached_property
    def concentration(self) -> Concentration:
        """Of the positive evidence over what this network saw, on a grid of GRID cells."""
        box = self.analysis.crop.box
        return concentration(on_grid(self.evidence, box, box, GRID))

    @cached_property
    def findings(self) -> tuple[caveats.Finding, ...]:
        """What to know before reading this map."""
        return caveats.findings(self.analysis, self.evidence, self.stage, self.method)


def look(
    source: Source, model: Model, target: Target = None, stage: int = network.STAGES[-1]
) -> Look:
    """One network's map of a photograph, from one forward pass."""
    analysis = analyse(source, model, target)
    return Look(analysis, stage, evidence_of(analysis, stage))


def evidence_of(analysis: Analysis, stage: int) -> Floats:
    """Grad-CAM of the target class at a stage, (h, w), in units of the logit; CAM at stage 9."""
    if stage == network.STAGES[-1]:
        return analysis.cam
    return cam.in_logit_units(analysis.grad_cam(stage))


def method_of(stage: int) -> str:
    return "CAM" if stage == network.STAGES[-1] else "Grad-CAM"


def origin_of(model: Model, target: str, stage: int) -> Origin:
    entry = model.entry
    return Origin(
        model=entry.key,
        title=entry.title,
        weights=model.weights_name,
        trained=model.trained,
        target=target,
        stage=stage,
        method=method_of(stage),
        scale=SCALE,
    )
