"""The networks of the runs: while they are trained, and as they come with the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torchvision.models.efficientnet import EfficientNet

from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.network import Network
from effnet_viz.engines.summarize import init_empty_weights
from effnet_viz.lab import networks
from effnet_viz.lab.runs import (
    SHIPPED_RUN,
    Json,
    Recipe,
    Run,
    UnfinishedError,
    path_of,
    shipped_path,
)
from effnet_viz.lab.scalings import SCALINGS, Scaling
from effnet_viz.writing import written_whole


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What `train` saved: module, optimizer, step, seconds, recipe."""
    content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return content


def finished(run: Run, folder: Path) -> dict[str, Any]:
    """The checkpoint of a run; raises UnfinishedError unless it is trained to the end."""
    path = run.checkpoint(folder)
    if not path.exists():
        raise UnfinishedError(f"{run.name} is not trained: there is no {path}.")
    content = load_checkpoint(path)
    steps = Recipe(**content["recipe"]).steps
    if content["step"] < steps:
        raise UnfinishedError(
            f"{run.name} has trained {content['step']:,} of {steps:,} steps. Train it to the "
            "end with `effnet-viz lab train`."
        )
    return content


@dataclass(frozen=True, eq=False)
class Trained:
    """A network trained to the end, and how."""

    module: EfficientNet
    """In evaluation mode, its parameters frozen."""
    recipe: Json
    learning_curve: list[Json]
    """Views, and accuracy on seen and unseen vendors then."""


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
    with written_whole(path) as file:  # a running app never reads half of it
        file.write(save(halved, metadata))


def trained(run: Run) -> Trained:
    """A run that comes with the project. Raises UnfinishedError when it does not, or is damaged."""
    path = shipped_path(run)
    try:
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
    except SafetensorError as error:
        raise UnfinishedError(
            f"{path.name} is damaged. Fetch it again with the project."
        ) from error
    recipe, curve = (json.loads(metadata[name]) for name in ("recipe", "learning_curve"))
    return Trained(_load(run.scaling, state), recipe, curve)


def _load(scaling: Scaling, state: Mapping[str, Tensor]) -> EfficientNet:
    with init_empty_weights():
        module = networks.build(scaling)
    counts = {  # of batch norms
        name: torch.zeros((), dtype=torch.int64)
        for name in module.state_dict()
        if name.endswith("num_batches_tracked")
    }
    stored = {name: tensor.float() for name, tensor in state.items()}
    module.load_state_dict(stored | counts, assign=True)
    return module.eval().requires_grad_(False)


def network_of(key: str, digest: str) -> Network:
    """A shipped network by key of SCALINGS; its file has this SHA-256. Raises UnfinishedError."""
    run = Run(SCALINGS[key], SHIPPED_RUN)
    network = as_network(trained(run).module)
    if hashlib.sha256(path_of(run).read_bytes()).hexdigest() != digest:
        raise UnfinishedError(f"{path_of(run).name} was replaced. Start the app again.")
    return network
