"""The weights of run 0 that come with the project, rounded to half precision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from effnet_viz.lab import networks
from effnet_viz.lab.drawings import FOLDER
from effnet_viz.lab.networks import Scaling
from effnet_viz.network import Network

SHIPPED_RUN = 0


def shipped_path(scaling: Scaling) -> Path:
    return FOLDER / f"{scaling.key}.safetensors"


def load_shipped(scaling: Scaling) -> Network:
    """The trained network that comes with the project, ready to look at scenes."""
    return _network(scaling, load_file(shipped_path(scaling)))


def load_trained(scaling: Scaling, checkpoint: Mapping[str, Any]) -> Network:
    """The network of a checkpoint, rounded to half precision as if it were shipped."""
    return _network(scaling, _halved(checkpoint))


def ship(checkpoint: Mapping[str, Any], scaling: Scaling) -> None:
    """Put a checkpoint's weights where load_shipped finds them."""
    save_file(_halved(checkpoint), shipped_path(scaling))


def _halved(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    state: dict[str, Tensor] = checkpoint["module"]
    # What batch norms counted is of no use after training.
    return {
        name: tensor.half().contiguous()
        for name, tensor in state.items()
        if tensor.is_floating_point()
    }


def _network(scaling: Scaling, state: dict[str, Tensor]) -> Network:
    with torch.random.fork_rng(devices=[]):
        module = networks.build(scaling)
    counts = {
        name: tensor for name, tensor in module.state_dict().items() if name not in state
    }  # of batch norms, not stored
    module.load_state_dict({name: tensor.float() for name, tensor in state.items()} | counts)
    return networks.staged(module)
