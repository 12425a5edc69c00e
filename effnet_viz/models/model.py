"""Model: an entry of the zoo, an engine that runs its network, and the weights in it."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.engines import engine
from effnet_viz.engines.create import create
from effnet_viz.models import architectures, checkpoints, variants, weights, zoo

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


def load(key: str, *, resolution: int | None = None, untrained: bool = False) -> Model:
    """The model with this key; a missing official weight file is downloaded first.

    `resolution` takes the same weights at another input size, in pixels: load("b0",
    resolution=448) is load("b0-r448"). `untrained=True` takes the architecture with random weights,
    the same every time.
    Raises UnknownModelError, which lists the choices, VariantError for a resolution that cannot be
    had, and WeightsError, which says why weights are missing and what to do.
    """
    entry = variants.find(key)
    if resolution is not None:
        entry = variants.variant(
            entry.base or key, width=entry.width, depth=entry.depth, resolution=resolution
        )
    state, weight_file = (None, None) if untrained else checkpoints.load_state_dict(entry.weights)
    try:
        built = architectures.build(entry, state)
    except ValueError as error:
        raise weights.WeightsError(str(error)) from error
    return Model(entry, create(built, entry.resolution), weight_file)


def build(
    *, width: float = 1.0, depth: float = 1.0, resolution: int | None = None, base: str = "b0"
) -> Model:
    """An untrained network at any scale: multipliers of width and depth, resolution in pixels.

    `base` is b0 or lite0; `resolution` None takes the base's. Its predictions and maps mean
    nothing, and every result says so. Raises UnknownModelError and VariantError.
    """
    entry = variants.variant(base, width=width, depth=depth, resolution=resolution)
    return load(entry.key, untrained=True)
