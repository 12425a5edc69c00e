"""PyTorch runs a network."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import (
    Activations,
    Head,
    StageEvidence,
    as_activations,
    as_evidence,
    engine_errors,
    lock,
    one_hot,
    require_classes,
    require_images,
)
from effnet_viz.engines.gradient_graph import explained
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
        self.head = None if self._linear is None else head_of(self._linear)
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

    def explain(
        self, images: Floats, activations: Activations, targets: Sequence[int]
    ) -> Mapping[int, StageEvidence]:
        """See engine.Engine. On a processor the stages go one by one: one pass takes longer."""
        if self.device == "cpu":
            return {}
        rows = one_hot(targets, activations.logits.shape)
        with engine_errors("the gradients", _ADVICE), torch.enable_grad():
            x = torch.tensor(images, device=self.device)  # (B, 3, R, R)
            outputs = explained(self.network, x, torch.tensor(rows, device=self.device), 1)
            return as_evidence([as_array(output) for output in outputs[1:]], 1)

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


def head_of(linear: nn.Linear) -> Head:
    """Its weights as arrays."""
    weight = linear.weight  # (classes, C)
    bias = torch.zeros(len(weight)) if linear.bias is None else linear.bias  # (classes,)
    return Head(as_array(weight), as_array(bias))


def as_array(tensor: Tensor) -> Floats:
    """The tensor as an array that is not writeable."""
    return lock(tensor.detach().cpu().numpy())
