"""The methods of libraries, in a process that can be ended, one job at a time for all visitors.

They attach hooks to their network, take up to a minute, and some cannot be stopped from inside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import Method, MethodRefusedError
from effnet_viz.models.model import Model
from effnet_viz.models.weights import WeightsError
from effnet_viz.processes import LimitError
from effnet_viz.serving import settings, telemetry
from effnet_viz.serving.queue import CapacityLimiter
from effnet_viz.worker import Worker

_worker = Worker("effnet_viz.serving.method_jobs", settings.METHOD_BYTES)
_limiter = telemetry.queues["methods"] = CapacityLimiter(1, settings.METHOD_SECONDS)


def run_in_worker(
    model: Model,
    method: Method,
    image: Floats,
    *,
    stage: int,
    target: int,
    other: int,
    progress: Callable[[float], None],
) -> Floats:
    """The map of a model of the zoo; see models.model.MethodRunner.

    Raises MethodRefusedError, also where it takes too long, WeightsError and MemoryError.
    """
    request = {
        "key": model.id.key,
        "weights": model.id.weights,
        "method": method.key,
        "shape": image.shape,
        "stage": stage,
        "target": target,
        "other": other,
    }
    with _limiter.turn():
        try:
            told, content = _worker.run(
                "attribute",
                request,
                np.ascontiguousarray(image, np.float32).tobytes(),
                seconds=settings.METHOD_SECONDS,
                progress=progress,
            )
        except LimitError:
            raise MethodRefusedError(
                f"{method.title} takes longer than {settings.METHOD_SECONDS:.0f} seconds on this "
                "network here. Choose a smaller network or a quicker method."
            ) from None
    if "refused" in told:
        kind = WeightsError if told["refused"] == WeightsError.__name__ else MethodRefusedError
        raise kind(told["why"])
    return np.frombuffer(content, np.float32).reshape(told["shape"])


def process_id() -> int | None:
    """Of the process, while it runs."""
    return _worker.process_id


def close() -> None:
    """Ends the process; the next job starts another."""
    _worker.close()
