"""analyse(): the only place that knows the order of the steps; a result with its provenance."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from typing import Any, BinaryIO, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from effnet_viz.attribution import cam
from effnet_viz.engines.engine import Activations
from effnet_viz.images.photograph import Crop, Photograph, decode, preprocess
from effnet_viz.models import zoo
from effnet_viz.models.model import Model
from effnet_viz.version import VERSION

Source = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Image.Image | Photograph
Target = int | str | None


class UnknownClassError(ValueError):
    """A target class that the model does not know."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of one class."""

    index: int
    label: str
    probability: float
    """Softmax over all classes, 0 to 1."""
    logit: float


class Predictions(Sequence[Prediction]):
    """What a model says of every class, the most probable first.

    Computed from the logits (classes,); the thousand items are made only when looked at.
    """

    def __init__(self, logits: NDArray[np.float32]) -> None:
        self._logits = logits
        self._probabilities = cam.softmax(logits)  # (classes,)
        self._order = np.argsort(-logits, kind="stable")  # (classes,)

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Prediction: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Prediction, ...]: ...

    def __getitem__(self, place: int | slice) -> Prediction | tuple[Prediction, ...]:
        if isinstance(place, slice):
            return tuple(self.of(int(index)) for index in self._order[place])
        return self.of(int(self._order[place]))

    def of(self, index: int) -> Prediction:
        """The prediction of the class with this index."""
        probability, logit = float(self._probabilities[index]), float(self._logits[index])
        return Prediction(index, zoo.labels()[index], probability, logit)

    def rank(self, index: int) -> int:
        """The place of the class with this index, from 1."""
        return int(np.flatnonzero(self._order == index)[0]) + 1


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from: everything needed to compute it again."""

    model: str
    """Key in the zoo."""
    title: str
    architecture: str
    """Library and its name of the architecture."""
    width: float
    depth: float
    resolution: int
    weights: str
    """File name, or that the network is untrained."""
    weights_sha256: str | None
    recipe: str
    preprocessing: zoo.Preprocessing
    engine: str
    image_sha256: str
    versions: Mapping[str, str]

    @property
    def trained(self) -> bool:
        return self.weights_sha256 is not None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**dataclasses.asdict(self), "trained": self.trained}


@dataclass(frozen=True)
class StageExplanation:
    """What one stage contributed to the logit of one class."""

    stage: int
    target: int
    grad_cam: NDArray[np.float32]
    """(h, w), raw and signed."""
    channel_relevance: NDArray[np.float32]
    """(C,), in units of the logit: at stage 9 the votes, elsewhere gradient × activation."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """One image seen by one model: predictions, maps, stages, geometry, provenance."""

    model: Model = dataclasses.field(repr=False)
    activations: Activations = dataclasses.field(repr=False)
    predictions: Predictions = dataclasses.field(repr=False)
    """All classes, the most probable first."""
    crop: Crop
    provenance: Provenance
    target: Prediction
    """The class that the maps explain."""

    @property
    def stages(self) -> Mapping[int, NDArray[np.float32]]:
        """Stage number, 1 to 9, to its activation (C, h, w)."""
        return self.activations.stages

    @property
    def logits(self) -> NDArray[np.float32]:
        """(classes,)"""
        return self.activations.logits

    @cached_property
    def cam(self) -> NDArray[np.float32]:
        """Class activation map of the target class, (h, w), raw and signed, in logit units."""
        weight = self.model.engine.head.weight[self.target.index]  # (C,)
        return cam.class_activation_map(self.stages[zoo.STAGES[-1]], weight)

    def for_target(self, target: Target) -> Analysis:
        """The same forward pass, explained for another class; nothing is computed for it."""
        chosen = self.predictions[0].index if target is None else class_index(target)
        return dataclasses.replace(self, target=self.predictions.of(chosen))

    def explain_stage(self, stage: int, target: Target = None) -> StageExplanation:
        """Grad-CAM and channel relevance at a stage, 1 to 9, from one gradient.

        `target` None means the class of this analysis. Only the stages after `stage` run again, at
        stage 9 none. Raises ValueError for another stage.
        """
        if stage not in zoo.STAGES:
            raise ValueError(f"There is no stage {stage}. Stages are numbered 1 to 9.")
        index = self.target.index if target is None else class_index(target)
        activation = self.stages[stage]  # (C, h, w)
        engine = self.model.engine
        if stage == zoo.STAGES[-1]:
            gradient = engine.head.gradient(activation, index)  # (C, h, w)
            relevance = cam.channel_votes(activation, engine.head.weight[index])  # (C,)
        else:
            gradient = engine.gradient(activation, stage, index)  # (C, h, w)
            relevance = cam.gradient_times_activation(activation, gradient)  # (C,)
        return StageExplanation(stage, index, cam.grad_cam(activation, gradient), relevance)

    def grad_cam(self, stage: int, target: Target = None) -> NDArray[np.float32]:
        """Grad-CAM at a stage, 1 to 9, (h, w), raw and signed; see explain.grad_cam."""
        return self.explain_stage(stage, target).grad_cam


def class_index(target: int | str) -> int:
    """Index of a class given by index or label. Raises UnknownClassError, naming near labels."""
    labels = zoo.labels()
    if isinstance(target, str):
        if target in labels:
            return labels.index(target)
        near = [label for label in labels if target.lower() in label.lower()][:5]
        hint = f" Similar: {', '.join(near)}." if near else " See effnet_viz.zoo.labels()."
        raise UnknownClassError(f"There is no class {target!r}.{hint}")
    if 0 <= target < len(labels):
        return int(target)
    raise UnknownClassError(f"There is no class {target}. Classes are 0 to {len(labels) - 1}.")


@cache
def versions() -> Mapping[str, str]:
    """Versions of what a result depends on."""
    packages = ("torch", "torchvision", "timm", "numpy", "pillow", "pillow-heif")
    own = {"effnet-viz": VERSION, "python": platform.python_version()}
    return own | {name: version(name) for name in packages}


def analyse(source: Source, model: Model, target: Target = None) -> Analysis:
    """Look at an image with a model: one forward pass.

    `source` is a path, bytes, a file object, a PIL image or a decoded photograph; `target` the
    class to explain: None for the most probable one, an index or a label.
    Raises ImageError when the image cannot be used and UnknownClassError for an unknown class.
    """
    if target is not None:
        class_index(target)  # fail before the work, not after it
    photograph = source if isinstance(source, Photograph) else decode(source)
    entry = model.entry
    image, crop = preprocess(photograph, entry.preprocessing)  # (1, 3, R, R)
    activations = model.engine.forward(image)
    provenance = Provenance(
        model=entry.key,
        title=entry.title,
        architecture=f"{entry.library} {entry.architecture}",
        width=entry.width,
        depth=entry.depth,
        resolution=entry.resolution,
        weights=model.weights_name,
        weights_sha256=model.weight_file.sha256 if model.weight_file else None,
        recipe=entry.recipe if model.trained else "none",
        preprocessing=entry.preprocessing,
        engine=model.engine.name,
        image_sha256=photograph.digest,
        versions=versions(),
    )
    predictions = Predictions(activations.logits)
    analysis = Analysis(model, activations, predictions, crop, provenance, predictions[0])
    return analysis if target is None else analysis.for_target(target)
