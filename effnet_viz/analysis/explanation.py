"""One network's map of one photograph for one class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from effnet_viz.analysis.analysis import Analysis, Source, Target, analyse
from effnet_viz.analysis.caveats import Caveat, caveats
from effnet_viz.arrays import Floats, resample
from effnet_viz.attribution import methods
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import Method
from effnet_viz.metrics.concentration import Concentration, concentration
from effnet_viz.metrics.place import Place, place
from effnet_viz.models.model import Model

GRID = 64
"""Cells a side of the grid on which maps of different networks are compared."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """One network's map of a photograph, and what is known about it."""

    analysis: Analysis
    attribution: Attribution

    @property
    def id(self) -> tuple[object, ...]:
        """What it depends on: model, image, class, stage and method."""
        return *self.analysis.id, self.attribution.stage, self.attribution.method

    @property
    def seconds(self) -> float:
        """What the forward pass took on this machine."""
        return self.analysis.activations.seconds

    @cached_property
    def seen(self) -> Floats:
        """The map over what this network saw, (GRID, GRID), in the method's unit."""
        values, placement = self.attribution.values, self.attribution.placement
        return resample(values, placement, GRID, GRID)

    @cached_property
    def concentration(self) -> Concentration:
        """Of the positive evidence over what this network saw."""
        return concentration(self.seen)

    @cached_property
    def place(self) -> Place | None:
        """Where half of the positive evidence lies; None when there is none."""
        return place(self.seen)

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """What to know before reading this map."""
        return caveats(self.analysis, self.attribution)


def explain(
    source: Source,
    model: Model,
    target: Target = None,
    stage: int | None = None,
    method: Method | str | None = None,
) -> Explanation:
    """One network's map of a photograph.

    `method` None is the class activation map at the last stage (None) where the network has one,
    else Grad-CAM. Raises what analyse and Analysis.attribute raise.
    """
    analysis = analyse(source, model, target)
    return Explanation(analysis, analysis.attribute(method or method_at(model, stage), stage))


def method_at(model: Model, stage: int | None) -> Method:
    """How the map of a stage is called: CAM at the last one (None) where there is one."""
    last = stage is None or stage == model.last_stage
    return methods.CAM if last and model.engine.head is not None else methods.GRAD_CAM


def starting_stage(model: Model) -> int:
    """The stage at which Grad-CAM is best looked at first: the last but one.

    8 of EfficientNet's 9: of the stages that are not the CAM itself, it alone shows the object on
    nearly every photograph (docs/choices.md). The only one of a network with one stage.
    """
    return max(1, model.last_stage - 1)
