"""The library's own module with another head, and what is dropped from it while it learns."""

from __future__ import annotations

from collections.abc import Mapping

from timm.layers.drop import DropPath
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from effnet_viz.models import architectures
from effnet_viz.models.zoo import ModelEntry


def with_classes(entry: ModelEntry, state: Mapping[str, Tensor], classes: int) -> nn.Module:
    """The library's own module of an entry with a new linear head, all zeros; trainable."""
    module = architectures.module_of(entry, state)
    name, old = head_of(module)
    new = nn.Linear(old.in_features, classes)
    nn.init.zeros_(new.weight)
    nn.init.zeros_(new.bias)
    module.set_submodule(name, new)
    return module.requires_grad_(True)


def head_of(module: nn.Module) -> tuple[str, nn.Linear]:
    """Name and layer of the last linear one."""
    return [(name, part) for name, part in module.named_modules() if isinstance(part, nn.Linear)][
        -1
    ]


def set_drops(module: nn.Module, dropout: float, drop_connect: float) -> None:
    """Dropout before the head, drop-connect in residual blocks, in the networks of both libraries.

    Both do nothing in evaluation mode and have no weights.
    """
    if hasattr(module, "drop_rate"):  # timm's
        module.drop_rate = dropout  # type: ignore[assignment]
        blocks = [block for row in module.blocks for block in row]  # type: ignore[union-attr]
        for place, block in enumerate(blocks):
            if getattr(block, "has_skip", False):
                dropped = DropPath(drop_connect * place / len(blocks))
                block.drop_path = dropped.train(block.training)
        return
    depths = [part for part in module.modules() if isinstance(part, StochasticDepth)]
    for place, depth in enumerate(depths):
        depth.p = drop_connect * place / len(depths)
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = dropout


def to_training_mode(module: nn.Module, *, statistics: bool) -> None:
    """Training mode; batch norms go on averaging only with `statistics`."""
    module.train()
    if not statistics:
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.eval()
