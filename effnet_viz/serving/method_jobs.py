"""What the process for slow methods does; see serving.slow_methods, which asks for it.

Every request names a model of the zoo and comes with an image (1, 3, R, R).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from effnet_viz.analysis.randomization import run_cascade
from effnet_viz.arrays import Floats
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import MethodRefusedError, Question
from effnet_viz.models.model import Model, ModelId, load_exactly, run_here
from effnet_viz.models.weights import WeightsError
from effnet_viz.worker import Progress

KEPT = 2
"""Models that stay loaded between two jobs."""

Told = Mapping[str, Any]


_kept = lru_cache(KEPT)(load_exactly)


def _model(request: Told) -> Model:
    """Raises WeightsError where the weights are others by now."""
    return _kept(ModelId(request["key"], request["weights"]))


def load_model(request: Told, _: bytes, progress: Progress) -> tuple[Told, bytes]:
    """A model and the libraries, for what comes next."""
    progress(0)
    for name in ("captum_methods", "grad_cam_methods"):
        import_module(f"effnet_viz.attribution.{name}")
    try:
        _model(request)
    except WeightsError as error:
        return _refusal(error)
    return _answer({}, [])


def attribute(request: Told, content: bytes, progress: Progress) -> tuple[Told, bytes]:
    """The map of a method, or why there is none."""
    progress(0)
    try:
        values = run_here(
            _model(request),
            methods.find(request["method"]),
            _image(request, content),
            Question(**request["question"]),
            progress=progress,
        )
    except (MethodRefusedError, WeightsError) as error:
        return _refusal(error)
    return _answer({}, [values])


def cascade(request: Told, content: bytes, progress: Progress) -> tuple[Told, bytes]:
    """The maps of methods while the network becomes random, or why there are none."""
    progress(0)
    try:
        made = run_cascade(
            _model(request),
            [methods.find(key) for key in request["methods"]],
            _image(request, content),
            Question(**request["question"]),
            seed=request["seed"],
            progress=progress,
        )
    except WeightsError as error:
        return _refusal(error)
    told = {
        "probabilities": made.probabilities,
        "methods": tuple(made.maps),
        "reasons": dict(made.refused),
    }
    return _answer(told, list(made.maps.values()))


def _image(request: Told, content: bytes) -> Floats:
    return np.frombuffer(content, np.float32).reshape(request["shape"])  # (1, 3, R, R)


def _refusal(error: Exception) -> tuple[Told, bytes]:
    return {"refused": type(error).__name__, "why": str(error)}, b""


def _answer(told: Told, arrays: Sequence[Floats]) -> tuple[Told, bytes]:
    """The arrays one behind the other, and their shapes."""
    content = b"".join(np.ascontiguousarray(array, np.float32).tobytes() for array in arrays)
    return {**told, "shapes": [array.shape for array in arrays]}, content
