"""PyTorch runs a network."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from effnet_viz.engines.engine import Activations, Head
from effnet_viz.engines.network import STAGES, Network

if TYPE_CHECKING:
    pass


class TorchEngine:
    """PyTorch, on the device that holds the network."""

    def __init__(self, network: Network, device: str = "cpu") -> None:
        self.network = network.to(device)
        self.device = device
        linear = network.head
        self.head = Head(frozen(linear.weight), frozen(linear.bias))
        self.name = f"torch {torch.__version__} on {device}"

    def forward(self, image: Tensor) -> Activations:
        begin = time.perf_counter()
        # no_grad, not inference_mode: the stages later become leaves of a graph.
        with torch.no_grad():
            outputs = self.network.activations(image.to(self.device))  # nine of (1, C, h, w)
            logits = self.network.tail(outputs[-1], len(outputs))  # (1, classes)
        arrays = [frozen(output[0]) for output in (logits, *outputs)]
        return as_activations(arrays, time.perf_counter() - begin)

    def gradient(
        self, activation: NDArray[np.float32], stage: int, target: int
    ) -> NDArray[np.float32]:
        leaf = torch.tensor(activation, device=self.device).unsqueeze(0)  # (1, C, h, w)
        leaf = leaf.contiguous(memory_format=torch.channels_last).requires_grad_()
        with torch.enable_grad():
            pooled = self.network.pooled(leaf, stage)  # (1, C')
            # One row of the head: the other 999 logits are not asked for.
            logit = pooled[0] @ self.network.head.weight[target]  # ()
            (result,) = torch.autograd.grad(logit, leaf)  # (1, C, h, w)
        return frozen(result[0])


def as_activations(outputs: list[NDArray[np.float32]], seconds: float) -> Activations:
    logits, *stages = outputs
    return Activations(logits, MappingProxyType(dict(zip(STAGES, stages, strict=True))), seconds)


def frozen(tensor: Tensor) -> NDArray[np.float32]:
    return lock(tensor.detach().cpu().numpy())


def lock(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.flags.writeable = False
    return array
