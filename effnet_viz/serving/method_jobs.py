"""What the process for slow methods does; see serving.slow_methods, which asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import MethodRefusedError
from effnet_viz.models.model import Model, load, run_here
from effnet_viz.models.weights import WeightsError

KEPT = 2
"""Models that stay loaded between two jobs."""


@lru_cache(KEPT)
def _model(key: str, weights: str) -> Model:
    """Raises WeightsError where the weights are others by now."""
    model = load(key, untrained=weights == "untrained")
    if model.id.weights != weights:
        raise WeightsError(
            f"`{model.weights_name}` was replaced while it was in use. Reload the page to work "
            "with the new one."
        )
    return model


def attribute(
    request: Mapping[str, Any], content: bytes, progress: Callable[[float], None]
) -> tuple[Mapping[str, Any], bytes]:
    """The map of a method for an image (1, 3, R, R), or why there is none."""
    progress(0)
    image = np.frombuffer(content, np.float32).reshape(request["shape"])  # (1, 3, R, R)
    try:
        values = run_here(
            _model(request["key"], request["weights"]),
            methods.find(request["method"]),
            image,
            stage=request["stage"],
            target=request["target"],
            other=request["other"],
            progress=progress,
        )
    except (MethodRefusedError, WeightsError) as error:
        return {"refused": type(error).__name__, "why": str(error)}, b""
    return {"shape": values.shape}, np.ascontiguousarray(values, np.float32).tobytes()
