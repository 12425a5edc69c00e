"""A network to its structure. Everything is read off the built modules; nothing is typed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from effnet_viz.engines.network import Network
from effnet_viz.engines.structure import Stage, Structure
from effnet_viz.engines.tracing import Field, trace


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


def summarize(network: Network, resolution: int) -> Structure:
    """The structure of a network in evaluation mode for images of resolution × resolution pixels.

    It needs no weights and no memory: see tracing, which follows the stages as they run. Where a
    stage rearranges positions in a way that is not known there, such as attention over all of them,
    its cells and those after it may depend on the whole image, and their field says so.
    Raises ValueError for kernels, strides or paddings that are not square, and for a stage that
    returns no square grid.
    """
    traced = trace(network, resolution)
    stages: dict[int, Stage] = {}
    input_side, stride_before = resolution, 1
    for number, (module, seen) in enumerate(zip(network.stages, traced.stages, strict=True), 1):
        last = number == len(network.stages)
        if len(seen.shape) != 4 or seen.shape[2] != seen.shape[3]:
            raise ValueError(
                f"Stage {number} returns {seen.shape}, not a square grid (1, C, h, w)."
            )
        _, channels, side, _ = seen.shape
        place, has_places = seen.place, isinstance(seen.place, Field)
        if not isinstance(place, Field):  # whatever the cell, all of the image
            stride = max(1, round(resolution / side))
            place = Field(stride // 2 - resolution, 2 * resolution, stride, has_global_context=True)
        parameters = sum(p.numel() for p in module.parameters())
        if last:
            rest = (*network.pool.parameters(), *network.head.parameters())
            parameters += sum(p.numel() for p in rest)
        stages[number] = Stage(
            number=number,
            operator=_operator(module, seen.max_pooling) + (_ending(network.head) if last else ""),
            layers=len(_blocks(module)) or len(_convolutions(module)) or 1,
            channels=channels,
            input_side=input_side,
            side=side,
            stride=place.stride // stride_before,
            parameters=parameters,
            multiply_adds=seen.multiply_adds + (traced.head.multiply_adds if last else 0),
            receptive_side=place.side,
            effective_stride=place.stride,
            start=place.left + place.side / 2,
            has_global_context=place.has_global_context,
            resolution=resolution,
            has_places=has_places,
        )
        input_side, stride_before = side, place.stride
    return Structure(resolution, MappingProxyType(stages))


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


def _depthwise(module: nn.Module) -> nn.Conv2d | None:
    """The first convolution of a module that works on each channel by itself."""
    convolutions = _convolutions(module)
    return next((conv for conv in convolutions if conv.groups == conv.in_channels > 1), None)


def _blocks(stage: nn.Module) -> list[nn.Module]:
    """The building blocks of a stage, such as MBConv; none where its layers are its own."""
    if not isinstance(stage, nn.Sequential):
        return [stage] if not isinstance(stage, nn.Conv2d) and _convolutions(stage) else []
    layers = nn.Sequential | nn.Conv2d
    return [one for one in stage if not isinstance(one, layers) and _convolutions(one)]


def _operator(stage: nn.Module, max_pooling: bool) -> str:
    """In the words of Table 1; a block of another kind by the name of its class."""
    blocks, convolutions = _blocks(stage), _convolutions(stage)
    if blocks:
        within = _convolutions(blocks[0])
        depthwise = _depthwise(blocks[0])
        if depthwise is not None:
            expansion = round(depthwise.in_channels / within[0].in_channels, 2)
            return f"MBConv{expansion:g}, k{_square(depthwise)}"
        largest = max(within, key=lambda conv: conv.kernel_size)
        return f"{type(blocks[0]).__name__}, k{_square(largest)}"
    operator = f"Conv {_square(convolutions[0])}" if convolutions else type(stage).__name__
    return operator + (" & max pooling" if max_pooling else "")


def _ending(head: nn.Module) -> str:
    layers = sum(isinstance(layer, nn.Linear) for layer in head.modules())
    return " & pooling & FC" if layers == 1 else " & pooling & head"


def _square(convolution: nn.Conv2d) -> str:
    return f"{convolution.kernel_size[0]}x{convolution.kernel_size[1]}"
