"""One forward pass gives logits and every stage; one pass back through a tail gives a gradient.

Nothing is attached to the network and nothing of it changes, so threads share one without a lock.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from effnet_viz.engines.network import Network, ease_gradients, fold_batch_norms
from effnet_viz.models.zoo import STAGES

if TYPE_CHECKING:
    import openvino


@dataclass(frozen=True, eq=False)
class Activations:
    """What one image left in a network: float32 arrays, not writeable."""

    logits: NDArray[np.float32]
    """(classes,)"""
    stages: Mapping[int, NDArray[np.float32]]
    """Stage number, 1 to 9, to (C, h, w)."""
    seconds: float
    """What the forward pass took; the first one of a model takes longer."""

    @property
    def nbytes(self) -> int:
        return self.logits.nbytes + sum(stage.nbytes for stage in self.stages.values())


@dataclass(frozen=True, eq=False)
class Head:
    """The linear head: logits = weight · mean(activation of stage 9) + bias."""

    weight: NDArray[np.float32]
    """(classes, C)"""
    bias: NDArray[np.float32]
    """(classes,)"""

    def gradient(self, activation: NDArray[np.float32], target: int) -> NDArray[np.float32]:
        """d logit[target] / d activation of stage 9, (C, h, w): w_ck / (h · w) everywhere.

        What follows stage 9 is a mean and a product, so its gradient is known without running it.
        """
        weight = self.weight[target] / np.float32(activation[0].size)  # (C,)
        return np.broadcast_to(weight[:, None, None], activation.shape)  # (C, h, w)


class Engine(Protocol):
    """Something that runs one network. Safe to share between threads."""

    @property
    def name(self) -> str:
        """What runs it, for provenance."""
        ...

    @property
    def head(self) -> Head: ...

    def forward(self, image: Tensor) -> Activations:
        """Logits and all nine stages of one image (1, 3, R, R), from one forward pass."""
        ...

    def gradient(
        self, activation: NDArray[np.float32], stage: int, target: int
    ) -> NDArray[np.float32]:
        """d logit[target] / d activation, (C, h, w), for the output (C, h, w) of a stage, 1 to 9.

        The activation becomes a leaf and only the stages after it run again. The result equals the
        gradient through the whole network. After stage 9, Head.gradient needs no engine.
        """
        ...


class TorchEngine:
    """PyTorch, on the device that holds the network."""

    def __init__(self, network: Network, device: str = "cpu") -> None:
        self.network = network.to(device)
        self.device = device
        linear = network.head
        self.head = Head(_frozen(linear.weight), _frozen(linear.bias))
        self.name = f"torch {torch.__version__} on {device}"

    def forward(self, image: Tensor) -> Activations:
        begin = time.perf_counter()
        # no_grad, not inference_mode: the stages later become leaves of a graph.
        with torch.no_grad():
            outputs = self.network.activations(image.to(self.device))  # nine of (1, C, h, w)
            logits = self.network.tail(outputs[-1], len(outputs))  # (1, classes)
        arrays = [_frozen(output[0]) for output in (logits, *outputs)]
        return _activations(arrays, time.perf_counter() - begin)

    def gradient(
        self, activation: NDArray[np.float32], stage: int, target: int
    ) -> NDArray[np.float32]:
        leaf = torch.tensor(activation, device=self.device).unsqueeze(0)  # (1, C, h, w)
        leaf = leaf.contiguous(memory_format=torch.channels_last).requires_grad_()
        with torch.enable_grad():
            pooled = self.network.pooled(leaf, stage)  # (1, C')
            # One row of the head: the other 999 logits are not asked for.
            logit = pooled[0] @ self.network.head.weight[target]  # ()
            (result,) = torch.autograd.grad(logit, leaf)  # (1, C, h, w)
        return _frozen(result[0])


class OpenVINOEngine(TorchEngine):
    """OpenVINO in float32 for the forward pass, PyTorch for gradients through the tails.

    It takes the network over and folds its batch norms: use it no further.
    """

    def __init__(self, network: Network, resolution: int) -> None:
        import openvino

        super().__init__(network)
        fold_batch_norms(network)
        self._compiled = _compiled(network, resolution)
        self._shapes = [tuple(output.shape) for output in self._compiled.outputs]
        ease_gradients(network)
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        version = openvino.get_version().split("-")[0]
        self.name = f"openvino {version} float32, gradients by torch {torch.__version__}"

    def forward(self, image: Tensor) -> Activations:
        import openvino

        begin = time.perf_counter()
        try:
            request = self._idle.get_nowait()
        except Empty:  # as many requests as threads ask at once
            request = self._compiled.create_infer_request()
        # OpenVINO writes into the results themselves: nothing is copied, nothing is used twice.
        outputs = [np.empty(shape, np.float32) for shape in self._shapes]  # each (1, ...)
        try:
            for number, output in enumerate(outputs):
                request.set_output_tensor(number, openvino.Tensor(output, shared_memory=True))
            request.infer([image.numpy()], share_inputs=True)
        finally:
            self._idle.put(request)
        return _activations([_locked(output[0]) for output in outputs], time.perf_counter() - begin)


_converting = Lock()
"""torch.export keeps the model it is at in global variables: one at a time."""


def _compiled(network: Network, resolution: int) -> openvino.CompiledModel:
    import openvino

    image = torch.zeros(1, 3, resolution, resolution)  # (1, 3, R, R)
    # With a graph, the conversion takes four times the memory.
    with _converting, torch.no_grad():
        exported = torch.export.export(_AllOutputs(network), (image,))
        converted = openvino.convert_model(exported)
    converted.reshape(list(image.shape))  # the conversion forgets it, and unknown shapes are slow
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return openvino.Core().compile_model(converted, "CPU", settings)


class _AllOutputs(nn.Module):
    """The network as one graph that returns the logits, then stages 1 to 9."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network.activations(image)  # nine of (1, C, h, w)
        return self.network.tail(outputs[-1], len(outputs)), *outputs


def create(network: Network, resolution: int) -> Engine:
    """The fastest engine of this machine: PyTorch on a GPU, else OpenVINO, else PyTorch."""
    if torch.cuda.is_available():
        return TorchEngine(network, "cuda")
    if importlib.util.find_spec("openvino") is not None:
        return OpenVINOEngine(network, resolution)
    return TorchEngine(network)


def _activations(outputs: list[NDArray[np.float32]], seconds: float) -> Activations:
    logits, *stages = outputs
    return Activations(logits, MappingProxyType(dict(zip(STAGES, stages, strict=True))), seconds)


def _frozen(tensor: Tensor) -> NDArray[np.float32]:
    return _locked(tensor.detach().cpu().numpy())


def _locked(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.flags.writeable = False
    return array
