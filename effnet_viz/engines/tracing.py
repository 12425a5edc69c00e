"""What a network's stages do to a grid, call by call, without weights, memory or arithmetic.

The stages run once on tensors that have a shape only. Every call of PyTorch is answered here: with
a new shape, and with the part of the image that the first cell of the grid depends on. So branches
are followed as they run, whatever the order in which a module defines its layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from effnet_viz.engines.network import Network


@dataclass(frozen=True)
class Field:
    """What the cells of a grid depend on through convolutions and poolings, along one axis.

    Cell i: the pixels from left + i · stride to left + i · stride + side.
    """

    left: int
    side: int
    stride: int
    has_global_context: bool = False
    """Whether a function of all positions came in beside, such as squeeze-and-excitation."""


@dataclass(frozen=True)
class Unplaced:
    """A tensor whose positions, if it has any, are no places in the image."""

    function: str
    """What came last before its places were lost."""


@dataclass
class StageTrace:
    """What one stage did."""

    shape: tuple[int, ...] = ()
    """Of the output for one image, (1, C, h, w); (1, classes) after the head."""
    place: Field | Unplaced = Unplaced("")
    multiply_adds: int = 0
    """Of convolutions and linear layers."""
    max_pooling: bool = False


@dataclass(frozen=True)
class Trace:
    stages: tuple[StageTrace, ...]
    head: StageTrace
    """Pooling and head."""
    normalized: tuple[tuple[Tensor, Tensor], ...]
    """Weight of a convolution and mean of the batch norm that alone reads its output, each run
    once."""


def trace(network: Network, resolution: int) -> Trace:
    """Run a network in evaluation mode on the shape of one image, (1, 3, R, R).

    Raises ValueError for kernels, strides or paddings that are not square, and for a stage that
    returns anything but a tensor.
    """
    tracer = _Tracer()
    stages = []
    x = torch.empty((1, 3, resolution, resolution), device="meta")
    tracer.place(x, Field(left=0, side=1, stride=1))
    for stage in network.stages:
        x = tracer.run(stage, x)
        stages.append(tracer.stage)
    tracer.run(lambda x: network.tail(x, len(stages)), x)
    return Trace(tuple(stages), tracer.stage, tuple(tracer.normalized()))


class _Tracer(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.stage = StageTrace()
        self._places: dict[int, tuple[Tensor, Field | Unplaced]] = {}  # holds them: ids stay unique
        self._reads: Counter[int] = Counter()
        self._convolved: dict[int, Tensor] = {}
        self._pairs: list[tuple[Tensor, Tensor, Tensor]] = []

    def run(self, module: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        self.stage = StageTrace()
        with self:
            result = module(x)
        if not isinstance(result, Tensor) or id(result) not in self._places:
            raise ValueError("A stage has to return one tensor that it computes from its input.")
        self.stage.shape = tuple(result.shape)
        self.stage.place = self._places[id(result)][1]
        self._reads[id(result)] += 1  # it is returned
        return result

    def place(self, tensor: Tensor, place: Field | Unplaced) -> Tensor:
        self._places[id(tensor)] = (tensor, place)
        return tensor

    def normalized(self) -> Iterator[tuple[Tensor, Tensor]]:
        for between, weight, mean in self._pairs:
            if all(self._reads[id(tensor)] == 1 for tensor in (between, weight, mean)):
                yield weight, mean

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        tensors = list(_tensors((args, given)))
        followed = [tensor for tensor in tensors if id(tensor) in self._places]
        name = getattr(func, "__name__", "")
        if not followed or name in _QUESTIONS:
            return func(*args, **given)
        if name == "__get__":  # a shape, or a tensor such as x.T
            return self._lost(func, args, given, "an attribute")
        for tensor in tensors:
            self._reads[id(tensor)] += 1
        overwrites = name in _OVERWRITING or bool(given.get("inplace"))
        plain = _PLAIN.get(name, name.rstrip("_"))
        method = getattr(self, f"_{plain}", None)
        if method is not None:
            result: Tensor = method(*args, **given)
        elif plain in _ELEMENTWISE:
            shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
            result = self._new(shape, self._joined(followed))
        else:
            return self._lost(func, args, given, plain)
        if not overwrites:
            return result
        self._convolved.pop(id(tensors[0]), None)
        return self.place(tensors[0], self._place(result))

    def _place(self, tensor: Tensor) -> Field | Unplaced:
        return self._places[id(tensor)][1]

    def _new(self, shape: Sequence[int], place: Field | Unplaced) -> Tensor:
        return self.place(torch.empty(tuple(shape), device="meta"), place)

    def _lost(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str
    ) -> Any:
        """Whatever else there is: it may move positions in any way."""
        result = func(*args, **kwargs)
        for tensor in _tensors(args[0] if name == "__setitem__" else result):
            self.place(tensor, Unplaced(name))
        return result

    def _joined(self, tensors: Sequence[Tensor]) -> Field | Unplaced:
        """The place of what is computed cell by cell from tensors."""
        places = [self._place(tensor) for tensor in tensors]
        fields = [place for place in places if isinstance(place, Field)]
        if not fields:
            return places[0]
        if len({field.stride for field in fields}) > 1:
            raise ValueError("Grids of different strides are joined: cells have no one place.")
        left = min(field.left for field in fields)
        return Field(
            left=left,
            side=max(field.left + field.side for field in fields) - left,
            stride=fields[0].stride,
            has_global_context=len(fields) < len(places)
            or any(field.has_global_context for field in fields),
        )

    # What moves positions: one method for each function, with the function's own parameters.

    def _conv2d(
        self,
        input: Tensor,  # noqa: A002
        weight: Tensor,
        bias: Tensor | None = None,  # noqa: ARG002
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,  # noqa: ARG002
    ) -> Tensor:
        kernel = weight.shape[2:]
        if padding == "valid":
            padding = 0
        if padding == "same":
            total = _square(dilation) * (_square(kernel) - 1)
            input = self._pad(input, (total // 2, total - total // 2) * 2)  # noqa: A001
            padding = 0
        result = self._window(input, weight.shape[0], kernel, stride, padding, dilation)
        self.stage.multiply_adds += weight.numel() * result.shape[2] * result.shape[3]
        self._convolved[id(result)] = weight
        return result

    def _max_pool2d(
        self,
        input: Tensor,  # noqa: A002
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,  # noqa: ARG002
    ) -> Tensor:
        self.stage.max_pooling = True
        step = stride or kernel_size
        channels = input.shape[1]
        return self._window(input, channels, kernel_size, step, padding, dilation, ceil_mode)

    def _avg_pool2d(
        self,
        input: Tensor,  # noqa: A002
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,  # noqa: ARG002
        divisor_override: int | None = None,  # noqa: ARG002
    ) -> Tensor:
        step = stride or kernel_size
        return self._window(input, input.shape[1], kernel_size, step, padding, 1, ceil_mode)

    def _window(
        self,
        x: Tensor,
        channels: int,
        kernel: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool = False,
    ) -> Tensor:
        """Kernel k, stride s, padding p, dilation d, on a grid of n with the field (l, r, j):

        n → (n + 2p - d (k - 1) - 1) // s + 1, l → l - p · j, r → r + d (k - 1) · j, j → j · s.
        """
        step, before = _square(stride), _square(padding)
        reach = _square(dilation) * (_square(kernel) - 1)
        sides = []
        for n in x.shape[2:]:
            more = step - 1 if ceil_mode else 0
            side = (n + 2 * before - reach - 1 + more) // step + 1
            if ceil_mode and (side - 1) * step >= n + before:  # no window begins in the padding
                side -= 1
            sides.append(side)
        place = self._place(x)
        if isinstance(place, Field):
            place = replace(
                place,
                left=place.left - before * place.stride,
                side=place.side + reach * place.stride,
                stride=place.stride * step,
            )
        return self._new((x.shape[0], channels, *sides), place)

    def _pad(self, input: Tensor, pad: Sequence[int], *_: Any, **__: Any) -> Tensor:  # noqa: A002
        before, after = pad[0], pad[1]
        if len(pad) != 4 or tuple(pad[2:]) != (before, after):
            raise ValueError(
                f"Only the same padding in both directions can be followed, not {pad}."
            )
        place = self._place(input)
        if isinstance(place, Field):
            place = replace(place, left=place.left - before * place.stride)
        sides = [n + before + after for n in input.shape[2:]]
        return self._new((*input.shape[:2], *sides), place)

    def _adaptive_avg_pool2d(self, input: Tensor, output_size: Any) -> Tensor:  # noqa: A002
        sides = (output_size,) * 2 if isinstance(output_size, int) else output_size
        place = self._place(input)
        if tuple(sides) != tuple(input.shape[2:]) or tuple(sides) == (1, 1):
            place = Unplaced("adaptive pooling")
        return self._new((*input.shape[:2], *sides), place)

    _adaptive_max_pool2d = _adaptive_avg_pool2d

    def _mean(self, input: Tensor, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:  # noqa: A002
        axes = range(input.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        over = {axis % input.ndim for axis in axes}
        kept = ((1,) if keepdim else ()) if over else ()
        shape: list[int] = []
        for axis, n in enumerate(input.shape):
            shape.extend(kept if axis in over else (n,))
        place = self._place(input) if over == {1} and keepdim else Unplaced("mean")
        return self._new(shape, place)

    _sum = _amax = _amin = _mean

    def _linear(self, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:  # noqa: A002, ARG002
        shape = (*input.shape[:-1], weight.shape[0])
        self.stage.multiply_adds += weight.numel() * (input.numel() // input.shape[-1])
        return self._new(shape, Unplaced("linear"))

    def _batch_norm(self, input: Tensor, running_mean: Tensor | None, *_: Any, **__: Any) -> Tensor:  # noqa: A002
        weight = self._convolved.get(id(input))
        if weight is not None and running_mean is not None:
            self._pairs.append((input, weight, running_mean))
        return self._new(input.shape, self._place(input))

    def _group_norm(self, input: Tensor, *_: Any, **__: Any) -> Tensor:  # noqa: A002
        place = self._place(input)  # its statistics are of all positions
        if isinstance(place, Field):
            place = replace(place, has_global_context=True)
        return self._new(input.shape, place)

    _instance_norm = _group_norm

    def _cat(self, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
        shape = list(tensors[0].shape)
        shape[dim] = sum(tensor.shape[dim] for tensor in tensors)
        place = self._joined(tensors) if dim % len(shape) == 1 else Unplaced("cat")
        return self._new(shape, place)

    def _split(self, tensor: Tensor, split: int | Sequence[int], dim: int = 0) -> list[Tensor]:
        n = tensor.shape[dim]
        sizes = [min(split, n - i) for i in range(0, n, split)] if isinstance(split, int) else split
        place = self._place(tensor) if dim % tensor.ndim == 1 else Unplaced("split")
        shape = list(tensor.shape)
        parts = []
        for size in sizes:
            shape[dim] = size
            parts.append(self._new(shape, place))
        return parts


def _square(value: Any) -> int:
    """The one number of both directions. Raises ValueError where they differ."""
    if isinstance(value, int):
        return value
    numbers = set(value)
    if len(numbers) != 1:
        raise ValueError(
            f"A kernel, stride or padding of {tuple(value)} is not square: receptive fields are "
            "only known for square ones."
        )
    return int(numbers.pop())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)


_QUESTIONS = {"size", "dim", "numel", "is_contiguous", "stride", "__len__", "__bool__", "_assert"}
"""They read a shape only."""

_ELEMENTWISE = {
    "relu", "relu6", "silu", "hardswish", "hardsigmoid", "hardtanh", "sigmoid", "tanh", "gelu",
    "mish", "elu", "selu", "celu", "leaky_relu", "prelu", "softplus", "softsign", "logsigmoid",
    "threshold", "clamp", "clip", "neg", "exp", "log", "sqrt", "rsqrt", "square", "pow", "abs",
    "add", "sub", "mul", "div", "true_divide", "maximum", "minimum", "where", "dropout",
    "dropout1d", "dropout2d", "alpha_dropout", "feature_dropout", "contiguous", "clone", "detach",
    "to", "float", "double", "half", "type_as",
}  # fmt: skip
"""Functions of each position by itself."""

_PLAIN = {
    f"__{kind}{name}__": "div" if name == "truediv" else name
    for kind in ("", "r", "i")
    for name in ("add", "sub", "mul", "truediv", "pow")
} | {"concat": "cat", "concatenate": "cat", "split_with_sizes": "split"}

_OVERWRITING = {f"{name}_" for name in _ELEMENTWISE} | {
    f"__i{name}__" for name in ("add", "sub", "mul", "truediv", "pow")
}
