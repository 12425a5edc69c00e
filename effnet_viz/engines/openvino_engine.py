"""OpenVINO runs the forward pass of a network."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Activations, lock
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import ease_gradients, fold_batch_norms
from effnet_viz.engines.torch_engine import TorchEngine, as_activations, require_images

if TYPE_CHECKING:
    import openvino


class OpenVINOEngine(TorchEngine):
    """OpenVINO in float32 for the forward pass, PyTorch for gradients through the tails.

    It takes the network over and folds its batch norms: use it no further.
    """

    def __init__(self, network: Network, resolution: int) -> None:
        import openvino

        super().__init__(network)
        fold_batch_norms(network, resolution)
        self._compiled = _compiled(network, resolution)
        self._shapes = [tuple(output.shape) for output in self._compiled.outputs]
        ease_gradients(network)
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        version = openvino.get_version().split("-")[0]
        self.name = f"openvino {version} float32, gradients by torch {torch.__version__}"

    def forward(self, images: Floats) -> Activations:
        import openvino

        require_images(images)
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
            request.infer([images], share_inputs=True)
        finally:
            self._idle.put(request)
        return as_activations([lock(output) for output in outputs], time.perf_counter() - begin)


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
    """The network as one graph that returns the logits, then stages 1 to n."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network.forward_intermediates(image)  # n of (1, C, h, w)
        return self.network.tail(outputs[-1], len(outputs)), *outputs
