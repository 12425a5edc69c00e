"""Trained weights that come with the project, rounded to half precision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from effnet_viz.engines.network import Network
from effnet_viz.engines.structure import shapes_only
from effnet_viz.lab import networks
from effnet_viz.lab.networks import Scaling
from effnet_viz.lab.sprites import FOLDER
from effnet_viz.lab.training import Run, UnfinishedError

SHIPPED_RUN = 0
"""The run whose networks the app shows."""

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Trained:
    """A network trained to the end, and how."""

    network: Network
    recipe: Json
    learning_curve: list[Json]
    """Views, and accuracy on seen and unseen vendors then."""


def path_of(run: Run) -> Path:
    return FOLDER / "runs" / f"{run.name}.safetensors"


def ship(run: Run, checkpoint: Mapping[str, Any], learning_curve: Sequence[Json]) -> None:
    """Put a run's weights, recipe and learning curve where `trained` finds them."""
    state: dict[str, Tensor] = checkpoint["module"]
    halved = {
        name: tensor.half().contiguous()
        for name, tensor in state.items()
        # What batch norms counted is of no use after training.
        if tensor.is_floating_point()
    }
    metadata = {
        "recipe": json.dumps(checkpoint["recipe"]),
        "learning_curve": json.dumps(list(learning_curve)),
    }
    path = path_of(run)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".part")
    save_file(halved, unfinished, metadata)
    unfinished.chmod(0o644)
    unfinished.replace(path)  # a running app never reads half of it


def trained(run: Run) -> Trained:
    """A run that comes with the project. Raises UnfinishedError when it does not, or is damaged."""
    path = path_of(run)
    if not path.exists():
        raise UnfinishedError(
            f"{run.name} is not there. Train it with `effnet-viz lab train`, then `ship`."
        )
    try:
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
    except SafetensorError as error:
        raise UnfinishedError(
            f"{path.name} is damaged ({error}). Fetch it again with the project."
        ) from error
    recipe, curve = (json.loads(metadata[name]) for name in ("recipe", "learning_curve"))
    return Trained(_network(run.scaling, state), recipe, curve)


def shipped(scaling: Scaling) -> Network:
    """The network that the app shows."""
    return trained(Run(scaling, SHIPPED_RUN)).network


def _network(scaling: Scaling, state: Mapping[str, Tensor]) -> Network:
    with shapes_only():
        module = networks.build(scaling)
    counts = {  # of batch norms
        name: torch.zeros((), dtype=torch.int64)
        for name in module.state_dict()
        if name.endswith("num_batches_tracked")
    }
    stored = {name: tensor.float() for name, tensor in state.items()}
    module.load_state_dict(stored | counts, assign=True)
    return networks.staged(module.to(memory_format=torch.channels_last))
