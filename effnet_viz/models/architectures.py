"""An entry of the zoo to a network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from threading import Lock

import timm
import torch
import torchvision
from timm.models._efficientnet_builder import BN_EPS_TF_DEFAULT
from timm.models.efficientnet import _gen_efficientnet_lite
from torch import Tensor, nn
from torchvision.models.efficientnet import EfficientNet, _efficientnet_conf

from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.network import Network
from effnet_viz.engines.structure import Structure
from effnet_viz.engines.summarize import init_empty_weights, summarize
from effnet_viz.models.zoo import ModelEntry

_IMAGENET = 1000


def scaled(architecture: str, width: float, depth: float, classes: int = _IMAGENET) -> EfficientNet:
    """torchvision's network with other multipliers, relative to B0, and torchvision's rounding."""
    blocks, last_channel = _efficientnet_conf(architecture, width_mult=width, depth_mult=depth)
    return EfficientNet(blocks, _DROPOUT, num_classes=classes, last_channel=last_channel)


def _from_torchvision(entry: ModelEntry) -> nn.Module:
    module: nn.Module
    if entry.scaled:
        assert entry.width is not None  # only a baseline is scaled
        assert entry.depth is not None
        module = scaled(entry.architecture, entry.width, entry.depth, _classes_of(entry))
    else:
        builder = torchvision.models.get_model_builder(entry.architecture)
        module = builder(weights=None, num_classes=_classes_of(entry))
    return module


def _from_timm(entry: ModelEntry) -> nn.Module:
    module: nn.Module
    if entry.scaled:
        # What the registered builders call, with their settings of the TensorFlow port.
        module = _gen_efficientnet_lite(  # type: ignore[no-untyped-call]
            entry.architecture,
            entry.width,
            entry.depth,
            bn_eps=BN_EPS_TF_DEFAULT,
            pad_type="same",
            num_classes=_classes_of(entry),
        )
    else:
        module = timm.create_model(
            entry.architecture, pretrained=False, num_classes=_classes_of(entry)
        )
    return module


def _from_composer(entry: ModelEntry) -> nn.Module:
    """timm's network with the activation that Composer's has after each block of the first row."""
    module = _from_timm(entry)
    for block in module.blocks[0]:  # type: ignore[index]
        block.bn2.act = nn.SiLU()
    return module


def _classes_of(entry: ModelEntry) -> int:
    return _IMAGENET if entry.labels is None else len(entry.labels)


_DROPOUT = 0.2
"""Of B0; nothing is dropped in evaluation mode."""

_initialising = Lock()

_BUILDERS = {
    "torchvision": _from_torchvision,
    "timm": _from_timm,
    "composer": _from_composer,
}


def module_of(entry: ModelEntry, state: Mapping[str, Tensor] | None) -> nn.Module:
    """The library's own module for an entry, new, in evaluation mode, its parameters frozen.

    A variant of width or depth is the library's own architecture with other multipliers (Lite never
    scales its stem and head, nor the depth of its first and last block stage).
    `state` has the names and shapes of `expected_state`; checkpoints.load_state_dict gives one.
    None leaves the random initialisation, which is the same every time (seed 0).
    """
    # The initialisation draws from torch's global generator: one at a time, and leave it as found.
    with _initialising, torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: it fails while another thread converts a network for its engine.
        torch.default_generator.manual_seed(0)
        module = _BUILDERS[entry.library](entry)
    if state is not None:
        module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def build(entry: ModelEntry, state: Mapping[str, Tensor] | None) -> Network:
    """The network of module_of: it equals the module bit for bit."""
    return as_network(module_of(entry, state))


@lru_cache(maxsize=64)
def _without_values(entry: ModelEntry) -> nn.Module:
    """Built once: B7 takes 0.2 s."""
    with init_empty_weights():
        return module_of(entry, None)


def summary(entry: ModelEntry) -> Structure:
    """The structure of an entry's network at its resolution. It needs no weights and no memory."""
    return summarize(as_network(_without_values(entry)), entry.resolution)


def summary_of_scaled(architecture: str, width: float, depth: float, resolution: int) -> Structure:
    """The same of what `scaled` makes."""
    with init_empty_weights():
        return summarize(as_network(scaled(architecture, width, depth)), resolution)


def expected_state(entry: ModelEntry) -> Mapping[str, Tensor]:
    """The names, shapes and types of an entry's state dict, in the library's order, no values."""
    state: Mapping[str, Tensor] = _without_values(entry).state_dict()
    return state
