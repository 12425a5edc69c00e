"""Modules of torchvision and timm as stages, pooling and head."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import timm
from torch import nn
from torchvision.models import EfficientNet, MobileNetV2, MobileNetV3, ResNet

from effnet_viz.engines.network import Network


class UnsupportedModuleError(TypeError):
    """A module that no adapter knows; the message says what to do."""


def as_network(module: nn.Module) -> Network:
    """A module of torchvision or timm as a Network that equals it bit for bit in evaluation mode.

    The network holds the module's own layers, not copies. Stages:
    - EfficientNet (both libraries), timm's MobileNetV2 and relatives: the stem, one stage for each
      row of MBConv blocks, the last 1x1 convolution. Nine for EfficientNet, as in its Table 1.
    - torchvision's MobileNetV2: likewise, the rows of Table 2 of Sandler et al. 2018.
    - MobileNetV3: likewise in torchvision, where Table 1 of Howard et al. 2019 has one block a row:
      a stage ends where channels or grid change. In timm one stage for each group of its blocks;
      its last convolution follows the pooling and belongs to the head.
    - ResNet (both): the stem with its pooling, then layer1 to layer4.
    Raises UnsupportedModuleError for any other module, and for a subclass with its own forward.
    """
    for family, (_, adapt) in _FAMILIES.items():
        if isinstance(module, family) and type(module).forward is family.forward:
            network = adapt(module)
            return network if module.training else network.eval()  # its new containers, too
    known = ", ".join(name for name, _ in _FAMILIES.values())
    raise UnsupportedModuleError(
        f"{type(module).__name__} is none of the families whose stages are known ({known}). "
        "Say where its stages are: "
        "pass stages=lambda module: Network([...], module.pool, module.fc)."
    )


def _torchvision_efficientnet(module: EfficientNet) -> Network:
    return Network(list(module.features), _flat(module.avgpool), module.classifier)


def _torchvision_mobilenet_v2(module: MobileNetV2) -> Network:
    # The pooling is a call in the module's forward, not one of its layers.
    return Network(_rows(module.features), _flat(nn.AdaptiveAvgPool2d(1)), module.classifier)


def _torchvision_mobilenet_v3(module: MobileNetV3) -> Network:
    return Network(_rows(module.features), _flat(module.avgpool), module.classifier)


def _flat(pool: nn.Module) -> nn.Module:
    """What torchvision's forwards do between pooling and head; timm's poolings do it themselves."""
    return nn.Sequential(pool, nn.Flatten())


def _rows(features: Iterable[nn.Module]) -> list[nn.Module]:
    """Stem, rows of blocks, last convolution: a block without a residual path begins a row.

    It has none exactly where its stride is not 1 or where the number of channels changes.
    """
    stem, *blocks, last = features
    rows: list[list[nn.Module]] = []
    for block in blocks:
        if not rows or not block.use_res_connect:
            rows.append([])
        rows[-1].append(block)
    return [stem, *(nn.Sequential(*row) for row in rows), last]


def _torchvision_resnet(module: ResNet) -> Network:
    stem = nn.Sequential(module.conv1, module.bn1, module.relu, module.maxpool)
    return Network([stem, *_four_layers(module)], _flat(module.avgpool), module.fc)


def _timm_efficientnet(module: timm.models.EfficientNet) -> Network:
    stages = [nn.Sequential(module.conv_stem, module.bn1), *module.blocks]
    if not isinstance(module.conv_head, nn.Identity):
        stages.append(nn.Sequential(module.conv_head, module.bn2))
    return Network(stages, module.global_pool, module.classifier)


def _timm_mobilenet_v3(module: timm.models.MobileNetV3) -> Network:
    head = nn.Sequential(
        module.conv_head, module.norm_head, module.act2, module.flatten, module.classifier
    )
    stem = nn.Sequential(module.conv_stem, module.bn1)
    return Network([stem, *module.blocks], module.global_pool, head)


def _timm_resnet(module: timm.models.ResNet) -> Network:
    stem = nn.Sequential(module.conv1, module.bn1, module.act1, module.maxpool)
    return Network([stem, *_four_layers(module)], module.global_pool, module.fc)


def _four_layers(module: Any) -> list[nn.Module]:
    return [module.layer1, module.layer2, module.layer3, module.layer4]


_FAMILIES: dict[type[nn.Module], tuple[str, Callable[[Any], Network]]] = {
    EfficientNet: ("torchvision EfficientNet", _torchvision_efficientnet),
    MobileNetV2: ("MobileNetV2", _torchvision_mobilenet_v2),
    MobileNetV3: ("MobileNetV3", _torchvision_mobilenet_v3),
    ResNet: ("ResNet", _torchvision_resnet),
    timm.models.EfficientNet: ("timm EfficientNet", _timm_efficientnet),
    timm.models.MobileNetV3: ("MobileNetV3", _timm_mobilenet_v3),
    timm.models.ResNet: ("ResNet", _timm_resnet),
}
