"""Weight files to named tensors."""

from __future__ import annotations

from typing import Any

import torch
from safetensors.torch import load_file

from effnet_viz.models.advice import download_error, how_to_provide, package_error, what_instead
from effnet_viz.models.downloads import download, reachable
from effnet_viz.models.weights import (
    PackageFile,
    Readiness,
    TorchvisionFile,
    UserCheckpoint,
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


def obtained(weights: WeightSource) -> WeightFile:
    """A good file. An absent or damaged one of torchvision is downloaded; raises WeightsError."""
    found = verified(weights)
    if found is not None:
        return found
    if isinstance(weights, PackageFile):
        raise package_error(weights)
    if isinstance(weights, UserCheckpoint):
        raise WeightsError(how_to_provide(weights))
    arrived = download(weights)
    arrived.wait()
    found = verified_file(arrived.path)
    if found is None:
        raise download_error(weights, arrived.path, "it was changed right after it arrived")
    return found


def load_state_dict(weights: WeightSource) -> tuple[dict[str, torch.Tensor], WeightFile]:
    """The tensors by name, on the CPU, and the file they come from. Runs no code from the file.

    An absent or damaged file of torchvision is downloaded first. Raises WeightsError when there is
    no good file, or when it holds anything but named tensors.
    """
    found = obtained(weights)
    try:
        loaded: Any = (
            load_file(found.path)
            if found.path.suffix == ".safetensors"
            else torch.load(found.path, map_location="cpu", weights_only=True)
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged bytes or a refused pickle lead to
        raise WeightsError(
            f"`{found.path.name}` in `{found.path.parent}` was refused, because it holds something "
            f"other than weights. {what_instead(weights)}"
        ) from error
    if not (
        isinstance(loaded, dict)
        and loaded
        and all(isinstance(name, str) for name in loaded)
        and all(isinstance(value, torch.Tensor) for value in loaded.values())
    ):
        raise WeightsError(
            f"`{found.path.name}` in `{found.path.parent}` does not hold named tensors only, so it "
            f"is no state dict. {what_instead(weights)}"
        )
    return loaded, found
