"""OpenVINO runs the forward pass of a network that is converted here."""

from __future__ import annotations

from threading import Lock

import openvino
import torch
from openvino import frontend
from torch import Tensor, nn

from effnet_viz.arrays import Floats
from effnet_viz.engines.compiled import ADVICE, ForwardPass, compile_for, name
from effnet_viz.engines.engine import Activations, engine_errors
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import ease_gradients, fold_batch_norms
from effnet_viz.engines.torch_engine import TorchEngine


class OpenVINOEngine(TorchEngine):
    """OpenVINO in float32 for the forward pass, PyTorch for gradients through the tails.

    It takes the network over and folds its batch norms: use it no further. One graph for single
    images is compiled at once, another for BATCH of them when as many first come.
    Raises EngineError for a network that OpenVINO cannot convert.
    """

    def __init__(self, network: Network, resolution: int) -> None:
        super().__init__(network)
        fold_batch_norms(network, resolution)
        failures = frontend.OpConversionFailure, frontend.NotImplementedFailure
        with engine_errors("the conversion to OpenVINO", ADVICE, failures):
            forward = converted(network, resolution)
            single = compile_for(forward, 1, resolution)
        self._forward = ForwardPass(lambda: forward, resolution, single)
        ease_gradients(network)
        self.name = f"{name()}, gradients by torch {torch.__version__}"

    def forward(self, images: Floats) -> Activations:
        return self._forward(images)


_converting = Lock()
"""torch.export keeps the model it is at in global variables: one at a time."""


def converted(network: Network, resolution: int) -> openvino.Model:
    """The forward pass of a network for any number of images: logits, then stages 1 to n."""
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
