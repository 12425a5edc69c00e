"""Model: a network with its classes, preprocessing, structure and provenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import Method, Question, Task
from effnet_viz.engines.conversions import Recipe
from effnet_viz.engines.create import create, create_cached
from effnet_viz.engines.engine import Engine, memory_errors
from effnet_viz.engines.structure import Structure
from effnet_viz.images.preprocessing import Preprocessing
from effnet_viz.models import fetching, own, variants, zoo
from effnet_viz.models.classes import Classes, imagenet
from effnet_viz.models.identity import ModelId, id_of
from effnet_viz.models.structures import structure_of
from effnet_viz.models.weights import HeldFile, WeightFile, WeightsError
from effnet_viz.models.zoo import ModelCard, ModelEntry

if TYPE_CHECKING:  # torch takes seconds, and a converted network needs none
    from effnet_viz.engines.network import Network

UNTRAINED = "untrained (random, seed 0)"
"""What stands where weights are named when an entry of the zoo has none."""


class MethodRunner(Protocol):
    """Something that runs the method of a library on an image."""

    def __call__(
        self,
        model: Model,
        method: Method,
        image: Floats,
        question: Question,
        *,
        progress: Callable[[float], None],
    ) -> Floats:
        """The map of an image (1, 3, R, R), (h, w), raw and signed; see Method.run."""
        ...


def run_here(
    model: Model,
    method: Method,
    image: Floats,
    question: Question,
    *,
    progress: Callable[[float], None],
) -> Floats:
    """In this process, on a private copy of the network. Raises MethodRefusedError."""
    import torch

    task = Task(
        network=model.module(),
        image=torch.tensor(image),
        **vars(question),
        forward=lambda images: model.engine.forward(images).logits,
        progress=progress,
    )
    return method.run(task)


@dataclass(frozen=True, eq=False)
class Model:
    """A network that is ready to look at images, whatever it came from. Threads may share it."""

    id: ModelId
    card: ModelCard
    classes: Classes
    preprocessing: Preprocessing
    engine: Engine
    structure: Structure
    """Its own stages, 1 to as many as it has."""
    weights_name: str
    """File name of the weights, or that the network is untrained."""
    _module: Callable[[], Network] = field(repr=False)
    runner: MethodRunner = field(default=run_here, repr=False)
    """What runs the methods of libraries: a server has a process for them."""

    @property
    def trained(self) -> bool:
        return not self.id.weights.startswith("untrained")

    @property
    def name(self) -> str:
        """Its key, and whether it is untrained."""
        return self.id.key + ("" if self.trained else " (untrained)")

    @property
    def last_stage(self) -> int:
        return self.structure.last

    def module(self) -> Network:
        """A fresh, private copy, nothing folded, for libraries that attach hooks.

        `module(images)` gives logits (B, classes); `module.stages[n - 1]` is stage n. Its
        parameters are frozen and no activation works in place. Raises WeightsError when the weights
        are there no longer.
        """
        made = self._module()
        for part in made.modules():
            if getattr(part, "inplace", False):
                part.inplace = False  # type: ignore[assignment]
        return made


def list_models() -> tuple[str, ...]:
    """Keys of all models that `load` knows; each can also be scaled (see load and build).

    Behind those of the zoo come the networks of one's own (see models.own) that can be used.
    """
    return (*zoo.MODELS, *(key for key, network in own.networks().items() if network.entry))


def load(key: str, *, resolution: int | None = None, untrained: bool = False) -> Model:
    """The model with this key; a missing official weight file is downloaded first.

    `resolution` takes the same weights at another input size, in pixels: load("b0",
    resolution=448) is load("b0-r448"). `untrained=True` takes the architecture with random weights,
    the same every time.
    Raises UnknownModelError, which lists the choices, VariantError for a resolution that cannot be
    had, WeightsError, which says why weights are missing and what to do, and MemoryError.
    """
    entry = variants.find(key)
    if resolution is not None:
        entry = variants.variant(
            entry.base or key, width=entry.width, depth=entry.depth, resolution=resolution
        )
    with memory_errors(entry.title):
        if isinstance(entry.weights, HeldFile) and not untrained:  # never on a disk in any form
            from effnet_viz.models.networks import load_network

            network, file = load_network(entry, untrained)
            return of_entry(entry, create(network, entry.resolution), file)
        file = None if untrained else fetching.fetch(entry)
        return of_entry(entry, create_cached(recipe_of(entry, file)), file)


def recipe_of(entry: ModelEntry, file: WeightFile | None) -> Recipe:
    """What an entry of the zoo with the weights of this file is converted by; None is untrained."""
    return Recipe(_NETWORKS, "network_of", id_of(entry, file), entry.resolution)


def load_exactly(model_id: ModelId) -> Model:
    """The model with the weights of this hash. Raises WeightsError when the file is another now."""
    made = load(model_id.key, untrained=model_id.weights.startswith("untrained"))
    if made.id != model_id:
        raise WeightsError(
            f"`{made.weights_name}` was replaced while it was in use. Reload the page to work "
            "with the new one."
        )
    return made


def of_entry(entry: ModelEntry, engine: Engine, file: WeightFile | None) -> Model:
    """An entry of the zoo whose network, with the weights of this file, the engine runs."""
    return Model(
        id_of(entry, file),
        entry.card,
        classes_of(entry),
        entry.preprocessing,
        engine,
        structure_of(entry),
        file.path.name if file else UNTRAINED,
        partial(_network_of, entry, file),
    )


def _network_of(entry: ModelEntry, file: WeightFile | None) -> Network:
    from effnet_viz.models.networks import same_network

    return same_network(entry, file)


_NETWORKS = "effnet_viz.models.networks"
"""The module that makes networks, by name: it loads torch."""


def classes_of(entry: ModelEntry) -> Classes:
    """The classes of an entry's network."""
    return imagenet() if entry.labels is None else Classes(entry.labels)


def build(
    *, width: float = 1.0, depth: float = 1.0, resolution: int | None = None, base: str = "b0"
) -> Model:
    """An untrained network at any scale: multipliers of width and depth, resolution in pixels.

    `base` is b0 or lite0; `resolution` None takes the base's. Its predictions and maps mean
    nothing, and every result says so. Raises UnknownModelError and VariantError.
    """
    entry = variants.variant(base, width=width, depth=depth, resolution=resolution)
    return load(entry.key, untrained=True)
