"""analyse(): the only place that knows the order of the steps; a result with its provenance."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from effnet_viz import __version__
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.attribution import cam
from effnet_viz.attribution.attribution import StageExplanation
from effnet_viz.attribution.channels import channel_votes, gradient_times_activation
from effnet_viz.engines import network
from effnet_viz.engines.engine import Activations
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import preprocess
from effnet_viz.models.classes import class_index
from effnet_viz.models.model import Model
from effnet_viz.records import Crop, Prediction, Provenance

Source = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Image.Image | Photograph
Target = int | str | None


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
        return cam.class_activation_map(self.stages[network.STAGES[-1]], weight)

    def for_target(self, target: Target) -> Analysis:
        """The same forward pass, explained for another class; nothing is computed for it."""
        chosen = self.predictions[0].index if target is None else class_index(target)
        return dataclasses.replace(self, target=self.predictions.of(chosen))

    def explain_stage(self, stage: int, target: Target = None) -> StageExplanation:
        """Grad-CAM and channel relevance at a stage, 1 to 9, from one gradient.

        `target` None means the class of this analysis. Only the stages after `stage` run again, at
        stage 9 none. Raises ValueError for another stage.
        """
        if stage not in network.STAGES:
            raise ValueError(f"There is no stage {stage}. Stages are numbered 1 to 9.")
        index = self.target.index if target is None else class_index(target)
        activation = self.stages[stage]  # (C, h, w)
        engine = self.model.engine
        if stage == network.STAGES[-1]:
            gradient = engine.head.gradient(activation, index)  # (C, h, w)
            relevance = channel_votes(activation, engine.head.weight[index])  # (C,)
        else:
            gradient = engine.gradient(activation, stage, index)  # (C, h, w)
            relevance = gradient_times_activation(activation, gradient)  # (C,)
        return StageExplanation(stage, index, cam.grad_cam(activation, gradient), relevance)

    def grad_cam(self, stage: int, target: Target = None) -> NDArray[np.float32]:
        """Grad-CAM at a stage, 1 to 9, (h, w), raw and signed; see explain.grad_cam."""
        return self.explain_stage(stage, target).grad_cam


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
        preprocessing=dataclasses.asdict(entry.preprocessing),
        engine=model.engine.name,
        image_sha256=photograph.digest,
        versions=versions(),
    )
    predictions = Predictions(activations.logits)
    analysis = Analysis(model, activations, predictions, crop, provenance, predictions[0])
    return analysis if target is None else analysis.for_target(target)
