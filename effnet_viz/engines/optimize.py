"""The same results for less: folded batch norms, cheaper gradients."""

from __future__ import annotations

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops.misc import SqueezeExcitation

from effnet_viz.engines.network import Network
from effnet_viz.engines.tracing import trace


def fold_batch_norms(network: Network, resolution: int) -> None:
    """Multiply every batch norm that reads a convolution's output into the convolution, in place.

    In evaluation mode both are linear: w' = w · γ / sqrt(σ² + ε), b' = β - μ · γ / sqrt(σ² + ε).
    Which batch norm reads which convolution is seen while the network runs on images of
    resolution × resolution pixels, not read off the order in which a module defines its layers; a
    convolution whose output anything else reads, or a stage returns, stays.
    Results change by rounding only; gradients through the network get cheaper.
    """
    pairs = {id(weight): id(mean) for weight, mean in trace(network, resolution).normalized}
    places = [(parent, *named) for parent in network.modules() for named in parent.named_children()]
    norms: dict[int, tuple[nn.Module, str, nn.BatchNorm2d]] = {}
    for parent, name, layer in places:
        # Exactly these: a subclass may do something else with its numbers.
        if type(layer) in (nn.BatchNorm2d, BatchNormAct2d):
            assert isinstance(layer, nn.BatchNorm2d)
            norms[id(layer.running_mean)] = parent, name, layer
    for parent, name, layer in places:
        if type(layer) not in (nn.Conv2d, Conv2dSame):
            continue
        assert isinstance(layer, nn.Conv2d)
        mean = pairs.get(id(layer.weight))
        if mean not in norms:
            continue
        normalizing, its_name, norm = norms[mean]
        setattr(parent, name, fuse_conv_bn_eval(layer, norm))
        # timm's batch norm contains the activation that follows it.
        rest = norm.act if isinstance(norm, BatchNormAct2d) else nn.Identity()
        setattr(normalizing, its_name, rest)


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
