"""Network: stages, a pooling and a head over the modules of any library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn


class Network(nn.Module):
    """A network as stages 1 to n, a pooling and a head.

    The stages are the library's own modules in their own order, so the result equals the library
    model's bit for bit. Activations are return values: nothing is ever hooked onto the network.
    Raises ValueError without a stage.
    """

    def __init__(self, stages: Sequence[nn.Module], pool: nn.Module, head: nn.Module) -> None:
        super().__init__()
        if not stages:
            raise ValueError("A network needs at least one stage.")
        self.stages = nn.ModuleList(stages)
        self.pool = pool
        self.head = head

    @property
    def linear_head(self) -> nn.Linear | None:
        """The one linear layer that follows a global average pooling; None for any other head.

        Only such a network has a class activation map. What does nothing in evaluation mode may lie
        between. Whether the pooling is the global average is tried out, not read off its type.
        """
        linear = _only_linear(self.head)
        if linear is None or not _is_global_average(self.pool, linear.in_features):
            return None
        return linear

    def forward_intermediates(self, images: Tensor) -> list[Tensor]:
        """The outputs of stages 1 to n for images (B, 3, R, R); each (B, C, h, w).

        Raises ValueError where a stage overwrites the output of the stage before it.
        """
        outputs: list[Tensor] = []
        x = images  # (B, 3, R, R)
        for number, stage in enumerate(self.stages, start=1):
            before, version = x, x._version
            x = stage(x)  # (B, C, h, w)
            if number > 1 and before._version != version:
                raise ValueError(
                    f"Stage {number} overwrites the output of stage {number - 1}. Switch its "
                    "in-place operations off (inplace=False)."
                )
            outputs.append(x)
        return outputs

    def pre_logits(self, activation: Tensor, stage: int) -> Tensor:
        """What the head gets from the output (B, C', h, w) of a stage, 1 to n; 0: from images.

        (B, C) for a linear head, else whatever the pooling returns.
        """
        x = activation  # (B, C', h, w)
        for module in self.stages[stage:]:
            x = module(x)  # (B, C'', h', w')
        pooled: Tensor = self.pool(x)  # (B, C, ...)
        return pooled if _only_linear(self.head) is None else pooled.flatten(1)

    def tail(self, activation: Tensor, stage: int) -> Tensor:
        """Logits (B, classes) from the output (B, C, h, w) of a stage, 1 to n; 0: from images."""
        logits: Tensor = self.head(self.pre_logits(activation, stage))  # (B, classes)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, 3, R, R)."""
        return self.tail(images, 0)


def _only_linear(head: nn.Module) -> nn.Linear | None:
    """The linear layer of a head that is nothing else in evaluation mode."""
    working = [
        layer for layer in _layers(head)
        if not isinstance(layer, nn.Identity | nn.Dropout | nn.Flatten)
    ]  # fmt: skip
    match working:
        case [nn.Linear() as linear]:
            return linear
    return None


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _layers(child)
    else:
        yield module


def _is_global_average(pool: nn.Module, channels: int) -> bool:
    """Whether pool(x) = mean of x over positions, on a random grid that is not square."""
    random = np.random.default_rng(0).standard_normal((2, channels, 5, 7), np.float32)
    x = torch.from_numpy(random)  # (2, C, 5, 7)
    try:
        with torch.no_grad():
            pooled: Tensor = pool(x).flatten(1)
    except RuntimeError:  # it takes no grid of this size, so it is not global
        return False
    mean = x.mean((2, 3))  # (2, C)
    return pooled.shape == mean.shape and torch.allclose(pooled, mean, atol=1e-6)
