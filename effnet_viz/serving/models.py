"""The models of a server: loaded once, run in turns, dropped when memory would not do.

A shared model looks like any other to `analyse`; its engine borrows the real one for each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from effnet_viz.engines.engine import Activations, Engine
from effnet_viz.models import architectures, checkpoints, variants, weights
from effnet_viz.models.model import Model, load
from effnet_viz.serving import settings
from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import Turns

_models = SharedCache(settings.MODEL_BYTES)
_turns = Turns(settings.CONCURRENT, settings.STUCK_SECONDS)
_GRADIENTS_GRACE = 3.0
"""Seconds in which first pictures of others go before the second one of a visitor."""

_KEPT_PER_OUTPUT = 9
"""What OpenVINO keeps for its next run, in sizes of all stage outputs: measured 6 to 9."""


def _nbytes(key: str) -> int:
    """What a model takes in memory, from its structure."""
    made = architectures.of(variants.find(key))
    outputs = sum(stage.channels * stage.side**2 for stage in made.stages.values())
    # The parameters once for PyTorch and once, rearranged, for OpenVINO.
    return 4 * (2 * made.parameters + _KEPT_PER_OUTPUT * outputs)


def weights_hash(key: str, untrained: bool) -> str | None:
    """The SHA-256 of the weight file that is there now; None without one."""
    found = None if untrained else weights.verified(variants.find(key).weights)
    return found.sha256 if found else None


@contextmanager
def _borrowed(key: str, untrained: bool, sha256: str | None) -> Iterator[Model]:
    """The model with the weights of this hash. Raises WeightsError when the file is another now."""

    def make() -> Model:
        made = load(key, untrained=untrained)
        if made.weight_file is not None and made.weight_file.sha256 != sha256:
            raise weights.WeightsError(
                f"`{made.weight_file.path.name}` was replaced while it was in use. Reload the page "
                "to work with the new one."
            )
        return made

    nbytes = _nbytes(key)
    with _models.use((key, untrained, sha256), make, lambda _: nbytes, expected=nbytes) as model:
        yield model


def turn() -> AbstractContextManager[None]:
    """A turn at the cores, for work that is not a shared model's."""
    return _turns.turn()


class SharedEngine:
    """An engine that borrows the real one for every run and waits for its turn."""

    def __init__(self, model: Model, untrained: bool) -> None:
        self._key = model.entry.key
        self._untrained = untrained
        self._sha256 = model.weight_file.sha256 if model.weight_file else None
        self.name = model.engine.name
        self.head = model.engine.head

    @contextmanager
    def _running(self, grace: float = 0.0) -> Iterator[Engine]:
        """The real engine, in a turn. A model is in use while it runs, not while visitors queue."""
        weights_are = (self._key, self._untrained, self._sha256)
        with _borrowed(*weights_are):
            pass  # load it before the turn: others run meanwhile
        # Dropped while this one waited, it is loaded again within the turn. That cannot lock up:
        # loading needs no turn.
        with _turns.turn(grace=grace), _borrowed(*weights_are) as model:
            yield model.engine

    def forward(self, image: Tensor) -> Activations:
        """See engine.Engine."""
        with self._running() as engine:
            return engine.forward(image)

    def gradient(
        self, activation: NDArray[np.float32], stage: int, target: int
    ) -> NDArray[np.float32]:
        """See engine.Engine."""
        with self._running(_GRADIENTS_GRACE) as engine:
            return engine.gradient(activation, stage, target)


_shared = SharedCache(settings.MODEL_BYTES)
"""Shared models hold a linear head each (5 to 10 MB) and outlive the networks they borrow."""


def shared(key: str, *, untrained: bool) -> Model:
    """The model as all visitors share it; loaded now if it is not in memory. Raises WeightsError.

    Results made with it hold on to the linear head, not to the network.
    """

    sha256 = None if untrained else checkpoints.fetch(variants.find(key).weights).sha256

    def make() -> Model:
        with _borrowed(key, untrained, sha256) as model:
            return Model(model.entry, SharedEngine(model, untrained), model.weight_file)

    def size(model: Model) -> int:
        return model.engine.head.weight.nbytes

    return _shared.get((key, untrained, sha256), make, size)
