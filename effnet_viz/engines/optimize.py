"""The same results for less: folded batch norms, cheaper gradients."""

from __future__ import annotations

from itertools import pairwise

import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops.misc import SqueezeExcitation

from effnet_viz.engines.network import Network


def fold_batch_norms(module: nn.Module) -> None:
    """Multiply every batch norm into the convolution before it, in place.

    In evaluation mode both are linear: w' = w · γ / sqrt(σ² + ε), b' = β - μ · γ / sqrt(σ² + ε).
    Results change by rounding only; gradients through the module get cheaper.
    """
    for child in module.children():
        fold_batch_norms(child)
    named = list(module.named_children())
    for (first, convolution), (second, norm) in pairwise(named):
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, first, fuse_conv_bn_eval(convolution, norm))
            # timm's batch norm contains the activation that follows it.
            rest = norm.act if isinstance(norm, BatchNormAct2d) else nn.Identity()
            setattr(module, second, rest)


def keep_activations(network: Network) -> None:
    """Switch in-place activations off, in place: a stage could overwrite the one before it.

    Results are the same.
    """
    for module in network.modules():
        if getattr(module, "inplace", False):
            setattr(module, "inplace", False)  # noqa: B010 - not every module has the attribute


def ease_gradients(network: Network) -> None:
    """Make gradients on a CPU cheaper, in place; results change by rounding only."""
    network.to(memory_format=torch.channels_last)  # else convolutions rearrange what they read
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, SqueezeExcitation):
                setattr(module, name, _EasedSqueezeExcitation(child))


class _EasedSqueezeExcitation(nn.Module):
    """Squeeze-and-excitation whose 1x1 convolutions of one pixel are the products that they are."""

    def __init__(self, module: SqueezeExcitation) -> None:
        super().__init__()
        self.squeeze = _linear(module.fc1)
        self.activation = module.activation
        self.excite = _linear(module.fc2)
        self.scale_activation = module.scale_activation

    def forward(self, x: Tensor) -> Tensor:  # (B, C, h, w)
        squeezed = self.activation(self.squeeze(x.mean((2, 3))))  # (B, C')
        scale: Tensor = self.scale_activation(self.excite(squeezed))  # (B, C)
        return x * scale[:, :, None, None]


def _linear(convolution: nn.Conv2d) -> nn.Linear:
    """A 1x1 convolution of single pixels as a product with its weights."""
    assert isinstance(convolution.bias, nn.Parameter)
    linear = nn.Linear(convolution.in_channels, convolution.out_channels, device="meta")
    linear.weight = nn.Parameter(convolution.weight.flatten(1), requires_grad=False)  # (C', C)
    linear.bias = convolution.bias  # (C',)
    return linear
