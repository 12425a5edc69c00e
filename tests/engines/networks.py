"""Modules of every supported family, and images for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import timm
import torch
import torchvision
from torch import nn

from effnet_viz.engines.network import Network

M = TypeVar("M", bound=nn.Module)

TORCHVISION = {
    "efficientnet_b0": 9,
    "efficientnet_v2_s": 8,
    "mobilenet_v2": 9,
    "mobilenet_v3_small": 7,
    "mobilenet_v3_large": 8,
    "resnet18": 5,
    "resnet50": 5,
    "resnext50_32x4d": 5,
}
TIMM = {
    "tf_efficientnet_lite0": 9,
    "efficientnet_b0": 9,
    "mobilenetv2_100": 9,
    "mobilenetv3_small_100": 7,
    "lcnet_050": 7,
    "resnet18": 5,
    "resnet18d": 5,
    "resnet26d": 5,
    "seresnet50": 5,
}
"""Name of the builder, number of stages."""


def make(library: str, name: str) -> nn.Module:
    """A module of the library, random but the same every time, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        build: Callable[..., nn.Module] = (
            torchvision.models.get_model_builder(name)
            if library == "torchvision"
            else lambda: timm.create_model(name, pretrained=False)
        )
        return build().eval().requires_grad_(False)


def images(resolution: int, number: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(number, 3, resolution, resolution, generator=generator)  # (B, 3, R, R)


def calibrated(module: M, x: torch.Tensor) -> M:
    """Batch norms that fit the images: a fresh deep network fades to 1e-13 and tests little."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
        if norm.weight is not None and not norm.weight.any():  # timm's last norm of a block is 0
            nn.init.ones_(norm.weight)
    with torch.no_grad():
        module(x)
    return module.eval()


def branching() -> Network:
    """A network made by hand: a residual path with a stride, dilation, two pools, a branch of two.

    Its second stage begins with an activation in place.
    """
    return Network([_Two(), _Beginning()], nn.AdaptiveAvgPool2d(1), nn.Linear(8, 5)).eval()


class _Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 2, dilation=2)
        )
        self.short = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(3, 8, 1))
        self.last = nn.Conv2d(16, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        long = self.long(x)
        return self.last(torch.cat([long, self.short(x)], 1))


class _Beginning(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.activation = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.convolution = nn.Conv2d(8, 8, 5, 1, 2, groups=8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.activation(x))
        return x + self.convolution(x)
