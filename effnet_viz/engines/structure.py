"""What a network is made of, stage by stage, and which pixels each cell can see.

Everything is read off the built modules; nothing is typed in. Table 1 of Tan & Le 2019 is the
structure of B0 at 224 pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import get_same_padding
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.ops import SqueezeExcitation

from effnet_viz.engines.network import Network


@dataclass(frozen=True)
class Stage:
    """One row of Table 1, and the receptive field of its cells.

    Positions are continuous: pixel i of the input covers i to i + 1. Every grid is square.
    """

    number: int
    operator: str
    """As in Table 1, such as "MBConv6, k5x5"."""
    layers: int
    channels: int
    """Of the output."""
    input_side: int
    """Side of the grid that comes in."""
    side: int
    """Side of the grid that goes out."""
    stride: int
    parameters: int
    """Weights, biases and batch norms; stage 9 includes the linear head."""
    multiply_adds: int
    """Of convolutions and the linear head, for one image."""
    receptive_side: int
    """Side of the square of input pixels that one cell depends on through convolutions."""
    effective_stride: int
    """Distance in input pixels between the centres of neighbouring cells."""
    start: float
    """Centre of cell 0 in input pixels, horizontally and vertically."""
    has_global_context: bool
    """Whether squeeze-and-excitation came before this output, here or in an earlier stage.

    It multiplies channels by a function of their averages, so that strictly every cell depends on
    every pixel. The receptive field is the part through convolutions.
    """
    resolution: int
    """Side of the network's input in pixels."""

    def field(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Receptive field of a cell: left, top, right, bottom in input pixels, cut at the borders.

        The cut is exact: beyond the borders there is only padding.
        Raises ValueError for a cell that the grid does not have.
        """
        if not (0 <= row < self.side and 0 <= column < self.side):
            raise ValueError(
                f"Stage {self.number} has cells 0 to {self.side - 1}, not ({row}, {column})."
            )
        left, right = self._extent(column)
        top, bottom = self._extent(row)
        return left, top, right, bottom

    def _extent(self, index: int) -> tuple[int, int]:
        first = round(self.start + index * self.effective_stride - self.receptive_side / 2)
        return max(0, first), min(self.resolution, first + self.receptive_side)


@dataclass(frozen=True)
class Structure:
    """The nine stages of a network at one input resolution."""

    resolution: int
    stages: Mapping[int, Stage]
    """Stage number, 1 to 9, to its structure."""

    @property
    def last(self) -> int:
        """Number of the last stage."""
        return max(self.stages)

    @property
    def parameters(self) -> int:
        return sum(stage.parameters for stage in self.stages.values())

    @property
    def multiply_adds(self) -> int:
        return sum(stage.multiply_adds for stage in self.stages.values())


@contextmanager
def init_empty_weights() -> Iterator[None]:
    """Networks built inside have shapes and no values; it holds for this thread alone."""
    with torch.device("meta"), _WithoutRandomValues():
        yield


_RANDOM: tuple[Callable[..., Tensor], ...] = (
    *(Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_),
    *(nn.init.kaiming_normal_, nn.init.kaiming_uniform_),
)


class _WithoutRandomValues(TorchFunctionMode):
    """Leaves out random initialisation.

    On the meta device it would change nothing, but it runs code of PyTorch's compiler, which fails
    while another thread converts a network for its engine.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in _RANDOM:
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def summarize(built: Network, resolution: int) -> Structure:
    """The structure of a network for images of resolution × resolution pixels.

    Convolution by convolution, from the input to stage 9, with kernel k, stride s and padding p
    before the first cell: side n → (n + padding - k) // s + 1, receptive side r → r + (k - 1) · j,
    left end of cell 0's field l → l - p · j, jump j → j · s.
    """
    stages: dict[int, Stage] = {}
    side, receptive, jump, left = resolution, 1, 1, 0
    sees_all = False
    for number, module in enumerate(built.stages, start=1):
        last = number == len(built.stages)
        input_side, jump_before, multiply_adds = side, jump, 0
        channels = 0
        for convolution, squeezed in _convolutions(module):
            sees_all |= squeezed
            if squeezed:  # it works on averages, a grid of one cell
                multiply_adds += convolution.weight.numel()
                continue
            kernel, stride = convolution.kernel_size[0], convolution.stride[0]
            before, after = _padding(convolution, side)
            side = (side + before + after - kernel) // stride + 1
            receptive += (kernel - 1) * jump
            left -= before * jump
            jump *= stride
            channels = convolution.out_channels
            multiply_adds += convolution.weight.numel() * side**2
        parameters = sum(p.numel() for p in module.parameters())
        if last:
            parameters += sum(p.numel() for p in built.head.parameters())
            multiply_adds += sum(p.numel() for p in built.head.parameters() if p.ndim == 2)
        stages[number] = Stage(
            number=number,
            operator=_operator(module) + (" & pooling & FC" if last else ""),
            layers=len(_blocks(module)) or 1,
            channels=channels,
            input_side=input_side,
            side=side,
            stride=jump // jump_before,
            parameters=parameters,
            multiply_adds=multiply_adds,
            receptive_side=receptive,
            effective_stride=jump,
            start=left + receptive / 2,
            has_global_context=sees_all,
            resolution=resolution,
        )
    return Structure(resolution, MappingProxyType(stages))


def _convolutions(module: nn.Module, squeezed: bool = False) -> Iterator[tuple[nn.Conv2d, bool]]:
    """Convolutions in the order in which they run, each with whether it works on averages."""
    if isinstance(module, nn.Conv2d):
        yield module, squeezed
    for child in module.children():
        yield from _convolutions(child, squeezed or isinstance(module, SqueezeExcitation))


def _padding(convolution: nn.Conv2d, side: int) -> tuple[int, int]:
    """Cells of padding before and after the grid."""
    if isinstance(convolution, Conv2dSame):  # as TensorFlow pads: by the size, more at the end
        total = int(
            get_same_padding(
                side,
                convolution.kernel_size[0],
                convolution.stride[0],
                convolution.dilation[0],
            )
        )
        return total // 2, total - total // 2
    padding = convolution.padding[0]
    assert isinstance(padding, int)
    return padding, padding


def _depthwise(module: nn.Module) -> nn.Conv2d | None:
    """The first convolution of a module that works on each channel by itself."""
    depthwise = (conv for conv, _ in _convolutions(module) if conv.groups == conv.in_channels > 1)
    return next(depthwise, None)


def _blocks(stage: nn.Module) -> list[nn.Module]:
    """The MBConv blocks of a stage; none in the stem and the head."""
    return [block for block in stage.children() if _depthwise(block) is not None]


def _operator(stage: nn.Module) -> str:
    first = next(conv for conv, _ in _convolutions(stage))
    depthwise = _depthwise(stage)
    if depthwise is None:
        return f"Conv {_square(first)}"
    return f"MBConv{depthwise.in_channels // first.in_channels}, k{_square(depthwise)}"


def _square(convolution: nn.Conv2d) -> str:
    return f"{convolution.kernel_size[0]}x{convolution.kernel_size[1]}"
