"""The fifteen runs: what one is, and the trained weights that come with the project."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models.efficientnet import EfficientNet

from effnet_viz.assets import LAB
from effnet_viz.engines.structure import init_empty_weights
from effnet_viz.lab import networks, sprites
from effnet_viz.lab.networks import SCALINGS, Scaling
from effnet_viz.lab.sprites import Drawings

SHIPPED_RUN = 0
"""The run whose networks the app shows."""
Json = dict[str, Any]

HELD_OUT_VENDORS = ("Twitter", "EmojiOne", "Google")
"""The vendor that run 0, 1, 2 never sees. Each drew all classes."""


@dataclass(frozen=True)
class Recipe:
    """How all networks are trained."""

    views: int = 120_000
    """Scenes looked at in all; each scene comes back cropped and mirrored anew."""
    scenes: int = 40_000
    easy_share: float = 0.25
    """Of the steps, the first ones, on easy scenes only: large targets, few distractors, nothing
    hidden. A curriculum (Bengio et al. 2009, section 4) shortens the slow beginning."""
    easy_scenes: int = 10_000
    batch: int = 32
    learning_rate: float = 4e-3
    """At its peak; it rises linearly, then falls as a cosine to zero."""
    warm_up: float = 0.08
    """Share of the steps."""
    weight_decay: float = 0.03
    """AdamW's, on weights of convolutions and the head only."""
    label_smoothing: float = 0.1
    largest_gradient: float = 5.0
    """Longer gradients are shortened to this norm."""
    smallest_crop: int = 112
    """Of the scene's 128 pixels; the crop is resized to the network's resolution."""

    @property
    def steps(self) -> int:
        return self.views // self.batch

    @property
    def easy_steps(self) -> int:
        return round(self.easy_share * self.steps)

    def learning_rate_at(self, step: int) -> float:
        rising = max(1, round(self.warm_up * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        falling = (step - rising) / max(1, self.steps - rising)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


@dataclass(frozen=True)
class Run:
    """One network trained once."""

    scaling: Scaling
    number: int
    """The seed, and which vendor is held out."""

    @property
    def name(self) -> str:
        return f"{self.scaling.key}-{self.number}"

    @property
    def held_out(self) -> str:
        return HELD_OUT_VENDORS[self.number]

    def checkpoint(self, folder: Path) -> Path:
        return folder / f"{self.name}.pt"

    def finished(self, folder: Path) -> dict[str, Any]:
        """The checkpoint of this run; raises UnfinishedError unless it is trained to the end."""
        path = self.checkpoint(folder)
        if not path.exists():
            raise UnfinishedError(f"{self.name} is not trained: there is no {path}.")
        content = load_checkpoint(path)
        steps = Recipe(**content["recipe"]).steps
        if content["step"] < steps:
            raise UnfinishedError(
                f"{self.name} has trained {content['step']:,} of {steps:,} steps. Train it to the "
                "end with `effnet-viz lab train`."
            )
        return content

    def log(self, folder: Path) -> Path:
        return folder / f"{self.name}.jsonl"

    @property
    def seen(self) -> Drawings:
        return sprites.of_vendors(*sprites.all_but(self.held_out))

    @property
    def unseen(self) -> Drawings:
        return sprites.of_vendors(self.held_out)


def runs() -> tuple[Run, ...]:
    """All fifteen, run 0 of every network first."""
    numbers = range(len(HELD_OUT_VENDORS))
    return tuple(Run(scaling, number) for number in numbers for scaling in SCALINGS.values())


class UnfinishedError(RuntimeError):
    """A run is needed that is not trained to the end."""


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What `train` saved: module, optimizer, step, seconds, recipe."""
    content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return content


@dataclass(frozen=True, eq=False)
class Trained:
    """A network trained to the end, and how."""

    module: EfficientNet
    """In evaluation mode, its parameters frozen."""
    recipe: Json
    learning_curve: list[Json]
    """Views, and accuracy on seen and unseen vendors then."""


def path_of(run: Run) -> Path:
    """Where a run's weights are that come with the project, in half precision."""
    return LAB / "runs" / f"{run.name}.safetensors"


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
