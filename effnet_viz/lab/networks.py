"""The five networks: B0's stages in miniature, scaled as in Table 7 of Tan & Le 2019."""

from __future__ import annotations

from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.efficientnet import EfficientNet, MBConv, MBConvConfig

from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.structure import Structure
from effnet_viz.engines.summarize import init_empty_weights, summarize
from effnet_viz.lab.scalings import Scaling
from effnet_viz.lab.sprites import CLASSES

_CHANNEL_STEP = 2
"""Channels are rounded to multiples of this: the published models' 8 is too coarse here."""

# Expansion, kernel, stride, channels, layers of stages 2 to 8, as Table 1 has them but narrower.
# Stages 5 and 7 keep the grid where Table 1 halves it, so 64 pixels end as 4 × 4 cells, not 2 × 2.
_MBCONV_STAGES = (
    (1, 3, 1, 8, 1),
    (6, 3, 2, 12, 2),
    (6, 5, 2, 20, 2),
    (6, 3, 2, 28, 3),
    (6, 5, 1, 36, 3),
    (6, 5, 1, 52, 4),
    (6, 3, 1, 80, 1),
)
_STEM_CHANNELS, _HEAD_CHANNELS = 8, 256


class _MBConv(MBConvConfig):  # type: ignore[misc]
    """torchvision's block; channels in smaller steps, layer counts to the nearest number."""

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, _: int | None = None) -> int:
        return _channels(channels * width_mult)

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        return int(num_layers * depth_mult + 0.5)


def _channels(exact: float) -> int:
    """Nearest multiple of the step, never more than 10 % below, as in the published models."""
    rounded = max(_CHANNEL_STEP, int(exact / _CHANNEL_STEP + 0.5) * _CHANNEL_STEP)
    return rounded if rounded >= 0.9 * exact else rounded + _CHANNEL_STEP


def build(scaling: Scaling) -> EfficientNet:
    """torchvision's EfficientNet with the scaled stages, drawn from torch's global generator.

    Layer counts are rounded to the nearest number: rounding up, as the released code does, would
    make stages of one layer twice as deep and the compound network a fifth too large. A residual
    block starts as the identity (Goyal et al. 2017, arXiv 1706.02677, section 5.1), without which
    the deep network hardly starts to learn.
    """
    stages: list[_MBConv] = []
    previous = _STEM_CHANNELS
    for expansion, kernel, stride, channels, layers in _MBCONV_STAGES:
        stages.append(
            _MBConv(
                expansion, kernel, stride, previous, channels, layers, scaling.width, scaling.depth
            )
        )
        previous = channels
    module = EfficientNet(
        stages,
        # No network overfits in so few steps; dropping anything only slows them down.
        dropout=0.0,
        stochastic_depth_prob=0.0,
        num_classes=len(CLASSES),
        norm_layer=partial(nn.BatchNorm2d, eps=1e-3, momentum=0.05),
        last_channel=_channels(_HEAD_CHANNELS * scaling.width),
    )
    for block in module.modules():
        if isinstance(block, MBConv) and block.use_res_connect:
            last_norm = block.block[-1][1]
            nn.init.zeros_(last_norm.weight)
    return module


@cache
def structure(scaling: Scaling) -> Structure:
    """The network's stages, and where in a scene their cells lie. It needs no weights."""
    with init_empty_weights():
        return summarize(as_network(build(scaling).eval()), scaling.resolution)


def multiply_adds(scaling: Scaling) -> int:
    """Of one image, counted while one runs: convolutions and products of matrices."""
    made = build(scaling).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made(torch.zeros(1, 3, scaling.resolution, scaling.resolution))
    return int(counter.get_total_flops()) // 2  # it counts two operations per multiply-add


def parameters(scaling: Scaling) -> int:
    return sum(parameter.numel() for parameter in build(scaling).parameters())


def preprocess(images: Tensor, resolution: int) -> Tensor:
    """Bytes (B, S, S, 3) as (B, 3, R, R): resized with antialiasing, then (x - 127.5) / 64."""
    x = images.permute(0, 3, 1, 2).float()  # (B, 3, S, S)
    if x.shape[-1] != resolution:
        x = nn.functional.interpolate(
            x, (resolution, resolution), mode="bilinear", antialias=True, align_corners=False
        )  # (B, 3, R, R)
    return ((x - 127.5) / 64).contiguous(memory_format=torch.channels_last)
