"""Which class of a network stands for an object."""

from __future__ import annotations

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.models.classes import Classes
from effnet_viz.scenes.objects import CutOut


def accepted_classes(thing: CutOut, classes: Classes) -> list[int]:
    """The classes that are right for an object, as far as there are such."""
    return [classes.index(label) for label in thing.labels if label in classes]


def class_of(seen: Analysis, thing: CutOut) -> int:
    """The accepted class with the network's highest logit; its own answer where it knows none."""
    accepted = accepted_classes(thing, seen.model.classes)
    if not accepted:
        return seen.predictions[0].index
    return max(accepted, key=lambda index: float(seen.logits[index]))
