"""OpenVINO runs the forward pass of a network."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Activations, engine_errors, lock
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import ease_gradients, fold_batch_norms
from effnet_viz.engines.torch_engine import TorchEngine, as_activations, require_images

if TYPE_CHECKING:
    import openvino

# OpenVINO tells Google Analytics of every import and conversion, unasked, and leaves an identifier
# in the home folder. Without this package, which is hidden from it here, it does neither.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

BATCH = 16
"""Images that run at once where as many are left; the rest run one by one."""

_ADVICE = "Run this network with PyTorch instead: engines.torch_engine.TorchEngine(network)."


class OpenVINOEngine(TorchEngine):
    """OpenVINO in float32 for the forward pass, PyTorch for gradients through the tails.

    It takes the network over and folds its batch norms: use it no further. One graph for single
    images is compiled at once, another for BATCH of them when as many first come.
    Raises EngineError for a network that OpenVINO cannot convert.
    """

    def __init__(self, network: Network, resolution: int) -> None:
        import openvino
        from openvino import frontend

        super().__init__(network)
        fold_batch_norms(network, resolution)
        self._resolution = resolution
        failures = frontend.OpConversionFailure, frontend.NotImplementedFailure
        with engine_errors("the conversion to OpenVINO", _ADVICE, failures):
            self._converted = _converted(network, resolution)
            self._single = _Graph(self._converted, 1, resolution)
        self._batched: _Graph | None = None
        self._compiling = Lock()
        ease_gradients(network)
        version = openvino.get_version().split("-")[0]
        self.name = f"openvino {version} float32, gradients by torch {torch.__version__}"

    def forward(self, images: Floats) -> Activations:
        require_images(images)
        if images.shape[2] != self._resolution:
            raise ValueError(
                f"This engine is for {self._resolution} pixels a side, not {images.shape[2]}."
            )
        begin = time.perf_counter()
        x = np.ascontiguousarray(images)  # (B, 3, R, R)
        with engine_errors("the forward pass", _ADVICE):
            # OpenVINO writes into the results themselves: nothing is copied, nothing used twice.
            outputs = [np.empty((len(x), *shape), np.float32) for shape in self._single.shapes]
            done = 0
            while done < len(x):
                graph = self._batch_graph() if len(x) - done >= BATCH else self._single
                part = slice(done, done + graph.images)
                graph.run(x[part], [output[part] for output in outputs])
                done += graph.images
        return as_activations([lock(output) for output in outputs], time.perf_counter() - begin)

    def _batch_graph(self) -> _Graph:
        with self._compiling:
            if self._batched is None:
                self._batched = _Graph(self._converted, BATCH, self._resolution)
            return self._batched


class _Graph:
    """The network compiled for a fixed number of images. Safe to share between threads."""

    def __init__(self, converted: openvino.Model, images: int, resolution: int) -> None:
        import openvino

        self.images = images
        model = converted.clone()
        model.reshape([images, 3, resolution, resolution])  # unknown shapes are slow
        settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        self.shapes = [tuple(output.shape)[1:] for output in self._compiled.outputs]
        """Of the logits, then of stages 1 to n, for one image."""

    def run(self, images: Floats, outputs: Sequence[Floats]) -> None:
        """Fill the outputs, (B, ...) each, for exactly as many images as it was compiled for."""
        import openvino

        try:
            request = self._idle.get_nowait()
        except Empty:  # as many requests as threads ask at once
            request = self._compiled.create_infer_request()
        try:
            for number, output in enumerate(outputs):
                request.set_output_tensor(number, openvino.Tensor(output, shared_memory=True))
            request.infer([images], share_inputs=True)
        finally:
            self._idle.put(request)


_converting = Lock()
"""torch.export keeps the model it is at in global variables: one at a time."""


def _converted(network: Network, resolution: int) -> openvino.Model:
    """The network for any number of images."""
    import openvino

    images = torch.zeros(2, 3, resolution, resolution)  # one image would make one a constant
    number = torch.export.Dim("images")
    # With a graph, the conversion takes four times the memory.
    with _converting, torch.no_grad():
        exported = torch.export.export(
            _AllOutputs(network), (images,), dynamic_shapes={"images": {0: number}}
        )
        return openvino.convert_model(exported)


class _AllOutputs(nn.Module):
    """The network as one graph that returns the logits, then stages 1 to n."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network.forward_intermediates(images)  # n of (B, C, h, w)
        return self.network.tail(outputs[-1], len(outputs)), *outputs
