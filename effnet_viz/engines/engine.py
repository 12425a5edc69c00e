"""One forward pass gives logits and every stage; one pass back through a tail gives a gradient.

Nothing is attached to the network and nothing of it changes, so threads share one without a lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, eq=False)
class Activations:
    """What one image left in a network: float32 arrays, not writeable."""

    logits: NDArray[np.float32]
    """(classes,)"""
    stages: Mapping[int, NDArray[np.float32]]
    """Stage number, 1 to 9, to (C, h, w)."""
    seconds: float
    """What the forward pass took; the first one of a model takes longer."""

    @property
    def nbytes(self) -> int:
        return self.logits.nbytes + sum(stage.nbytes for stage in self.stages.values())


@dataclass(frozen=True, eq=False)
class Head:
    """The linear head: logits = weight · mean(activation of stage 9) + bias."""

    weight: NDArray[np.float32]
    """(classes, C)"""
    bias: NDArray[np.float32]
    """(classes,)"""

    def gradient(self, activation: NDArray[np.float32], target: int) -> NDArray[np.float32]:
        """d logit[target] / d activation of stage 9, (C, h, w): w_ck / (h · w) everywhere.

        What follows stage 9 is a mean and a product, so its gradient is known without running it.
        """
        weight = self.weight[target] / np.float32(activation[0].size)  # (C,)
        return np.broadcast_to(weight[:, None, None], activation.shape)  # (C, h, w)


class Engine(Protocol):
    """Something that runs one network. Safe to share between threads."""

    @property
    def name(self) -> str:
        """What runs it, for provenance."""
        ...

    @property
    def head(self) -> Head: ...

    def forward(self, image: Tensor) -> Activations:
        """Logits and all nine stages of one image (1, 3, R, R), from one forward pass."""
        ...

    def gradient(
        self, activation: NDArray[np.float32], stage: int, target: int
    ) -> NDArray[np.float32]:
        """d logit[target] / d activation, (C, h, w), for the output (C, h, w) of a stage, 1 to 9.

        The activation becomes a leaf and only the stages after it run again. The result equals the
        gradient through the whole network. After stage 9, Head.gradient needs no engine.
        """
        ...
