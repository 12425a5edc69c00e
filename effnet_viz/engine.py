"""One forward pass gives logits and every stage; one backward pass through a tail gives a gradient.

Nothing is attached to the network and nothing of it changes, so threads share one without a lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from effnet_viz.network import Network
from effnet_viz.zoo import STAGES


@dataclass(frozen=True, eq=False)
class Activations:
    """What one image left in a network: float32 arrays, not writeable."""

    logits: NDArray[np.float32]
    """(classes,)"""
    stages: Mapping[int, NDArray[np.float32]]
    """Stage number, 1 to 9, to (C, h, w)."""


def forward(network: Network, image: Tensor) -> Activations:
    """Logits and all nine stages of one image (1, 3, R, R), from one forward pass."""
    # no_grad, not inference_mode: the stages later become leaves of a graph.
    with torch.no_grad():
        outputs = network.activations(image)  # nine of (1, C, h, w)
        logits = network.tail(outputs[-1], len(outputs))  # (1, classes)
    stages = {stage: _frozen(output[0]) for stage, output in zip(STAGES, outputs, strict=True)}
    return Activations(_frozen(logits[0]), MappingProxyType(stages))


def gradient(
    network: Network, activation: NDArray[np.float32], stage: int, target: int
) -> NDArray[np.float32]:
    """d logit[target] / d activation, (C, h, w), for the output (C, h, w) of a stage, 1 to 9.

    The activation becomes a leaf and only the stages after it run again. The result equals the
    gradient through the whole network.
    """
    leaf = torch.tensor(activation).unsqueeze(0).requires_grad_()  # (1, C, h, w)
    with torch.enable_grad():
        logits = network.tail(leaf, stage)  # (1, classes)
        (result,) = torch.autograd.grad(logits[0, target], leaf)  # (1, C, h, w)
    return _frozen(result[0])


def _frozen(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.numpy()
    array.flags.writeable = False
    return array
