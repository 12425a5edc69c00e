"""What one network does on the scenes of one object, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import Analysis, analyse
from effnet_viz.analysis.localized import COMMON_GRID, Localization, localization, seen_of
from effnet_viz.arrays import Floats, area_mean, tile_mean
from effnet_viz.attribution import methods
from effnet_viz.metrics.localization import (
    correlation,
    energy_pointing_game,
    enlarge_evidence,
    pointing,
    upper_bound,
)
from effnet_viz.models.classes import UnknownClassError
from effnet_viz.models.model import Model
from effnet_viz.scenes.editor import SIDE, Scene, SceneSpec, compose
from effnet_viz.study.accepted import class_of
from effnet_viz.study.design import GROUNDS, MASK_SIDE, Shown

Rows = dict[str, NDArray[Any]]
"""By column; see COLUMNS."""

FITS = tuple(field.name for field in fields(Localization))
"""The numbers of the last stage's map against the mask; see analysis.localized."""

COLUMNS = {
    "right": "(scenes,) whether the most probable class is among the object's",
    "probability": "(scenes,) of those of the object's classes that has the highest logit",
    **dict.fromkeys(FITS, "(scenes,) of the last stage's map for that class"),
    "stage_energy": "(scenes, stages) the same of Grad-CAM at every stage",
    "stage_upper_bound": "(scenes, stages)",
    "stage_hit": "(scenes, stages)",
    "stability": "(placements,) mean correlation of the last stage's maps over backgrounds",
    "pair_rank": "(pairs, 2) place of either object's class among all, 1 the most probable",
    "pair_own": "(pairs, 2) energy of the map for either object's class on it",
    "pair_other": "(pairs, 2) on the other object",
    "pair_own_area": "(pairs, 2) what an even map would have on it",
    "pair_other_area": "(pairs, 2)",
}
"""Every number that is kept, the rows in the order of study.design."""


class StudyError(RuntimeError):
    """The study cannot measure or show something; the message says what to do."""


def require_classes(model: Model, shown: Sequence[Shown]) -> None:
    """Raises StudyError for a network that does not know the classes of the objects."""
    for one in shown:
        for label in one.thing.labels:
            try:
                model.classes.index(label)
            except UnknownClassError:
                raise StudyError(
                    f"{model.card.title} has no class “{label}”. The study is for networks with "
                    "ImageNet's 1000 classes: name one of those."
                ) from None


def measure_object(model: Model, shown: Shown) -> Rows:
    """All columns for the scenes of one object.

    The class that is explained is the one of the object's classes with the network's highest
    logit. At the last stage Grad-CAM is the class activation map where there is one.
    """
    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    maps: list[Floats] = []
    for spec in shown.alone:
        scene = compose(spec, SIDE)
        analysis, mask = analysis_of(model, scene, 0), small_masks(scene)[0]
        best = analysis.predictions[0].label
        rows["right"].append(best in shown.thing.labels)
        rows["probability"].append(analysis.target.probability)
        last = analysis.attribute(methods.GRAD_CAM)
        found = localization(last, mask)
        for name in FITS:
            rows[name].append(getattr(found, name))
        for name, values in _stages(analysis, seen_of(last, mask)).items():
            rows[name].append(values)
        maps.append(tile_mean(last.values[None], last.placement, COMMON_GRID)[0])  # (7, 7)
    of_placement = np.array(maps).reshape(-1, len(GROUNDS), COMMON_GRID, COMMON_GRID)
    rows["stability"].extend(stability(grounds) for grounds in of_placement)
    for spec in shown.pairs:
        for name, values in _pair(model, spec).items():
            rows[name].append(values)
    return {name: _compact(name, values) for name, values in rows.items()}


def analysis_of(model: Model, scene: Scene, number: int) -> Analysis:
    """A scene, explained for the class of one of its objects."""
    analysis = analyse(scene.photograph, model)
    return analysis.for_target(class_of(analysis, scene.objects[number]))


def small_masks(scene: Scene) -> Floats:
    """Of its objects, (objects, MASK_SIDE, MASK_SIDE)."""
    return area_mean(scene.masks, MASK_SIDE, MASK_SIDE)


def stability(maps: Floats) -> float:
    """Mean correlation of every two of the maps (n, h, w) of one thing at one place, -1 to 1."""
    pairs = list(combinations(range(len(maps)), 2))
    one, other = (maps[[pair[side] for pair in pairs]] for side in (0, 1))
    return float(correlation(one, other).mean())


def _stages(analysis: Analysis, seen: Floats) -> dict[str, list[float]]:
    """Of Grad-CAM against what was seen of a mask (S, S): each column for every stage."""
    found: dict[str, list[float]] = {name: [] for name in COLUMNS if name.startswith("stage_")}
    masks, side = seen[None], len(seen)  # (1, S, S)
    for stage in sorted(analysis.stages):
        map_ = analysis.attribute(methods.GRAD_CAM, stage)
        evidence = enlarge_evidence(map_.values[None], map_.placement, side)  # (1, S, S)
        bound = upper_bound(masks, map_.placement, len(map_.values))
        found["stage_energy"].append(float(energy_pointing_game(evidence, masks)[0]))
        found["stage_upper_bound"].append(float(bound[0]))
        found["stage_hit"].append(float(pointing(evidence, masks)[0]))
    return found


def _pair(model: Model, spec: SceneSpec) -> dict[str, list[float]]:
    """Of a scene with two objects: each column for either object's class."""
    scene = compose(spec, SIDE)
    masks = small_masks(scene)
    found: dict[str, list[float]] = {name: [] for name in COLUMNS if name.startswith("pair_")}
    for number in (0, 1):
        analysis = analysis_of(model, scene, number)
        found["pair_rank"].append(1 + int((analysis.logits > analysis.target.logit).sum()))
        attribution = analysis.attribute(methods.GRAD_CAM)
        for name, mask in (("own", masks[number]), ("other", masks[1 - number])):
            seen = seen_of(attribution, mask)[None]  # (1, S, S)
            evidence = enlarge_evidence(
                attribution.values[None], attribution.placement, seen.shape[-1]
            )
            found[f"pair_{name}"].append(float(energy_pointing_game(evidence, seen)[0]))
            found[f"pair_{name}_area"].append(float(seen.mean()))
    return found


def _compact(name: str, values: list[Any]) -> NDArray[Any]:
    if name == "right":
        return np.array(values, np.bool_)
    return np.array(values, np.int16 if name == "pair_rank" else np.float16)
