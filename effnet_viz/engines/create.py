"""The fastest engine of this machine."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import torch

from effnet_viz.engines.engine import Engine
from effnet_viz.engines.network import Network
from effnet_viz.engines.openvino_engine import OpenVINOEngine
from effnet_viz.engines.torch_engine import TorchEngine

if TYPE_CHECKING:
    pass


def create(network: Network, resolution: int) -> Engine:
    """The fastest engine of this machine: PyTorch on a GPU, else OpenVINO, else PyTorch."""
    if torch.cuda.is_available():
        return TorchEngine(network, "cuda")
    if importlib.util.find_spec("openvino") is not None:
        return OpenVINOEngine(network, resolution)
    return TorchEngine(network)
