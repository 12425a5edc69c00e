"""Model: a network with its classes, preprocessing, structure and provenance."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import nn

from effnet_viz.arrays import Floats
from effnet_viz.attribution.methods import Method, Question, Task
from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.conversions import Recipe
from effnet_viz.engines.create import create, create_cached
from effnet_viz.engines.engine import Engine, memory_errors
from effnet_viz.engines.network import Network
from effnet_viz.engines.structure import Structure, summarize
from effnet_viz.images.preprocessing import Preprocessing
from effnet_viz.models import architectures, checkpoints, own, variants, zoo
from effnet_viz.models.checkpoints import load_state_dict
from effnet_viz.models.classes import Classes, imagenet
from effnet_viz.models.weights import HeldFile, WeightFile, WeightsError
from effnet_viz.models.zoo import ModelCard, ModelEntry

UNTRAINED = "untrained (random, seed 0)"
"""What stands where weights are named when an entry of the zoo has none."""


class ModelId(NamedTuple):
    """What a model's results depend on, and all that they depend on beside the image."""

    key: str
    weights: str
    """SHA-256 (hex) of the weights; begins with "untrained" where there are none. Behind it, for a
    network of one's own, a digest of its architecture, classes and preprocessing."""


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
            network, file = _load_network(entry, untrained)
            return of_entry(entry, create(network, entry.resolution), file)
        file = None if untrained else checkpoints.fetch(entry)
        recipe = Recipe(__name__, "network_of", id_of(entry, file), entry.resolution)
        return of_entry(entry, create_cached(recipe), file)


def network_of(key: str, weights: str) -> Network:
    """The network of a ModelId, new. Raises WeightsError when the file is another one now."""
    entry = variants.find(key)
    network, file = _load_network(entry, weights.startswith("untrained"))
    if id_of(entry, file).weights != weights:
        raise WeightsError(f"The weights of {entry.title} were replaced while they were in use.")
    return network


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
        architectures.structure_of(entry),
        file.path.name if file else UNTRAINED,
        partial(_module_of, entry, file),
    )


def classes_of(entry: ModelEntry) -> Classes:
    """The classes of an entry's network."""
    return imagenet() if entry.labels is None else Classes(entry.labels)


def id_of(entry: ModelEntry, file: WeightFile | None) -> ModelId:
    """What the results of an entry with the weights of this file depend on; None is untrained."""
    weights = file.sha256 if file else "untrained"
    if entry.labels is None:
        return ModelId(entry.key, weights)
    rest = (entry.library, entry.architecture, entry.width, entry.depth, entry.preprocessing)
    digest = hashlib.sha256(f"{entry.labels} {rest}".encode()).hexdigest()
    return ModelId(entry.key, f"{weights} {digest[:16]}")


def _load_network(entry: ModelEntry, untrained: bool) -> tuple[Network, WeightFile | None]:
    state, file = (None, None) if untrained else load_state_dict(entry)
    return architectures.build(entry, state), file


def _module_of(entry: ModelEntry, file: WeightFile | None) -> Network:
    network, now = _load_network(entry, untrained=file is None)
    if now != file:
        raise WeightsError(
            f"The weights of {entry.title} were replaced while they were in use. Load the model "
            "again."
        )
    return network


def build(
    *, width: float = 1.0, depth: float = 1.0, resolution: int | None = None, base: str = "b0"
) -> Model:
    """An untrained network at any scale: multipliers of width and depth, resolution in pixels.

    `base` is b0 or lite0; `resolution` None takes the base's. Its predictions and maps mean
    nothing, and every result says so. Raises UnknownModelError and VariantError.
    """
    entry = variants.variant(base, width=width, depth=depth, resolution=resolution)
    return load(entry.key, untrained=True)


def from_module(
    module: nn.Module,
    *,
    key: str,
    classes: Iterable[str],
    preprocessing: Preprocessing,
    weights: str | None = None,
    stages: Callable[[nn.Module], Network] | None = None,
) -> Model:
    """A model from a module that gives logits (B, classes) for images (B, 3, R, R).

    The module is copied and left as it was. `weights` is what its weights are called wherever they
    are named, such as a file name; None says that it is untrained, and every result says so.
    `stages` takes the copy apart into stages, pooling and head; EfficientNet, MobileNetV2,
    MobileNetV3 and ResNet of torchvision and timm need none. A module whose last stage does not go
    through one average pooling into one linear layer has no class activation map.
    Raises ValueError when the parts together do not give what the module gives, or when there are
    more or fewer logits than classes; UnsupportedModuleError without `stages` for another module.
    """
    labels = Classes(classes)
    made = _private_copy(module)
    network = (stages or as_network)(made).eval().requires_grad_(False)
    resolution = preprocessing.resolution
    noise = torch.rand(1, 3, resolution, resolution, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = made(noise), network(noise)  # (1, classes)
    if expected.shape != found.shape or not torch.allclose(expected, found, rtol=1e-4, atol=1e-5):
        raise ValueError(
            "Stages, pooling and head do not give what the module gives. Name all of its parts, in "
            "the order in which they run."
        )
    if expected.shape[1:] != (len(labels),):
        raise ValueError(
            f"The module gives logits of shape {tuple(expected.shape[1:])}, and {len(labels)} "
            "classes are named. Name one class for every logit."
        )
    engine = create(copy.deepcopy(network), resolution)
    architecture = f"{type(module).__module__.partition('.')[0]} {type(module).__name__}"
    return from_network(network, engine, key, labels, preprocessing, weights, architecture)


def from_network(
    network: Network,
    engine: Engine,
    key: str,
    classes: Classes,
    preprocessing: Preprocessing,
    weights: str | None,
    architecture: str,
) -> Model:
    """The same of a network that is taken apart already, and the engine that runs it.

    Nothing is tried out. The network is kept; the engine has a copy, or none.
    """
    digest = _fingerprint(network, classes, preprocessing)
    return Model(
        ModelId(key, digest if weights else f"untrained {digest}"),
        ModelCard(
            title=key,
            architecture=architecture,
            width=None,
            depth=None,
            resolution=preprocessing.resolution,
            recipe="own" if weights else "none",
            native_resolution=None,
            published=None,
        ),
        classes,
        preprocessing,
        engine,
        summarize(network, preprocessing.resolution),
        weights or "untrained",
        partial(copy.deepcopy, network),
    )


def _private_copy(module: nn.Module) -> nn.Module:
    """On the CPU, in float32 and evaluation mode, without the hooks of whoever owns it."""
    made = copy.deepcopy(module).cpu().float().eval()
    for part in made.modules():
        for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks):
            hooks.clear()
    return made


def _fingerprint(network: Network, classes: Classes, preprocessing: Preprocessing) -> str:
    """SHA-256 of all tensors with their names, of the classes and of the preprocessing."""
    digest = hashlib.sha256(f"{tuple(classes)} {preprocessing}".encode())
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
