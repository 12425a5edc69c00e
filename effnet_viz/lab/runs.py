"""The fifteen runs: what one is, and the trained weights that come with the project."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effnet_viz.assets import LAB
from effnet_viz.lab import sprites
from effnet_viz.lab.scalings import SCALINGS, Scaling
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


def path_of(run: Run) -> Path:
    """Where a run's weights are that come with the project, in half precision."""
    return LAB / "runs" / f"{run.name}.safetensors"


def shipped_path(run: Run) -> Path:
    """The same of weights that are there. Raises UnfinishedError."""
    path = path_of(run)
    if not path.exists():
        raise UnfinishedError(
            f"{run.name} is not there. Train it with `effnet-viz lab train`, then `ship`."
        )
    return path
