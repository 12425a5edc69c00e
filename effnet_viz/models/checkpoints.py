"""Weight files to named tensors."""

from __future__ import annotations

from typing import Any

import torch
from safetensors.torch import load_file

from effnet_viz.models import advice
from effnet_viz.models.downloads import download, reachable
from effnet_viz.models.weights import (
    Readiness,
    TorchvisionFile,
    WeightFile,
    WeightsError,
    WeightSource,
    verified,
    verified_file,
)
from effnet_viz.models.zoo import ModelEntry


def readiness(entry: ModelEntry) -> Readiness:
    """Whether the model's weights are here, could be downloaded, or neither."""
    if verified(entry.weights) is not None:
        return Readiness.READY
    if isinstance(entry.weights, TorchvisionFile) and reachable(entry.weights.url):
        return Readiness.DOWNLOADABLE
    return Readiness.UNREACHABLE


def fetch(weights: WeightSource) -> WeightFile:
    """A good file. An absent or damaged one of torchvision is downloaded; raises WeightsError."""
    found = verified(weights)
    if found is not None:
        return found
    if not isinstance(weights, TorchvisionFile):
        raise WeightsError(advice.missing(weights))
    arrived = download(weights)
    arrived.wait()
    found = verified_file(arrived.path)
    if found is None:
        raise WeightsError(advice.missing(weights, "it was changed right after it arrived"))
    return found


def load_state_dict(weights: WeightSource) -> tuple[dict[str, torch.Tensor], WeightFile]:
    """The tensors by name, on the CPU, and the file they come from. Runs no code from the file.

    An absent or damaged file of torchvision is downloaded first. Raises WeightsError when there is
    no good file, or when it holds anything but named tensors.
    """
    found = fetch(weights)
    try:
        loaded: Any = (
            load_file(found.path)
            if found.path.suffix == ".safetensors"
            else torch.load(found.path, map_location="cpu", weights_only=True)
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged bytes or a refused pickle lead to
        refused = "was refused, because it holds something other than weights"
        raise WeightsError(advice.unusable(weights, found.path, refused)) from error
    if not (
        isinstance(loaded, dict)
        and loaded
        and all(isinstance(name, str) for name in loaded)
        and all(isinstance(value, torch.Tensor) for value in loaded.values())
    ):
        no_state_dict = "does not hold named tensors only, so it is no state dict"
        raise WeightsError(advice.unusable(weights, found.path, no_state_dict))
    return loaded, found
