"""One phase of training: what changes in it, and how an epoch of it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from timm.scheduler.scheduler import Scheduler
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from tqdm import tqdm

from effnet_viz.finetuning.recipes import Recipe

Json = dict[str, Any]
Phase = Literal["head", "all"]


@dataclass(frozen=True, eq=False)
class Best:
    """The epoch with the smallest loss on the validation pictures so far."""

    place: int
    """Among the curves."""
    phase: Phase
    loss: float
    state: dict[str, Tensor]
    """Of the head in the first phase, of the whole network in the second."""
    probabilities: Tensor
    """(n, classes), of the validation pictures."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What changes while a phase goes on, and what it learns from."""

    phase: Phase
    epochs: int
    steps: int
    """Of an epoch."""
    module: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Scheduler
    scaler: torch.amp.GradScaler
    ema: ModelEmaV3 | None
    device: torch.device
    batches: Callable[[int], Iterator[tuple[Tensor, Tensor]]]
    """Of an epoch: inputs and targets (B,)."""
    held: Callable[[], Iterable[Tensor]]
    """Inputs of the validation pictures, in batches."""
    start: Callable[[], object]
    """Puts the module into training mode."""

    @property
    def measured(self) -> nn.Module:
        return self.module if self.ema is None else self.ema.module

    def state(self) -> Json:
        return {
            "phase": self.phase,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "ema": {} if self.ema is None else self.ema.module.state_dict(),
        }

    def load(self, saved: Json) -> None:
        self.module.load_state_dict(saved["module"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        if self.ema is not None:
            self.ema.module.load_state_dict(saved["ema"])

    def logits(self) -> Tensor:
        """(n, classes) of the validation pictures, in single precision."""
        self.measured.eval()
        with torch.no_grad():
            return torch.cat([self.measured(x.to(self.device)).cpu() for x in self.held()])

    def advance(self, epoch: int, recipe: Recipe, bar: tqdm[Any]) -> Json:
        """One epoch; the means of loss and accuracy on its batches, each before its step."""
        self.start()
        total, right, count = 0.0, 0, 0
        for number, (x, y) in enumerate(self.batches(epoch), epoch * self.steps):
            x, y = x.to(self.device), y.to(self.device)
            self.schedule.step_update(number)
            with torch.autocast(self.device.type, torch.float16, enabled=self.scaler.is_enabled()):
                logits = self.module(x)  # (B, classes)
                loss = nn.functional.cross_entropy(
                    logits, y, label_smoothing=recipe.label_smoothing
                )
            self.optimizer.zero_grad()
            torch.autograd.backward(self.scaler.scale(loss))
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.module.parameters(), recipe.max_grad_norm)
            self.scaler.step(self.optimizer)
            self.scaler.update()
            if self.ema is not None:
                self.ema.update(self.module, number + 1)
            total += float(loss.detach()) * len(y)
            right += int((logits.detach().argmax(1) == y).sum())
            count += len(y)
            bar.update()
        return {
            "training_loss": total / count,
            "training_accuracy": right / count,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }
