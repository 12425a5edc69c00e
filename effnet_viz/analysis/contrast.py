"""Why this class and not that one: where, and by which channels, a network tells two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from effnet_viz.analysis.analysis import Analysis, Target, require_class_activation_map
from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution.cam import class_activation_map
from effnet_viz.attribution.channels import channel_contributions
from effnet_viz.engines.engine import lock
from effnet_viz.records import Prediction


@dataclass(frozen=True)
class ChannelContrast:
    """What one channel of the last stage adds to either logit: w_ck · mean(A_k)."""

    index: int
    """From 0."""
    one: float
    """To the class."""
    other: float
    """To the class that it is told from."""

    @property
    def difference(self) -> float:
        """What it adds to the difference of the logits; positive speaks for the class."""
        return self.one - self.other


@dataclass(frozen=True, eq=False)
class Contrast:
    """The difference of two logits of one image, exactly, by place and by channel.

    z_one - z_other = mean(values) + bias = Σ_k (contributions[0] - contributions[1])_k + bias
    """

    one: Prediction
    """The class."""
    other: Prediction
    """The class that it is told from."""
    values: Floats
    """CAM_one - CAM_other, (h, w), raw and signed, in logits: positive where the photograph speaks
    for the class rather than for the other one. What speaks for both is not in it."""
    contributions: Floats
    """What each channel adds to the class and to the other one, (2, C), in logits."""
    bias: float
    """Difference of the biases, in logits: what the head says of any image."""
    placement: Placement
    """Where the cells of the map lie in the square that the model saw."""

    @property
    def difference(self) -> float:
        """Of the logits; the probabilities' ratio is e to this power."""
        return self.one.logit - self.other.logit

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.contributions.nbytes

    def strongest(self, count: int) -> Sequence[ChannelContrast]:
        """The channels whose contributions differ most, either way, the strongest first.

        Not all that a channel does is one thing that can be named, and a strong one need not be
        necessary: others may add the same.
        """
        one, other = self.contributions  # (C,)
        order = np.argsort(-np.abs(one - other), kind="stable")[:count]  # (count,)
        return [ChannelContrast(int(k), float(one[k]), float(other[k])) for k in order]


def contrast(analysis: Analysis, one: Target = None, other: Target = None) -> Contrast:
    """Why a class and not another one: the difference of their class activation maps.

    CAM_one - CAM_other = Σ_k (w_one,k - w_other,k) A_k, with Zhou et al. 2016 (arXiv 1512.04150),
    equation 2. It is exact, and nothing is run for it. `one` None is the class of the analysis,
    `other` None the most probable other one. Raises NoClassActivationMapError for a network without
    a linear head, UnknownClassError, and ValueError where both are the same class.
    """
    model = analysis.model
    head = require_class_activation_map(model, model.last_stage)
    first = analysis.target if one is None else analysis.for_target(one).target
    second = analysis.other_than(first, other)
    if first.index == second.index:
        raise ValueError(f"Choose two classes: `{first.label}` cannot be told from itself.")
    pair = [first.index, second.index]
    activation = analysis.activations.stages[model.last_stage]  # (1, C, h, w)
    activation = np.broadcast_to(activation, (2, *activation.shape[1:]))  # (2, C, h, w)
    maps = class_activation_map(activation, head.weight[pair])  # (2, h, w)
    return Contrast(
        one=first,
        other=second,
        values=lock(maps[0] - maps[1]),
        contributions=lock(channel_contributions(activation, head.weight[pair])),
        bias=float(head.bias[first.index] - head.bias[second.index]),
        placement=model.structure.stages[model.last_stage].placement,
    )
