"""EfficientNets as other implementations name them, written and computed without any of them.

The slow and obvious way: a dictionary of tensors by name, and a loop over Table 1 of Tan & Le 2019.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import Tensor

State = dict[str, Tensor]

# Rows of B0: kernel, stride, expansion, channels, blocks.
TABLE_1 = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


@dataclass(frozen=True)
class Dialect:
    """What an implementation calls the parts, and how it computes."""

    stem: str
    stem_norm: str
    blocks: str
    expand: str
    depthwise: str
    reduce: str
    excite: str
    project: tuple[str, str]
    """In the first row, and in the others."""
    norms: tuple[tuple[str, str], tuple[str, str, str]]
    head: str
    head_norm: str
    classifier: str
    same: bool
    """Whether the padding is TensorFlow's."""
    epsilon: float
    active_first: bool
    """Whether the first row's blocks end with an activation."""


LUKEMELAS = Dialect(
    "_conv_stem", "_bn0", "_blocks", "_expand_conv", "_depthwise_conv", "_se_reduce", "_se_expand",
    ("_project_conv", "_project_conv"), (("_bn1", "_bn2"), ("_bn0", "_bn1", "_bn2")),
    "_conv_head", "_bn1", "_fc", same=True, epsilon=1e-3, active_first=False,
)  # fmt: skip

COMPOSER = Dialect(
    "conv_stem", "bn1", "blocks", "conv1x1_expand", "conv_depthwise", "se.conv_reduce",
    "se.conv_expand", ("conv_pointwise", "conv1x1_contract"),
    (("bn1", "bn2"), ("bn1", "bn2", "bn3")),
    "conv_head", "bn2", "classifier", same=False, epsilon=1e-5, active_first=True,
)  # fmt: skip


def blocks() -> Iterator[tuple[int, int, int, int, int, int, int]]:
    """Number, row, kernel, stride, channels in, in the middle and out of every block of B0."""
    number, before = 0, 32
    for row, (kernel, stride, expansion, channels, count) in enumerate(TABLE_1):
        for place in range(count):
            yield (
                number, row, kernel, 1 if place else stride, before, before * expansion, channels
            )  # fmt: skip
            number, before = number + 1, channels


def written(dialect: Dialect, classes: int) -> State:
    """A B0 of random weights that neither vanish nor explode."""
    random = torch.Generator().manual_seed(4)
    state: State = {}

    def convolution(name: str, *shape: int, bias: bool = False) -> None:
        fan = max(1, torch.Size(shape[1:]).numel())
        state[f"{name}.weight"] = torch.randn(shape, generator=random) * (2 / fan) ** 0.5
        if bias:
            state[f"{name}.bias"] = torch.randn(shape[0], generator=random)

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{part}"] = 0.5 + torch.rand(channels, generator=random)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    convolution(dialect.stem, 32, 3, 3, 3)
    norm(dialect.stem_norm, 32)
    for number, row, kernel, _, before, middle, after in blocks():
        at = f"{dialect.blocks}.{number}"
        norms = dialect.norms[min(row, 1)]
        if row:
            convolution(f"{at}.{dialect.expand}", middle, before, 1, 1)
        convolution(f"{at}.{dialect.depthwise}", middle, 1, kernel, kernel)
        convolution(f"{at}.{dialect.reduce}", before // 4, middle, 1, 1, bias=True)
        convolution(f"{at}.{dialect.excite}", middle, before // 4, 1, 1, bias=True)
        convolution(f"{at}.{dialect.project[min(row, 1)]}", after, middle, 1, 1)
        for name, channels in zip(norms, (middle, middle, after)[-len(norms) :], strict=True):
            norm(f"{at}.{name}", channels)
    convolution(dialect.head, 1280, 320, 1, 1)
    norm(dialect.head_norm, 1280)
    convolution(dialect.classifier, classes, 1280, bias=True)
    return state


def logits(dialect: Dialect, state: State, x: Tensor) -> Tensor:
    """What the implementation gives for images (B, 3, R, R): (B, classes)."""

    def convolve(name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        kernel = weight.shape[-1]
        if dialect.same:
            needed = [
                max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[2:]
            ]
            down, across = needed
            x = F.pad(
                x, (across // 2, across - across // 2, down // 2, down - down // 2)
            )  # (B, C, H + down, W + across)
            padding = 0
        else:
            padding = kernel // 2
        return F.conv2d(x, weight, state.get(f"{name}.bias"), stride, padding, groups=groups)

    def norm(name: str, x: Tensor) -> Tensor:
        mean, variance, weight, bias = (
            state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )  # (C, 1, 1)
        return (x - mean) / torch.sqrt(variance + dialect.epsilon) * weight + bias

    x = F.silu(norm(dialect.stem_norm, convolve(dialect.stem, x, 2)))
    for number, row, _, stride, before, middle, after in blocks():
        at = f"{dialect.blocks}.{number}"
        norms = list(dialect.norms[min(row, 1)])
        kept = x
        if row:
            x = F.silu(norm(f"{at}.{norms.pop(0)}", convolve(f"{at}.{dialect.expand}", x)))
        x = convolve(f"{at}.{dialect.depthwise}", x, stride, middle)
        x = F.silu(norm(f"{at}.{norms.pop(0)}", x))
        squeezed = x.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        excited = F.silu(convolve(f"{at}.{dialect.reduce}", squeezed))
        x = x * torch.sigmoid(convolve(f"{at}.{dialect.excite}", excited))
        x = norm(f"{at}.{norms.pop(0)}", convolve(f"{at}.{dialect.project[min(row, 1)]}", x))
        if dialect.active_first and not row:
            x = F.silu(x)
        if stride == 1 and before == after:
            x = x + kept
    x = F.silu(norm(dialect.head_norm, convolve(dialect.head, x))).mean((2, 3))  # (B, 1280)
    weight, bias = (state[f"{dialect.classifier}.{part}"] for part in ("weight", "bias"))
    return x @ weight.T + bias


def put(folder: Path, state: object, file: str = "weights.pth", /, **description: object) -> Path:
    """A network's folder: its file, and network.json where something is to stand there."""
    folder.mkdir(parents=True, exist_ok=True)
    if file.endswith(".safetensors"):
        assert isinstance(state, dict)
        save_file(state, folder / file)
    else:
        torch.save(state, folder / file)
    if description:
        (folder / "network.json").write_text(json.dumps({"format": 1, **description}))
    return folder
