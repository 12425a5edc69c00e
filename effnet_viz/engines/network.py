"""Network: nine named stages and a linear head over torchvision's and timm's modules."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from threading import Lock

import timm
import torch
import torchvision
from timm.layers.norm_act import BatchNormAct2d
from timm.models._efficientnet_builder import BN_EPS_TF_DEFAULT
from timm.models.efficientnet import _gen_efficientnet_lite
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.efficientnet import EfficientNet, _efficientnet_conf
from torchvision.ops.misc import SqueezeExcitation

from effnet_viz.models.zoo import STAGES, ModelEntry, PackageFile, UserCheckpoint


class Network(nn.Module):
    """An EfficientNet as the nine stages of Table 1 (Tan & Le 2019), a pooling and a linear head.

    The stages are the library's own modules in their own order, so the result equals the library
    model's bit for bit. Activations are return values: nothing is ever hooked onto the network.
    """

    def __init__(self, stages: Sequence[nn.Module], pool: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        if len(stages) != len(STAGES):
            raise ValueError(f"A network has {len(STAGES)} stages, not {len(stages)}.")
        self.stages = nn.ModuleList(stages)
        self.pool = pool
        self.head = head

    def activations(self, image: Tensor) -> list[Tensor]:
        """The outputs of stages 1 to 9 for images (B, 3, R, R); each (B, C, h, w)."""
        outputs: list[Tensor] = []
        x = image  # (B, 3, R, R)
        for stage in self.stages:
            x = stage(x)  # (B, C, h, w)
            outputs.append(x)
        return outputs

    def pooled(self, activation: Tensor, stage: int) -> Tensor:
        """What the head sees, (B, C), from the output (B, C', h, w) of a stage, 1 to 9."""
        x = activation  # (B, C', h, w)
        for module in self.stages[stage:]:
            x = module(x)  # (B, C'', h', w')
        pooled: Tensor = self.pool(x).flatten(1)  # (B, C)
        return pooled

    def tail(self, activation: Tensor, stage: int) -> Tensor:
        """Logits (B, classes) from the output (B, C, h, w) of a stage, 1 to 9."""
        logits: Tensor = self.head(self.pooled(activation, stage))  # (B, classes)
        return logits

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, 3, R, R)."""
        return self.tail(image, 0)


def staged(module: EfficientNet) -> Network:
    """torchvision's modules as nine stages, a pooling and a head."""
    head = module.classifier[-1]
    assert isinstance(head, nn.Linear)
    return Network(list(module.features), module.avgpool, head)


def scaled(architecture: str, width: float, depth: float) -> EfficientNet:
    """torchvision's network with other multipliers, relative to B0, and torchvision's rounding."""
    blocks, last_channel = _efficientnet_conf(architecture, width_mult=width, depth_mult=depth)
    return EfficientNet(blocks, _DROPOUT, last_channel=last_channel)


def _from_torchvision(entry: ModelEntry) -> tuple[nn.Module, Network]:
    module: EfficientNet
    if isinstance(entry.weights, UserCheckpoint):
        module = scaled(entry.architecture, entry.width, entry.depth)
    else:
        module = torchvision.models.get_model_builder(entry.architecture)(weights=None)
    return module, staged(module)


def _from_timm(entry: ModelEntry) -> tuple[nn.Module, Network]:
    if isinstance(entry.weights, UserCheckpoint):
        # What the registered builders call, with their settings of the TensorFlow port.
        module = _gen_efficientnet_lite(  # type: ignore[no-untyped-call]
            entry.architecture, entry.width, entry.depth, bn_eps=BN_EPS_TF_DEFAULT, pad_type="same"
        )
    else:
        module = timm.create_model(entry.architecture, pretrained=False)
    assert isinstance(module, timm.models.EfficientNet)
    stages = [
        nn.Sequential(module.conv_stem, module.bn1),
        *module.blocks,
        nn.Sequential(module.conv_head, module.bn2),
    ]
    return module, Network(stages, module.global_pool, module.classifier)


_DROPOUT = 0.2
"""Of B0; nothing is dropped in evaluation mode."""

_initialising = Lock()
_BUILDERS = {"torchvision": _from_torchvision, "timm": _from_timm}


def build(entry: ModelEntry, state: dict[str, Tensor] | None) -> Network:
    """The entry's network in evaluation mode, its parameters frozen.

    A variant of width or depth is the library's own architecture with other multipliers (Lite never
    scales its stem and head, nor the depth of its first and last block stage).
    `state` is the entry's checkpoint: the library's own names; the library's own order for the
    packaged EfficientNet-Lite files, whose names come from another implementation.
    None leaves the random initialisation, which is the same every time (seed 0).
    Raises ValueError when the checkpoint does not fit the architecture.
    """
    # The initialisation draws from torch's global generator: one at a time, and leave it as found.
    with _initialising, torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: it fails while another thread converts a network for its engine.
        torch.default_generator.manual_seed(0)
        module, network = _BUILDERS[entry.library](entry)
    if state is not None:
        packaged = isinstance(entry.weights, PackageFile)
        fitted = _renamed_by_position(module, state) if packaged else state
        try:
            module.load_state_dict(fitted)
        except RuntimeError as error:
            raise ValueError(
                f"The checkpoint is not one of {entry.title}: its tensors do not fit. "
                "Use the weight file that belongs to this model."
            ) from error
    return network.eval().requires_grad_(False)


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


def ease_gradients(network: Network) -> None:
    """Make gradients on a CPU cheaper, in place; results change by rounding only."""
    network.to(memory_format=torch.channels_last)  # else convolutions rearrange what they read
    for module in list(network.modules()):
        if isinstance(module, nn.SiLU):  # autograd copies what is overwritten
            module.inplace = False
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


def _renamed_by_position(module: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The checkpoint's tensors under the module's names, matched by their order.

    load_state_dict then checks every shape; only the count has to be checked here.
    """
    names = list(module.state_dict())
    if len(names) != len(state):
        raise ValueError(f"The checkpoint has {len(state)} tensors, the architecture {len(names)}.")
    return dict(zip(names, state.values(), strict=True))
