"""PyTorch runs a network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Activations, Head, engine_errors, lock
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import keep_activations

_ADVICE = "Check that the image and the model belong together; the cause is in the log."


class TorchEngine:
    """PyTorch, on the device that holds the network, for any number of images at once.

    It takes the network over: use it no further.
    """

    def __init__(self, network: Network, device: str = "cpu") -> None:
        keep_activations(network)
        self.network = network.eval().requires_grad_(False).to(device)
        self.device = device
        self._linear = network.linear_head
        self.head = None if self._linear is None else _head(self._linear)
        self.name = f"torch {torch.__version__} on {device}"

    def forward(self, images: Floats) -> Activations:
        require_images(images)
        begin = time.perf_counter()
        # no_grad, not inference_mode: the stages later become leaves of a graph.
        with engine_errors("the forward pass", _ADVICE), torch.no_grad():
            x = torch.tensor(images, device=self.device)  # (B, 3, R, R)
            outputs = self.network.forward_intermediates(x)  # n of (B, C, h, w)
            logits = self.network.tail(outputs[-1], len(outputs))  # (B, classes)
            arrays = [as_array(output) for output in (logits, *outputs)]
        return as_activations(arrays, time.perf_counter() - begin)

    def gradient(self, activation: Floats, stage: int, targets: Sequence[int]) -> Floats:
        stages = len(self.network.stages)
        if not 1 <= stage <= stages:
            raise ValueError(f"There is no stage {stage}. Stages are numbered 1 to {stages}.")
        if len(targets) != len(activation):
            raise ValueError(f"{len(activation)} images have {len(targets)} target classes.")
        chosen = list(targets)
        if self.head is not None:
            require_classes(chosen, len(self.head.bias))
        with engine_errors("the gradient", _ADVICE), torch.enable_grad():
            leaf = torch.tensor(activation, device=self.device)  # (B, C, h, w)
            leaf = leaf.contiguous(memory_format=torch.channels_last).requires_grad_()
            pooled = self.network.pre_logits(leaf, stage)  # (B, C', ...)
            if self._linear is not None:
                # One row of the head for each image: the other logits are not asked for.
                total = (pooled * self._linear.weight[chosen]).sum()  # ()
            else:
                logits = self.network.head(pooled)  # (B, classes)
                require_classes(chosen, logits.shape[1])
                total = logits[range(len(chosen)), chosen].sum()  # ()
            (result,) = torch.autograd.grad(total, leaf)  # (B, C, h, w)
            return as_array(result)


def _head(linear: nn.Linear) -> Head:
    weight = linear.weight  # (classes, C)
    bias = torch.zeros(len(weight)) if linear.bias is None else linear.bias  # (classes,)
    return Head(as_array(weight), as_array(bias))


def require_images(images: Floats) -> None:
    """Raises ValueError for anything but float32 (B, 3, R, R) with B of at least 1."""
    square = images.ndim == 4 and images.shape[1] == 3 and images.shape[2] == images.shape[3]
    if not square or images.size == 0 or images.dtype != np.float32:
        raise ValueError(
            f"Images are float32 (B, 3, R, R), not {images.dtype} {tuple(images.shape)}."
        )


def require_classes(targets: Sequence[int], classes: int) -> None:
    """Raises IndexError for a class that the network does not have."""
    for target in targets:
        if not 0 <= target < classes:
            raise IndexError(f"There is no class {target}. Classes are 0 to {classes - 1}.")


def as_activations(outputs: Sequence[Floats], seconds: float) -> Activations:
    """The logits, then stages 1 to n."""
    logits, *stages = outputs
    return Activations(logits, MappingProxyType(dict(enumerate(stages, start=1))), seconds)


def as_array(tensor: Tensor) -> Floats:
    """The tensor as an array that is not writeable."""
    return lock(tensor.detach().cpu().numpy())
