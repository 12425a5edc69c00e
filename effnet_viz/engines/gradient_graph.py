"""Forward and backward as one graph: every stage's Grad-CAM for a class that is an input.

torch traces both passes into a graph that needs no autograd. The gradient of a convolution with
respect to its input becomes a plain convolution with flipped kernels, with a stride a transposed
one. Each has kernels of its own: where a convolution and a transposed one share theirs, OpenVINO
2026.4 takes what it has rearranged for the one in the other (tests/engines/test_gradient_graph.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx
from torch._decomp import core_aten_decompositions
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from effnet_viz.engines.network import Network

if TYPE_CHECKING:
    import openvino

_CONVOLUTION = torch.ops.aten.convolution.default
_SLICE = torch.ops.aten.slice.Tensor
_BACKWARD = torch.ops.aten.convolution_backward.default


def trace_gradients(network: Network, shape: tuple[int, ...], first: int) -> fx.GraphModule:
    """A graph for the output (B, C', h', w') of stage `first` - 1, for images where that is 0.

    Inputs: that, of this shape, and (B, classes), 1 at the class of each image, else 0. Outputs:
    logits (B, classes); then for each stage from `first` on what `explained` gives. The network has
    no batch norms (they are folded) and nothing in place. It is not changed.
    Raises RuntimeError for a network that cannot be traced.
    """
    parameter = next(network.parameters())
    x = torch.zeros(shape, device=parameter.device)
    with torch.no_grad():
        classes = network.tail(x[:1], first - 1).shape[1]
    rows = torch.zeros(shape[0], classes, device=parameter.device)

    def forward_and_back(x: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        return explained(network, x, rows, first)

    with torch.enable_grad():
        traced = _traced(forward_and_back, x, rows)
    # Apart, for autograd cannot be traced without what libraries do in place.
    traced = _traced(functionalize(traced, remove="mutations_and_views"), x, rows)
    for node in list(traced.graph.nodes):
        if node.target is _BACKWARD:
            _as_convolution(traced, node)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


def as_openvino(traced: fx.GraphModule) -> openvino.Model:
    """A traced graph as OpenVINO has it, for the shapes that it was traced with.

    Its decoder reads the graph as it is. On the usual way, by torch.export, what is decomposed here
    is decomposed once more, which takes four to nine times as long.
    Raises what OpenVINO raises for a step that it cannot convert.
    """
    import openvino
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder

    with torch.no_grad():
        return openvino.convert_model(TorchFXPythonDecoder(traced))


def peak_bytes(traced: fx.GraphModule) -> int:
    """The most that values of a graph take at one time when each is dropped after its last use.

    Constants do not count. An engine that puts steps together needs less.
    """
    nodes = list(traced.graph.nodes)
    last = {used: place for place, node in enumerate(nodes) for used in node.all_input_nodes}
    dropped: dict[int, list[fx.Node]] = {}
    for node, place in last.items():
        dropped.setdefault(place, []).append(node)
    held = most = 0
    for place, node in enumerate(nodes):
        if node.op != "get_attr":
            held += _nbytes(node)
            most = max(most, held)
        held -= sum(_nbytes(used) for used in dropped.get(place, []) if used.op != "get_attr")
    return most


def _nbytes(node: fx.Node) -> int:
    value = node.meta.get("val")
    return value.numel() * value.element_size() if isinstance(value, Tensor) else 0


def _traced(function: Callable[..., Any], *arguments: Tensor) -> fx.GraphModule:
    traced: fx.GraphModule = make_fx(
        function,
        decomposition_table=dict(core_aten_decompositions()),
        tracing_mode="fake",  # shapes only: nothing is computed, no activation kept
        _allow_non_fake_inputs=True,
    )(*arguments)
    return traced


def explained(network: Network, x: Tensor, rows: Tensor, first: int) -> tuple[Tensor, ...]:
    """One pass forward and one back from the output of stage `first` - 1, 0 for images.

    `rows` (B, classes) has 1 at the class of each image. Returns the logits (B, classes); then for
    every stage from `first` on, of its output A (B, C, h, w) and the gradient G of the classes'
    logits: Grad-CAM Σ_k (Σ G_k) A_k (B, h, w), see attribution.cam; α, the mean of G over
    positions (B, C); Σ G · A over positions (B, C); and Σ G · A over channels (B, h, w).
    """
    outputs = []
    x = x.detach().requires_grad_()
    for stage in network.stages[first - 1 :]:
        x = stage(x)  # (B, C, h, w)
        outputs.append(x)
    logits = network.tail(x, len(network.stages))  # (B, classes)
    gradients = torch.autograd.grad((logits * rows).sum(), outputs)  # (B, C, h, w) each
    result = [logits]
    for activation, gradient in zip(outputs, gradients, strict=True):
        total = gradient.sum((2, 3))  # (B, C)
        cells = activation.shape[2] * activation.shape[3]
        products = activation * gradient  # (B, C, h, w)
        result += [
            (activation * total[:, :, None, None]).sum(1),  # (B, h, w)
            total / cells,  # (B, C)
            products.sum((2, 3)),  # (B, C)
            products.sum(1),  # (B, h, w)
        ]
    return tuple(result)


def _as_convolution(traced: fx.GraphModule, node: fx.Node) -> None:
    """Put a convolution in the place of the gradient of one with respect to its input.

    A plain one where it has no stride, else a transposed one.
    """
    arguments: tuple[Any, ...] = node.args
    gradient, x, weight, _, stride, padding, dilation, transposed, _, groups, wanted = arguments
    if transposed or wanted != [True, False, False] or list(dilation) != [1, 1]:
        raise RuntimeError(f"The gradient {node.name} is not that of a convolution's input.")
    kernel, sides, wide = _shape(weight)[2:], _shape(x)[2:], _shape(gradient)[2:]
    own = f"kernels_{node.name}"
    with traced.graph.inserting_before(node):
        if list(stride) != [1, 1]:
            traced.register_buffer(own, _tensor(traced, weight).detach().clone())
            # Rows and columns at the end that no cell has seen.
            rest = [
                sides[i] - ((wide[i] - 1) * stride[i] - 2 * padding[i] + kernel[i]) for i in (0, 1)
            ]
            new = traced.graph.call_function(
                _CONVOLUTION,
                (gradient, traced.graph.get_attr(own), None, stride, padding, [1, 1], True, rest,
                 groups),
            )  # fmt: skip
        else:
            traced.register_buffer(own, _flipped(_tensor(traced, weight), groups))
            # As many zeros around it as make the result as large as the input was, or larger.
            before = [side - 1 - pad for side, pad in zip(kernel, padding, strict=True)]
            after = [sides[i] + kernel[i] - 1 - before[i] - wide[i] for i in (0, 1)]
            around = [max(pair) for pair in zip(before, after, strict=True)]
            new = traced.graph.call_function(
                _CONVOLUTION,
                (gradient, traced.graph.get_attr(own), None, [1, 1], around, [1, 1], False, [0, 0],
                 groups),
            )  # fmt: skip
            for axis in (0, 1):
                first = around[axis] - before[axis]
                if before[axis] != after[axis]:
                    new = traced.graph.call_function(
                        _SLICE, (new, axis + 2, first, first + sides[axis])
                    )
    new.meta["val"] = x.meta["val"]
    for user in list(node.users):  # each takes one of three gradients, and only the first is there
        user.replace_all_uses_with(new)
        traced.graph.erase_node(user)
    traced.graph.erase_node(node)


def _flipped(weight: Tensor, groups: int) -> Tensor:
    """Kernels (C', C / groups, k, k) turned by half a turn, in and out exchanged in each group."""
    out, into = weight.shape[:2]
    grouped = weight.detach().reshape(groups, out // groups, into, *weight.shape[2:])
    exchanged = grouped.transpose(1, 2).reshape(groups * into, out // groups, *weight.shape[2:])
    return exchanged.flip(2, 3).contiguous()  # (C, C' / groups, k, k)


def _tensor(traced: fx.GraphModule, node: Any) -> Tensor:
    found = traced
    for name in node.target.split("."):
        found = getattr(found, name)
    assert isinstance(found, Tensor)
    return found


def _shape(node: Any) -> tuple[int, ...]:
    value = node.meta.get("val")
    assert isinstance(value, Tensor)
    return tuple(value.shape)
