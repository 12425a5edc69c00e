"""analyse(): the only place that knows the order of the steps; a result with its provenance."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, BinaryIO

from PIL import Image

from effnet_viz import __version__
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import Floats
from effnet_viz.attribution.attribution import Attribution, Method
from effnet_viz.attribution.stages import attribute_stage
from effnet_viz.engines.engine import Activations
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.models.model import Model, ModelId
from effnet_viz.records import Crop, Prediction, Provenance

Source = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Image.Image | Photograph
Target = int | str | None


class NoClassActivationMapError(ValueError):
    """A class activation map is asked of a network that has none."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """One image seen by one model: predictions, maps, stages, geometry, provenance."""

    model: Model = dataclasses.field(repr=False)
    activations: Activations = dataclasses.field(repr=False)
    """Of this one image: B = 1."""
    predictions: Predictions = dataclasses.field(repr=False)
    """All classes, the most probable first."""
    crop: Crop
    """The part of the photograph that the model saw."""
    provenance: Provenance
    target: Prediction
    """The class that the maps explain."""

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
        method: Method | str = Method.GRAD_CAM,
        stage: int | None = None,
        target: Target = None,
    ) -> Attribution:
        """The map of one stage for one class, (h, w), signed, in units of the logit.

        It knows its place: where its cells lie in the square (placement), and the square in the
        photograph (crop).

        `method` is "cam" or "grad-cam", which are the same at the last stage of a network that has
        a class activation map. `stage` None is the last one, `target` None the class of this
        analysis. Only the stages after `stage` run again.
        Raises ValueError for another method or stage, UnknownClassError, and
        NoClassActivationMapError.
        """
        method = Method(method)
        last = self.model.last_stage
        stage = last if stage is None else stage
        if method is Method.CAM and (self.model.engine.head is None or stage != last):
            raise NoClassActivationMapError(
                f"{self.model.card.title} has no class activation map at stage {stage}: it needs "
                "the last stage, pooled by its average into one linear layer. Use Grad-CAM instead."
            )
        chosen = self.target if target is None else self.for_target(target).target
        maps = attribute_stage(self.model.engine, self.activations, stage, [chosen.index])
        return Attribution(
            values=maps.values[0],
            channels=maps.channels[0],
            placement=self.model.structure.stages[stage].placement,
            crop=self.crop,
            stage=stage,
            target=chosen,
            method=method,
            provenance=self.provenance,
        )

    @cached_property
    def cam(self) -> Floats:
        """Class activation map of the target class, (h, w), raw and signed, in logit units.

        Raises NoClassActivationMapError.
        """
        return self.attribute(Method.CAM).values

    def grad_cam(self, stage: int, target: Target = None) -> Floats:
        """Grad-CAM at a stage, (h, w), raw and signed, in logit units; see attribute."""
        return self.attribute(Method.GRAD_CAM, stage, target).values


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
        weights_sha256=model.id.weights if model.trained else None,
        recipe=model.card.recipe if model.trained else "none",
        preprocessing=_plain(model.preprocessing),
        engine=model.engine.name,
        image_sha256=photograph.digest,
        versions=versions(),
    )
    analysis = Analysis(model, activations, predictions, crop, provenance, predictions[0])
    return analysis if target is None else analysis.for_target(target)


def _plain(preprocessing: Any) -> Mapping[str, Any]:
    """Its name and its settings."""
    return {"name": type(preprocessing).__name__, **dataclasses.asdict(preprocessing)}
