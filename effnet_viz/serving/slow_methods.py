"""The methods of libraries, in a process that can be ended, one job at a time for all visitors.

They attach hooks to their network, take up to a minute, and some cannot be stopped from inside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np

from effnet_viz.analysis.randomization import Cascade
from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import Method, MethodRefusedError, Question
from effnet_viz.models import held
from effnet_viz.models.model import Model
from effnet_viz.models.weights import HeldFile, WeightsError
from effnet_viz.processes import JobError, LimitError
from effnet_viz.serving import settings, telemetry
from effnet_viz.serving.queue import CapacityLimiter
from effnet_viz.worker import Worker

_worker = Worker("effnet_viz.serving.method_jobs", settings.METHOD_BYTES)
_limiter = telemetry.queues["methods"] = CapacityLimiter(1, settings.METHOD_SECONDS)


def run_in_worker(
    model: Model,
    method: Method,
    image: Floats,
    question: Question,
    *,
    progress: Callable[[float], None],
) -> Floats:
    """The map of a model of the zoo; see models.model.MethodRunner.

    Raises MethodRefusedError, also where it takes too long, WeightsError and MemoryError.
    """
    asked = {"method": method.key, "question": vars(question)}
    _, [values] = _run("attribute", method.title, model, image, asked, progress)
    return values


def load_in_worker(model: Model, progress: Callable[[float], None]) -> None:
    """Starts the process where there is none, and loads a model of the zoo there.

    What follows then takes what it takes. Raises what run_in_worker raises.
    """
    nothing = np.zeros((0, 3, 1, 1), np.float32)
    _run("load_model", model.card.title, model, nothing, {}, progress)


def run_cascade_in_worker(
    model: Model,
    methods: Sequence[Method],
    image: Floats,
    question: Question,
    *,
    seed: int,
    progress: Callable[[float], None],
) -> Cascade:
    """The maps of a model of the zoo; see analysis.randomization.CascadeRunner.

    Raises MethodRefusedError where it takes too long, WeightsError and MemoryError.
    """
    asked = {
        "methods": [method.key for method in methods],
        "question": vars(question),
        "seed": seed,
    }
    told, maps = _run("cascade", "The sanity check", model, image, asked, progress)
    return Cascade(
        tuple(told["probabilities"]),
        MappingProxyType(dict(zip(told["methods"], maps, strict=True))),
        MappingProxyType(told["reasons"]),
    )


def _run(
    job: str,
    title: str,
    model: Model,
    image: Floats,
    asked: Mapping[str, Any],
    progress: Callable[[float], None],
) -> tuple[Mapping[str, Any], list[Floats]]:
    """The answer of a job of serving.method_jobs, and its arrays, not writeable.

    Raises MethodRefusedError, WeightsError and MemoryError.
    """
    request = {
        "key": model.id.key,
        "weights": model.id.weights,
        "shape": image.shape,
        **asked,
    }
    pixels = np.ascontiguousarray(image, np.float32).tobytes()
    with _limiter.turn():
        try:
            told, content = _ask(job, request, pixels, progress)
            if "lacks" in told:
                _hand_over(told["lacks"], progress)
                told, content = _ask(job, request, pixels, progress)
        except LimitError:
            raise MethodRefusedError(
                f"{title} takes longer than {settings.METHOD_SECONDS:.0f} seconds on this "
                "network here. Choose a smaller network or a quicker method."
            ) from None
    if "lacks" in told:
        raise JobError("The process that runs slow jobs was ended while it began. Try again.")
    if "refused" in told:
        kind = WeightsError if told["refused"] == WeightsError.__name__ else MethodRefusedError
        raise kind(told["why"])
    values = np.frombuffer(content, np.float32)
    ends = list(accumulate(prod(shape) for shape in told["shapes"]))
    arrays = np.split(values, ends[:-1]) if ends else []
    return told, [array.reshape(shape) for array, shape in zip(arrays, told["shapes"], strict=True)]


def _ask(
    job: str, request: Mapping[str, Any], content: bytes, progress: Callable[[float], None]
) -> tuple[Mapping[str, Any], bytes]:
    return _worker.run(job, request, content, seconds=settings.METHOD_SECONDS, progress=progress)


def _hand_over(key: str, progress: Callable[[float], None]) -> None:
    """A checkpoint that a visitor has opened: the process finds no file of it."""
    entry, data = held.find(key)
    assert isinstance(entry.weights, HeldFile)
    request = {"filename": entry.weights.filename, "labels": entry.labels}
    _handed_over.add(key)
    _ask("take_checkpoint", request, data, progress)


_handed_over: set[str] = set()


def forget(key: str) -> None:
    """The process lets go of an opened checkpoint, when it has done what it does."""
    if key in _handed_over:
        _handed_over.discard(key)
        threading.Thread(target=_take_back, args=(key,), daemon=True).start()


def _take_back(key: str) -> None:
    with _limiter.turn(), suppress(JobError, LimitError):  # a process that has ended has nothing
        if process_id() is not None:
            _ask("forget_checkpoint", {"key": key}, b"", lambda _: None)


def process_id() -> int | None:
    """Of the process, while it runs."""
    return _worker.process_id


def close() -> None:
    """Ends the process; the next job starts another."""
    _worker.close()
