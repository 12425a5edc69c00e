"""Modules of torchvision and timm as stages, pooling and head."""

from __future__ import annotations

from torch import nn
from torchvision.models.efficientnet import EfficientNet

from effnet_viz.engines.network import Network


def staged(module: EfficientNet) -> Network:
    """torchvision's modules as nine stages, a pooling and a head."""
    head = module.classifier[-1]
    assert isinstance(head, nn.Linear)
    return Network(list(module.features), module.avgpool, head)
