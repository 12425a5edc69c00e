"""The fastest engine of this machine."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from effnet_viz.engines.conversions import ConversionError, Recipe
from effnet_viz.engines.engine import Engine

if TYPE_CHECKING:  # torch takes seconds, and a converted network needs none
    from effnet_viz.engines.network import Network


def create(network: Network, resolution: int) -> Engine:
    """The fastest engine of this machine: PyTorch on a GPU, else OpenVINO, else PyTorch."""
    from effnet_viz.engines.torch_engine import TorchEngine

    if _has_gpu():
        return TorchEngine(network, "cuda")
    if importlib.util.find_spec("openvino") is not None:
        from effnet_viz.engines.openvino_engine import OpenVINOEngine

        return OpenVINOEngine(network, resolution)
    return TorchEngine(network)


def create_cached(recipe: Recipe) -> Engine:
    """The same for a network that any process can make again, from what is converted on disk."""
    if importlib.util.find_spec("openvino") is not None and not _has_gpu():
        from effnet_viz.engines.compiled import CachedEngine

        with suppress(ConversionError):
            return CachedEngine(recipe)
    return create(recipe.network(), recipe.resolution)


def _has_gpu() -> bool:
    """Whether PyTorch finds a GPU. It is not asked, nor loaded, where there is no driver of one."""
    if not _has_driver():
        return False
    import torch

    return torch.cuda.is_available()


@cache
def _has_driver() -> bool:
    if Path("/dev/kfd").exists():  # AMD's
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
