"""The models of a server: loaded once, run in turns, dropped when memory would not do.

A shared model looks like any other to `analyse`; its engine borrows the real one for each run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Activations, Engine, StageEvidence
from effnet_viz.engines.structure import Structure
from effnet_viz.models import fetching
from effnet_viz.models.identity import ModelId, id_of
from effnet_viz.models.model import Model, load_exactly
from effnet_viz.models.structures import structure_of
from effnet_viz.models.variants import ModelRef, find
from effnet_viz.serving import settings, telemetry
from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import CapacityLimiter
from effnet_viz.serving.slow_methods import run_in_worker

_models = telemetry.caches["models"] = SharedCache(settings.MODEL_BYTES)
_limiter = CapacityLimiter(settings.CONCURRENT, settings.STUCK_SECONDS)
telemetry.queues["networks"] = _limiter
_GRADIENTS_GRACE = 3.0
"""Seconds in which first pictures of others go before the second one of a visitor."""

_KEPT_PER_OUTPUT = 9
"""What OpenVINO keeps for its next run, in sizes of all stage outputs: measured 6 to 9."""


def _nbytes(structure: Structure) -> int:
    """What a model takes in memory."""
    outputs = sum(stage.channels * stage.side**2 for stage in structure.stages.values())
    # The parameters once for PyTorch and once, rearranged, for OpenVINO.
    return 4 * (2 * structure.parameters + _KEPT_PER_OUTPUT * outputs)


@contextmanager
def _checkout(model_id: ModelId) -> Iterator[Model]:
    """The model with the weights of this hash. Raises WeightsError when the file is another now."""

    nbytes = _nbytes(structure_of(find(model_id.key)))
    with _models.use(
        model_id, lambda: load_exactly(model_id), lambda _: nbytes, expected=nbytes
    ) as model:
        yield model


def turn() -> AbstractContextManager[None]:
    """A turn at the cores, for work that is not a shared model's."""
    return _limiter.turn()


class SharedEngine:
    """An engine that borrows the real one for every run and waits for its turn."""

    def __init__(self, model: Model) -> None:
        self._model_id = model.id
        self.name = model.engine.name
        self.head = model.engine.head

    @contextmanager
    def _running(self, grace: float = 0.0) -> Iterator[Engine]:
        """The real engine, in a turn. A model is in use while it runs, not while visitors queue."""
        with _checkout(self._model_id):
            pass  # load it before the turn: others run meanwhile
        # Dropped while this one waited, it is loaded again within the turn. That cannot lock up:
        # loading needs no turn.
        with _limiter.turn(grace=grace), _checkout(self._model_id) as model:
            yield model.engine

    def forward(self, images: Floats) -> Activations:
        """See engine.Engine."""
        with self._running() as engine:
            return engine.forward(images)

    def explain(
        self, images: Floats, activations: Activations, targets: Sequence[int]
    ) -> Mapping[int, StageEvidence]:
        """See engine.Engine."""
        with self._running(_GRADIENTS_GRACE) as engine:
            return engine.explain(images, activations, targets)

    def gradient(self, activation: Floats, stage: int, targets: Sequence[int]) -> Floats:
        """See engine.Engine."""
        with self._running(_GRADIENTS_GRACE) as engine:
            return engine.gradient(activation, stage, targets)


_shared = SharedCache(settings.MODEL_BYTES)
"""Shared models hold a linear head each (5 to 10 MB) and outlive the networks they borrow."""


def get_model(ref: ModelRef) -> Model:
    """The model as all visitors share it; loaded now if it is not in memory. Raises WeightsError.

    Results made with it hold on to the linear head, not to the network.
    """
    entry = ref.entry
    model_id = id_of(entry, None if ref.untrained else fetching.fetch(entry))

    def make() -> Model:
        with _checkout(model_id) as model:
            return dataclasses.replace(model, engine=SharedEngine(model), runner=run_in_worker)

    def size(model: Model) -> int:
        return model.engine.head.weight.nbytes if model.engine.head else 0

    return _shared.get(model_id, make, size)


def forget(key: str) -> None:
    """Drops the model with this key, whatever its weights, unless it runs right now."""
    for kept in (_shared, _models):
        kept.forget(key)
