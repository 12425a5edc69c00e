"""analyse(): the only place that knows the order of the steps; a result with its provenance."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, BinaryIO

from PIL import Image

from effnet_viz import __version__
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution import methods
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import Library, Method, Place, Question
from effnet_viz.attribution.stages import (
    StageMaps,
    engine_maps,
    is_exact,
    maps_of,
    require_stage,
)
from effnet_viz.engines.engine import Activations, Head, StageEvidence, lock
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.models.identity import ModelId
from effnet_viz.models.model import Model
from effnet_viz.records import Crop, Prediction, Provenance

Source = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Image.Image | Photograph
Target = int | str | None


_CLASSES = 8
"""Classes whose evidence an analysis keeps."""


class NoClassActivationMapError(ValueError):
    """A class activation map is asked of a network that has none."""


def require_class_activation_map(model: Model, stage: int) -> Head:
    """The linear head. Raises NoClassActivationMapError where a stage is not pooled into one."""
    head = model.engine.head
    if head is None or stage != model.last_stage:
        raise NoClassActivationMapError(
            f"{model.card.title} has no class activation map at stage {stage}: it needs "
            "the last stage, pooled by its average into one linear layer. Use Grad-CAM instead."
        )
    return head


@dataclass(frozen=True, eq=False)
class Analysis:
    """One image seen by one model: predictions, maps, stages, geometry, provenance."""

    model: Model = dataclasses.field(repr=False)
    activations: Activations = dataclasses.field(repr=False)
    """Of this one image: B = 1."""
    image: Floats = dataclasses.field(repr=False)
    """What the model saw, (1, 3, R, R)."""
    predictions: Predictions = dataclasses.field(repr=False)
    """All classes, the most probable first."""
    crop: Crop
    """The part of the photograph that the model saw."""
    provenance: Provenance
    target: Prediction
    """The class that the maps explain."""
    _evidence: dict[int, Mapping[int, StageEvidence]] = dataclasses.field(
        default_factory=dict, repr=False
    )
    """By class, of all stages; shared by what for_target gives."""

    @property
    def id(self) -> tuple[ModelId, str, int]:
        """What the analysis depends on: model, image, class."""
        return self.model.id, self.provenance.image_sha256, self.target.index

    @cached_property
    def stages(self) -> Mapping[int, Floats]:
        """Stage number, from 1, to its activation (C, h, w)."""
        stages = self.activations.stages.items()
        return MappingProxyType({stage: activation[0] for stage, activation in stages})

    @property
    def logits(self) -> Floats:
        """(classes,)"""
        logits: Floats = self.activations.logits[0]
        return logits

    def for_target(self, target: Target) -> Analysis:
        """The same forward pass, explained for another class; nothing is computed for it.

        None is the most probable class. Raises UnknownClassError.
        """
        index = self.predictions[0].index if target is None else self.model.classes.index(target)
        return dataclasses.replace(self, target=self.predictions.of(index))

    def attribute(
        self,
        method: Method | str = methods.GRAD_CAM,
        stage: int | None = None,
        target: Target = None,
        *,
        other: Target = None,
        progress: Callable[[float], None] = lambda _: None,
    ) -> Attribution:
        """The map of one method for one class, (h, w), raw and signed, in the method's unit.

        It knows its place: where its cells lie in the square (placement), and the square in the
        photograph (crop).

        `method` is a key of attribution.methods.METHODS, "cam" and "grad-cam" among them, which are
        the same at the last stage of a network that has a class activation map. `stage` None is the
        last one, and means nothing to a method that looks at pixels; `target` None is the class of
        this analysis. `other` is the class that a method tells it from, where it does: None is the
        most probable other one. `progress` hears how much is done, 0 to 1.
        Methods of the engine run the stages after `stage` again; others run the whole network,
        once or many times (Method.passes), in a private copy. The same call gives the same bits.
        Raises ValueError for another stage, UnknownMethodError, UnknownClassError,
        NoClassActivationMapError and MethodRefusedError.
        """
        method = methods.find(method)
        last = self.model.last_stage
        at = last if stage is None else stage
        if method is methods.CAM:
            require_class_activation_map(self.model, at)
        chosen = self.target if target is None else self.for_target(target).target
        compared = self.other_than(chosen, other) if method.compares else None
        channels = None
        if method.library is Library.ENGINE:
            maps = self._engine_maps(method, at, chosen.index)
            values, channels = maps.values[0], maps.channels[0]
        else:
            require_stage(self.activations, at)
            at = method.stage_of(at, last)
            values = self.model.runner(
                self.model,
                method,
                self.image,
                Question(at, chosen.index, (compared or self.other_than(chosen)).index),
                progress=progress,
            )
        of_pixels = method.place is Place.PIXELS
        return Attribution(
            values=lock(values),
            channels=channels,
            placement=Placement.even(len(values))
            if of_pixels
            else self.model.structure.stages[at].placement,
            crop=self.crop,
            stage=None if of_pixels else at,
            target=chosen,
            other=compared,
            method=method,
            provenance=self.provenance,
        )

    def explained_at_once(self) -> bool:
        """Whether the maps of all stages for the target are there after one run of the network."""
        last = {self.model.last_stage} if self.model.engine.head is not None else set()
        return set(self._explained(self.target.index)) | last >= set(self.stages)

    def _engine_maps(self, method: Method, stage: int, target: int) -> StageMaps:
        engine = self.model.engine
        require_stage(self.activations, stage)
        if not is_exact(method, engine, self.activations, stage):
            evidence = self._explained(target)
            if stage in evidence:
                return maps_of(method, evidence[stage])
        return engine_maps(method, engine, self.activations, stage, [target])

    def _explained(self, target: int) -> Mapping[int, StageEvidence]:
        """Evidence for a class at all stages that the engine gives at once."""
        found = self._evidence.get(target)
        if found is None:
            found = self.model.engine.explain(self.image, self.activations, [target])
            if found:  # else it may come later
                while len(self._evidence) >= _CLASSES:
                    self._evidence.pop(next(iter(self._evidence)), None)
                self._evidence[target] = found
        return found

    def other_than(self, target: Prediction, other: Target = None) -> Prediction:
        """The class that a class is told from: None is the most probable other one.

        Raises UnknownClassError.
        """
        if other is not None:
            return self.for_target(other).target
        return next(one for one in self.predictions if one.index != target.index)

    @cached_property
    def cam(self) -> Floats:
        """Class activation map of the target class, (h, w), raw and signed, in logit units.

        Raises NoClassActivationMapError.
        """
        return self.attribute(methods.CAM).values

    def grad_cam(self, stage: int, target: Target = None) -> Floats:
        """Grad-CAM at a stage, (h, w), raw and signed, in logit units; see attribute."""
        return self.attribute(methods.GRAD_CAM, stage, target).values


@cache
def versions() -> Mapping[str, str]:
    """Versions of what a result depends on."""
    packages = ("torch", "torchvision", "timm", "numpy", "pillow", "pillow-heif")
    own = {"effnet-viz": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in packages}


def analyse(source: Source, model: Model, target: Target = None) -> Analysis:
    """Look at an image with a model: one forward pass.

    `source` is a path, bytes, a file object, a PIL image or a decoded photograph; `target` the
    class to explain: None for the most probable one, an index or a label.
    Raises ImageError when the image cannot be used, UnknownClassError for an unknown class, and
    EngineError or MemoryError when the network does not run on this machine.
    """
    if target is not None:
        model.classes.index(target)  # fail before the work, not after it
    photograph = source if isinstance(source, Photograph) else decode(source)
    x, crop = model.preprocessing(photograph)  # (1, 3, R, R)
    analysis = analyse_input(x, crop, photograph.digest, model)
    return analysis if target is None else analysis.for_target(target)


def analyse_input(x: Floats, crop: Crop, digest: str, model: Model) -> Analysis:
    """Look at an input (1, 3, R, R) that is there already, for the most probable class.

    `digest` tells it from others, as a photograph's does. Raises EngineError and MemoryError.
    """
    activations = model.engine.forward(x)
    predictions = Predictions(activations.logits[0], model.classes)
    provenance = Provenance(
        model=model.id.key,
        title=model.card.title,
        architecture=model.card.architecture,
        width=model.card.width,
        depth=model.card.depth,
        resolution=model.card.resolution,
        weights=model.weights_name,
        weights_sha256=model.id.weights[:64] if model.trained else None,
        recipe=model.card.recipe if model.trained else "none",
        preprocessing=_plain(model.preprocessing),
        engine=model.engine.name,
        image_sha256=digest,
        versions=versions(),
    )
    return Analysis(model, activations, x, predictions, crop, provenance, predictions[0])


def _plain(preprocessing: Any) -> Mapping[str, Any]:
    """Its name and its settings."""
    return {"name": type(preprocessing).__name__, **dataclasses.asdict(preprocessing)}
