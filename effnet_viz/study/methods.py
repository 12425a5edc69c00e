"""Which method finds the object, at what cost, and which numbers without a mask would have told:
`effnet-viz lab objects --methods`.

Quick methods make maps of a scene of every object and placement. On one scene each of CLOSELY
objects every method's map also gets the numbers that need no mask (analysis.evaluation), and each
method plays the grid pointing game with these scenes, in mosaics of three or four.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from effnet_viz.analysis.analysis import Analysis, NoClassActivationMapError
from effnet_viz.analysis.evaluation import score_method
from effnet_viz.analysis.localized import localization
from effnet_viz.analysis.pointing_game import CELLS, GridCell, entry_for_mosaic, grid_pointing
from effnet_viz.arrays import Floats
from effnet_viz.assets import OBJECTS_STUDY
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import METHODS, Method, MethodRefusedError
from effnet_viz.engines import conversions
from effnet_viz.models import model as models
from effnet_viz.models import zoo
from effnet_viz.models.model import Model
from effnet_viz.scenes.editor import compose
from effnet_viz.study.design import GROUNDS, PLACEMENTS, Shown, design
from effnet_viz.study.measuring import Rows, analysis_of, require_classes, small_masks
from effnet_viz.study.networks import about_of
from effnet_viz.study.store import METHODS_OF, Unfinished, join, ship

AFFORDABLE = 30
"""Runs through the network that a map on every scene may take."""
CLOSELY = 30
"""Objects on which every method gets all numbers."""
CLOSELY_OF = "lite0"
"""The network whose maps these are."""

_STRIDE = 10
_IN_MOSAIC = len(CELLS)

ON_MASK = ("energy", "upper_bound", "hit")
_OF_MAP = ("deletion", "insertion", "average_drop", "road", "stability", "sparseness")
WITHOUT_MASK = (*_OF_MAP, "pointing")
"""Numbers of a method that anybody can compute; see analysis.evaluation.MEASURES."""


def affordable() -> list[Method]:
    """The methods that are measured on every network, in the order of the table."""
    return [method for method in METHODS.values() if method.passes <= AFFORDABLE]


def measure_methods(
    key: str, folder: Path, results: Path = OBJECTS_STUDY, shown: Sequence[Shown] | None = None
) -> None:
    """Every affordable method on PLACEMENTS scenes of each object, whose grounds take turns.

    What is measured is kept after every object. Raises as networks.measure_network.
    """
    shown = spread(design() if shown is None else shown)
    model = models.load(key)
    conversions.wait()
    require_classes(model, shown)
    methods = affordable()
    about = {**about_of(model, shown), "methods": [method.key for method in methods]}
    unfinished, parts = Unfinished(folder / "methods" / key, about), []
    for number, one in enumerate(tqdm(shown, f"{model.card.title}, methods", mininterval=1), 1):
        parts.append(unfinished.rows(one.thing.name, partial(_maps, model, one, methods)))
        so_far = {**about, "objects": about["objects"][:number], "scenes": PLACEMENTS * number}
        ship(METHODS_OF + key, so_far, join(parts), results)


def spread(shown: Sequence[Shown]) -> list[Shown]:
    """The same objects in an order in which the first ones are from all over the table."""
    return [one for first in range(_STRIDE) for one in shown[first::_STRIDE]]


def _maps(model: Model, shown: Shown, methods: Sequence[Method]) -> Rows:
    """(scenes, methods) each; nan where a method refuses."""
    found: dict[str, list[list[float]]] = {name: [] for name in (*ON_MASK, "seconds")}
    for placement in range(PLACEMENTS):
        spec = shown.alone[placement * len(GROUNDS) + placement % len(GROUNDS)]
        scene = compose(spec)
        analysis, mask = analysis_of(model, scene, 0), small_masks(scene)[0]
        rows = [_map(analysis, method, mask) for method in methods]
        for name, values in found.items():
            values.append([row[name] for row in rows])
    return {name: np.array(values, np.float32) for name, values in found.items()}


def _map(analysis: Analysis, method: Method, mask: Floats) -> dict[str, float]:
    begin = perf_counter()
    try:
        attribution = analysis.attribute(method)
    except (MethodRefusedError, NoClassActivationMapError):
        return dict.fromkeys((*ON_MASK, "seconds"), float("nan"))
    seconds = perf_counter() - begin
    return _on_mask(attribution, mask) | {"seconds": seconds}


def _on_mask(attribution: Attribution, mask: Floats) -> dict[str, float]:
    found = localization(attribution, mask)
    return {name: getattr(found, name) for name in ON_MASK}


def measure_closely(
    folder: Path,
    results: Path = OBJECTS_STUDY,
    shown: Sequence[Shown] | None = None,
    methods: Sequence[Method] | None = None,
) -> None:
    """Every method with all numbers on the first scene of CLOSELY objects, the quick ones first.

    Each map is kept as soon as it has its numbers, each mosaic as soon as its game is played.
    Raises as networks.measure_network.
    """
    shown = closely_shown() if shown is None else shown
    chosen = sorted(METHODS.values() if methods is None else methods, key=lambda one: one.passes)
    model = models.load(CLOSELY_OF)
    doubled = models.load(entry_for_mosaic(zoo.MODELS[CLOSELY_OF]).key)
    conversions.wait()
    cells = [_cell(model, one) for one in shown]
    mosaics = mosaics_of(len(shown))
    told = {"scenes": len(shown), "methods": [method.key for method in chosen]}
    about = {**about_of(model, shown), **told}
    unfinished = Unfinished(folder / "methods" / f"{CLOSELY_OF}-closely", about)
    names = (*ON_MASK, *WITHOUT_MASK, "seconds")
    rows = {name: np.full((len(shown), len(chosen)), np.nan, np.float32) for name in names}
    for place, method in enumerate(tqdm(chosen, "methods with all numbers", mininterval=1)):
        for number, one in enumerate(tqdm(shown, method.title, mininterval=1, leave=False)):
            kept = unfinished.rows(
                f"{one.thing.name}-{method.key}", partial(_numbers, model, one, method)
            )
            for name in kept:
                rows[name][number, place] = kept[name]
        for first, mosaic in enumerate(mosaics):
            played = partial(_pointing, doubled, [cells[number] for number in mosaic], method)
            kept = unfinished.rows(f"mosaic{first}-{method.key}", played)
            rows["pointing"][mosaic, place] = kept["pointing"]
        ship(f"{METHODS_OF}{CLOSELY_OF}-closely", about, {**rows}, results)


def closely_shown() -> list[Shown]:
    """CLOSELY objects from all over the table."""
    chosen = np.linspace(0, len(design()) - 1, CLOSELY).round().astype(int)
    return [design()[number] for number in chosen]


def mosaics_of(scenes: int) -> list[list[int]]:
    """The numbers of the scenes in each mosaic: two to four, which are not beside each other in the
    table, for neighbours may be of one class. None of a single scene."""
    count = -(-scenes // _IN_MOSAIC)
    return [found for first in range(count) if len(found := [*range(first, scenes, count)]) > 1]


def _cell(model: Model, shown: Shown) -> GridCell:
    scene = compose(shown.alone[0])
    return GridCell(scene.photograph, analysis_of(model, scene, 0).target.index)


def _pointing(doubled: Model, cells: Sequence[GridCell], method: Method) -> Rows:
    """The share of each cell, 0 without any evidence; nan where a method refuses."""
    try:
        scores = grid_pointing(doubled, cells, method=method).scores
    except (MethodRefusedError, NoClassActivationMapError):
        return {"pointing": np.full(len(cells), np.nan, np.float32)}
    return {"pointing": np.nan_to_num(np.array([score.share for score in scores], np.float32))}


def _numbers(model: Model, shown: Shown, method: Method) -> Rows:
    """One number of each kind; nan where a method refuses."""
    scene = compose(shown.alone[0])
    analysis, names = analysis_of(model, scene, 0), (*_OF_MAP, "seconds")
    try:
        scores = score_method(analysis, method)
    except (MethodRefusedError, NoClassActivationMapError):
        found = dict.fromkeys((*ON_MASK, *names), float("nan"))
    else:
        found = _on_mask(scores.attribution, small_masks(scene)[0])
        found |= {name: float(getattr(scores, name)) for name in names}
    return {name: np.array(value, np.float32) for name, value in found.items()}
