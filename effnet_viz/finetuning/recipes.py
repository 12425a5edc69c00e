"""How all layers are trained once the head is: named settings, and what timm makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from timm.optim.rmsprop_tf import RMSpropTF
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.step_lr import StepLRScheduler
from torch import nn

from effnet_viz.engines.adapters import as_network
from effnet_viz.finetuning.data import FinetuneError


@dataclass(frozen=True)
class Recipe:
    """Settings of the phase that trains all layers."""

    key: str
    source: str
    optimizer: Literal["adamw", "rmsprop"]
    learning_rate: float
    """At its peak, of the head, for a batch of `batch`; it grows and shrinks with the batch."""
    batch: int
    epsilon: float
    weight_decay: float
    """Of weights of convolutions and the head only."""
    schedule: Literal["cosine", "exponential"]
    warm_up: float
    """Share of the steps in which the learning rate rises linearly."""
    stage_factor: float
    """Every stage learns so many times as fast as the one after it (Howard & Ruder 2018)."""
    train_statistics: bool
    """Whether batch norms go on averaging; few pictures give them worse means than they have."""
    label_smoothing: float = 0.1
    drop_connect: float = 0.2
    """Of the last block; it rises linearly from 0 at the first one (Huang et al. 2016)."""
    dropout: float = 0.2
    ema: float = 0.9999
    """Decay of the mean of the weights, which is what is measured and kept; smaller at first."""
    max_grad_norm: float = 5.0
    smallest_area: float = 0.35
    """Of the largest square of a picture: a random square of at least so much is learned from."""


RECIPES = {
    recipe.key: recipe
    for recipe in (
        Recipe(
            key="default",
            source="for some hundred to some thousand pictures",
            optimizer="adamw",
            learning_rate=5e-4,
            batch=32,
            epsilon=1e-8,
            weight_decay=0.02,
            schedule="cosine",
            warm_up=0.1,
            stage_factor=0.7,
            train_statistics=False,
        ),
        Recipe(
            key="composer",
            source="MosaicML Composer, EfficientNet-B0: RMSProp, cosine, EMA, label smoothing",
            optimizer="rmsprop",
            learning_rate=0.08,
            batch=4096,
            epsilon=0.01,
            weight_decay=1e-5,
            schedule="cosine",
            warm_up=0.04,
            stage_factor=1.0,
            train_statistics=True,
        ),
        Recipe(
            key="paper",
            source="Tan & Le 2019, section 5.2: RMSProp, 0.97 every 2.4 epochs (no AutoAugment)",
            optimizer="rmsprop",
            learning_rate=0.256,
            batch=4096,
            epsilon=0.001,
            weight_decay=1e-5,
            schedule="exponential",
            warm_up=0.0,
            stage_factor=1.0,
            train_statistics=True,
        ),
    )
}
"""By key. RMSProp always has decay 0.9 and momentum 0.9, and TensorFlow's rule (timm's)."""

HEAD_LEARNING_RATE = 3e-3
"""Of AdamW on the features of the frozen network, falling as a cosine to zero."""
HEAD_WEIGHT_DECAY = 1e-2


def find(key: str) -> Recipe:
    """The recipe of this key. Raises FinetuneError, listing the choices."""
    if key not in RECIPES:
        raise FinetuneError(f"There is no recipe {key!r}. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[key]


def optimizer_of(module: nn.Module, recipe: Recipe, batch: int) -> torch.optim.Optimizer:
    """Steps for all parameters of a network; every stage has its own learning rate."""
    network = as_network(module)
    peak = recipe.learning_rate * batch / recipe.batch
    count = len(network.stages)
    groups: list[dict[str, Any]] = _groups(network.head.parameters(), peak, recipe.weight_decay)
    for place, stage in enumerate(network.stages):
        rate = peak * recipe.stage_factor ** (count - place)
        groups += _groups(stage.parameters(), rate, recipe.weight_decay)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, eps=recipe.epsilon)
    made: torch.optim.Optimizer = RMSpropTF(groups, alpha=0.9, momentum=0.9, eps=recipe.epsilon)
    return made


def _groups(
    parameters: Iterable[nn.Parameter], rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Weights decay, biases and batch norms do not."""
    given = list(parameters)
    weights, others = [p for p in given if p.ndim > 1], [p for p in given if p.ndim <= 1]
    return [
        {"params": params, "lr": rate, "weight_decay": decay}
        for params, decay in ((weights, weight_decay), (others, 0.0))
        if params
    ]


def schedule_of(
    optimizer: torch.optim.Optimizer, recipe: Recipe, epochs: int, steps: int
) -> CosineLRScheduler | StepLRScheduler:
    """Sets the learning rates before each step, by its number from 0; `steps` are of an epoch."""
    warm_up = round(recipe.warm_up * epochs * steps)
    if recipe.schedule == "cosine":
        return CosineLRScheduler(
            optimizer,
            t_initial=max(1, epochs * steps - warm_up),
            warmup_t=warm_up,
            warmup_prefix=True,
            t_in_epochs=False,
        )
    return StepLRScheduler(
        optimizer,
        decay_t=max(1, round(2.4 * steps)),
        decay_rate=0.97,
        warmup_t=warm_up,
        t_in_epochs=False,
    )
