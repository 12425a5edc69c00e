"""What the process for slow methods does; see serving.slow_methods, which asks for it.

Every request names a model and comes with an image (1, 3, R, R). A checkpoint that a visitor has
opened is handed over first: where this process lacks it, the answer says so.
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
from effnet_viz.models import held, recognition
from effnet_viz.models.held import Checkpoint
from effnet_viz.models.identity import ModelId
from effnet_viz.models.model import Model, load_exactly, run_here
from effnet_viz.models.weights import WeightsError
from effnet_viz.worker import Progress

KEPT = 2
"""Models that stay loaded between two jobs."""

Told = Mapping[str, Any]


_kept = lru_cache(KEPT)(load_exactly)


class _LackingError(WeightsError):
    """A checkpoint that has to be handed over first; the message is its key."""


def _model(request: Told) -> Model:
    """Raises WeightsError where the weights are others by now, or lacking."""
    key: str = request["key"]
    if key.startswith(held.PREFIX):
        key = key.partition("-r")[0]  # at any resolution
        if not held.is_held(key):
            raise _LackingError(key)
    return _kept(ModelId(request["key"], request["weights"]))


def take_checkpoint(request: Told, content: bytes, progress: Progress) -> tuple[Told, bytes]:
    """Holds a checkpoint that a visitor has opened, in place of the one before."""
    progress(0)
    _let_go()
    entry = recognition.read_checkpoint(request["filename"], content)
    held.hold(Checkpoint(recognition.labelled(entry, tuple(request["labels"])), content))
    return _answer({}, [])


def forget_checkpoint(request: Told, _: bytes, progress: Progress) -> tuple[Told, bytes]:
    """Lets go of it, if it is still the one that is held."""
    progress(0)
    if held.is_held(request["key"]):
        _let_go()
    return _answer({}, [])


def _let_go() -> None:
    held.release_all()
    _kept.cache_clear()


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
    if isinstance(error, _LackingError):
        return {"lacks": str(error)}, b""
    return {"refused": type(error).__name__, "why": str(error)}, b""


def _answer(told: Told, arrays: Sequence[Floats]) -> tuple[Told, bytes]:
    """The arrays one behind the other, and their shapes."""
    content = b"".join(np.ascontiguousarray(array, np.float32).tobytes() for array in arrays)
    return {**told, "shapes": [array.shape for array in arrays]}, content
