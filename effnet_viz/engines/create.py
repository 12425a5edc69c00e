"""The fastest engine of this machine."""

from __future__ import annotations

import importlib.util
from contextlib import suppress

import torch

from effnet_viz.engines.conversions import ConversionError, Recipe
from effnet_viz.engines.engine import Engine
from effnet_viz.engines.network import Network
from effnet_viz.engines.torch_engine import TorchEngine


def create(network: Network, resolution: int) -> Engine:
    """The fastest engine of this machine: PyTorch on a GPU, else OpenVINO, else PyTorch."""
    if torch.cuda.is_available():
        return TorchEngine(network, "cuda")
    if importlib.util.find_spec("openvino") is not None:
        from effnet_viz.engines.openvino_engine import OpenVINOEngine

        return OpenVINOEngine(network, resolution)
    return TorchEngine(network)


def create_cached(recipe: Recipe) -> Engine:
    """The same for a network that any process can make again, from what is converted on disk."""
    if torch.cuda.is_available():
        return TorchEngine(recipe.network(), "cuda")
    if importlib.util.find_spec("openvino") is not None:
        from effnet_viz.engines.compiled import CachedEngine

        with suppress(ConversionError):
            return CachedEngine(recipe)
    return create(recipe.network(), recipe.resolution)
