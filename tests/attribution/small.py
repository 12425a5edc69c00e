"""Networks and tasks that are small enough to be computed again by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import Task
from effnet_viz.engines.network import Network

SIDE, CLASSES = 16, 5


def network(activation: Callable[[], nn.Module] = nn.ReLU, *, bias: bool = True) -> Network:
    """Two stages of 4 and 6 channels on 16 × 16 and 8 × 8 cells, an average, a linear layer."""
    torch.manual_seed(0)
    stages = [
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=bias), activation()),
        nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=bias), activation()),
    ]
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    made = Network(stages, pool, nn.Linear(6, CLASSES, bias=bias))
    return made.eval().requires_grad_(False)


def image(side: int = SIDE) -> torch.Tensor:
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))


def task(
    of: Network,
    x: torch.Tensor | None = None,
    *,
    stage: int = 2,
    progress: Callable[[float], None] = lambda _: None,
) -> Task:
    def forward(images: Floats) -> Floats:
        with torch.no_grad():
            logits: Floats = of(torch.tensor(images)).numpy()
        return logits

    return Task(of, image() if x is None else x, 1, 2, stage, forward, progress)


def logit(of: Network, x: torch.Tensor, target: int = 1) -> float:
    with torch.no_grad():
        return float(of(x)[0, target])


def activation_and_gradient(of: Network, stage: int, target: int = 1) -> tuple[Floats, Floats]:
    """Of a stage, both (C, h, w), with nothing but autograd."""
    leaf = of.forward_intermediates(image())[stage - 1].detach().requires_grad_()  # (1, C, h, w)
    of.tail(leaf, stage)[0, target].backward()
    assert leaf.grad is not None
    return np.asarray(leaf.detach()[0]), np.asarray(leaf.grad[0])


def hooks(of: nn.Module) -> int:
    """How many are on its modules."""
    return sum(
        len(held)
        for module in of.modules()
        for held in (
            *(module._forward_hooks, module._forward_pre_hooks),
            *(module._backward_hooks, module._backward_pre_hooks),
        )
    )
