"""Model: an entry of the zoo, an engine that runs its network, and the weights in it."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz import engine, network, weights, zoo

UNTRAINED = "untrained (random, seed 0)"
"""What stands wherever weights are named when there are none."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network that is ready to look at images. Safe to share between threads."""

    entry: zoo.ModelEntry
    engine: engine.Engine
    weight_file: weights.WeightFile | None
    """The verified file the weights came from; None: untrained."""

    @property
    def trained(self) -> bool:
        return self.weight_file is not None

    @property
    def weights_name(self) -> str:
        """File name of the weights, or that the network is untrained."""
        return self.weight_file.path.name if self.weight_file else UNTRAINED


def load(key: str, *, untrained: bool = False) -> Model:
    """The model with this key; a missing official weight file is downloaded first.

    `untrained=True` takes the architecture with random weights, the same every time.
    Raises UnknownModelError, which lists the choices, and WeightsError, which says why weights are
    missing and what to do.
    """
    entry = zoo.find(key)
    state, weight_file = (None, None) if untrained else weights.load_state_dict(entry.weights)
    built = network.build(entry, state)
    return Model(entry, engine.create(built, entry.resolution), weight_file)
