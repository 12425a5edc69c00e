"""The five shipped networks as models, and how well a map of theirs fits the mask of a scene."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from threading import Lock

from effnet_viz.analysis.explanation import Explanation
from effnet_viz.engines.conversions import Recipe, prepare
from effnet_viz.engines.create import create_cached
from effnet_viz.engines.structure import Structure
from effnet_viz.engines.structures import kept
from effnet_viz.images.photograph import Photograph
from effnet_viz.lab.runs import HELD_OUT_VENDORS, SHIPPED_RUN, Run, shipped_path
from effnet_viz.lab.scalings import GRAD_CAM_STAGE, SCALINGS, Scaling, ScenePreprocessing
from effnet_viz.lab.scenes import Scene
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.metrics import localization
from effnet_viz.models.classes import Classes
from effnet_viz.models.identity import ModelId
from effnet_viz.models.model import Model
from effnet_viz.models.zoo import ModelCard

UNSEEN_VENDOR = HELD_OUT_VENDORS[SHIPPED_RUN]
"""Whose drawings the shipped networks have never seen."""
STAGES: Mapping[str, int | None] = {"CAM": None, "Grad-CAM": GRAD_CAM_STAGE}
"""The two maps that are shown, and their stage; None is the last one."""

_loading = Lock()


def models() -> Mapping[str, Model]:
    """The shipped networks by key of SCALINGS, loaded once; raises UnfinishedError.

    They take 12 MB and stay.
    """
    with _loading:
        return _models()


def are_loaded() -> bool:
    """Whether `models` has them at once."""
    return _models.cache_info().currsize > 0


@cache
def _models() -> Mapping[str, Model]:
    recipes = {key: _recipe(scaling) for key, scaling in SCALINGS.items()}
    prepare(list(recipes.values()))
    return {key: _model(SCALINGS[key], recipe) for key, recipe in recipes.items()}


def _recipe(scaling: Scaling) -> Recipe:
    """Raises UnfinishedError."""
    content = shipped_path(Run(scaling, SHIPPED_RUN)).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Recipe(_NETWORKS, "network_of", (scaling.key, digest), scaling.resolution)


_NETWORKS = "effnet_viz.lab.trained"
"""The module that makes networks, by name: it loads torch."""


def _model(scaling: Scaling, recipe: Recipe) -> Model:
    return Model(
        ModelId(f"lab-{scaling.key}", recipe.arguments[1]),
        ModelCard(
            title=scaling.title,
            architecture="torchvision EfficientNet",
            width=scaling.width,
            depth=scaling.depth,
            resolution=scaling.resolution,
            recipe=f"scaling lab, run {SHIPPED_RUN}",
            native_resolution=None,
            published=None,
        ),
        Classes(display_name(name) for name in CLASSES),
        ScenePreprocessing(scaling.resolution),
        create_cached(recipe),
        kept(recipe, partial(_structure, scaling)),
        f"scaling lab, run {SHIPPED_RUN}, trained without {UNSEEN_VENDOR}'s drawings",
        recipe.network,
    )


def _structure(scaling: Scaling) -> Structure:
    from effnet_viz.lab.networks import structure  # takes seconds: torch

    return structure(scaling)


def display_name(name: str) -> str:
    """A class as a person would say it: “dog-face” is “dog face”."""
    return name.replace("-", " ")


def photograph_of(scene: Scene) -> Photograph:
    """A scene as the models see every picture."""
    digest = hashlib.sha256(scene.image.tobytes()).hexdigest()
    return Photograph(scene.image, digest, ())


@dataclass(frozen=True)
class MaskScores:
    """How well a map fits the true mask of the object; see metrics.localization."""

    energy: float
    """Share of the positive evidence on the object, 0 to 1."""
    upper_bound: float
    """The energy of a perfect map on this grid."""
    hit: bool
    """Whether the largest value lies on the object."""
    recall: float
    """Share of the object in the region of strong evidence."""
    distractors: float
    """Share of the positive evidence on distractors."""


def score(explanation: Explanation, scene: Scene) -> MaskScores:
    """One network's map of a scene against the scene's mask."""
    values, placement = explanation.attribution.values, explanation.attribution.placement  # (h, w)
    masks, distractors = scene.mask[None], scene.distractors[None]  # (1, S, S)
    evidence = localization.enlarge_evidence(values[None], placement, masks.shape[-1])
    return MaskScores(
        float(localization.energy_pointing_game(evidence, masks)[0]),
        float(localization.upper_bound(masks, placement, values.shape[-1])[0]),
        bool(localization.pointing(evidence, masks)[0] > 0.5),
        float(localization.recall(evidence, masks, localization.FIXED_THRESHOLD)[0]),
        float(localization.energy_pointing_game(evidence, distractors)[0]),
    )
