"""A module of somebody's own to a model."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import nn

from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.create import create
from effnet_viz.engines.network import Network
from effnet_viz.engines.summarize import summarize
from effnet_viz.images.preprocessing import Preprocessing
from effnet_viz.models.classes import Classes
from effnet_viz.models.identity import ModelId
from effnet_viz.models.model import Model
from effnet_viz.models.zoo import ModelCard


def from_module(
    module: nn.Module,
    *,
    key: str,
    classes: Iterable[str],
    preprocessing: Preprocessing,
    weights: str | None = None,
    stages: Callable[[nn.Module], Network] | None = None,
) -> Model:
    """A model from a module that gives logits (B, classes) for images (B, 3, R, R).

    The module is copied and left as it was. `weights` is what its weights are called wherever they
    are named, such as a file name; None says that it is untrained, and every result says so.
    `stages` takes the copy apart into stages, pooling and head; EfficientNet, MobileNetV2,
    MobileNetV3 and ResNet of torchvision and timm need none. A module whose last stage does not go
    through one average pooling into one linear layer has no class activation map.
    Raises ValueError when the parts together do not give what the module gives, or when there are
    more or fewer logits than classes; UnsupportedModuleError without `stages` for another module.
    """
    labels = Classes(classes)
    made = _private_copy(module)
    network = (stages or as_network)(made).eval().requires_grad_(False)
    resolution = preprocessing.resolution
    noise = torch.rand(1, 3, resolution, resolution, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = made(noise), network(noise)  # (1, classes)
    if expected.shape != found.shape or not torch.allclose(expected, found, rtol=1e-4, atol=1e-5):
        raise ValueError(
            "Stages, pooling and head do not give what the module gives. Name all of its parts, in "
            "the order in which they run."
        )
    if expected.shape[1:] != (len(labels),):
        raise ValueError(
            f"The module gives logits of shape {tuple(expected.shape[1:])}, and {len(labels)} "
            "classes are named. Name one class for every logit."
        )
    engine = create(copy.deepcopy(network), resolution)
    architecture = f"{type(module).__module__.partition('.')[0]} {type(module).__name__}"
    digest = _fingerprint(network, labels, preprocessing)
    return Model(
        ModelId(key, digest if weights else f"untrained {digest}"),
        ModelCard(
            title=key,
            architecture=architecture,
            width=None,
            depth=None,
            resolution=resolution,
            recipe="own" if weights else "none",
            native_resolution=None,
            published=None,
        ),
        labels,
        preprocessing,
        engine,
        summarize(network, resolution),
        weights or "untrained",
        partial(copy.deepcopy, network),
    )


def _private_copy(module: nn.Module) -> nn.Module:
    """On the CPU, in float32 and evaluation mode, without the hooks of whoever owns it."""
    made = copy.deepcopy(module).cpu().float().eval()
    for part in made.modules():
        for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks):
            hooks.clear()
    return made


def _fingerprint(network: Network, classes: Classes, preprocessing: Preprocessing) -> str:
    """SHA-256 of all tensors with their names, of the classes and of the preprocessing."""
    digest = hashlib.sha256(f"{tuple(classes)} {preprocessing}".encode())
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
