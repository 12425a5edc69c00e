"""From rows to results.json: means with intervals over objects.

Intervals are 95 % bootstrap intervals in which objects are drawn, each with all its scenes; see
metrics.intervals. Networks are compared on the same scenes, scene by scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.localized import COMMON_GRID
from effnet_viz.metrics.intervals import paired_interval
from effnet_viz.metrics.localization import FIXED_THRESHOLD, Values
from effnet_viz.study.design import GROUNDS, MASK_SIDE, PAIRS, PLACEMENTS
from effnet_viz.study.measuring import FITS, Rows, StudyError
from effnet_viz.study.results import EVERY, NAMED_BY_ALL, SIZES
from effnet_viz.study.store import About, Measured

Json = dict[str, Any]

NEAR = 5
"""A map of two objects counts where its class is among so many of the network's first."""
MEASURES = ("common_share", "share", *FITS)
"""Of the last stage's map; a share is energy as a share of its upper bound."""
COMPARED = ("right", "common_share", "share", "energy", "common_energy", "hit", "recall", "iou")


def summarize(measured: Mapping[str, Measured]) -> Json:
    """Everything that results.json holds, from the rows of every network.

    Raises StudyError where networks were not shown the same scenes, or where there is no scene
    that all of them name rightly.
    """
    _require_same_scenes({key: about for key, (about, _) in measured.items()})
    first = next(iter(measured.values()))[0]
    names: list[str] = list(first["objects"])
    values = {key: _values(rows) for key, (_, rows) in measured.items()}
    of = np.repeat(np.arange(len(names)), PLACEMENTS * len(GROUNDS))  # (scenes,)
    by_all = np.logical_and.reduce([one["right"] > 0 for one in values.values()])  # (scenes,)
    if not by_all.any():
        raise StudyError(
            "No scene is named rightly by all networks, so there is nothing to compare maps on. "
            "Take out the network that names the fewest."
        )
    groups = {EVERY: np.ones(len(of), np.bool_), NAMED_BY_ALL: by_all}
    # What differs between networks is the crop: an object's size is told by the first one's.
    sizes = _thirds(next(iter(values.values()))["area"], by_all)
    return {
        "scenes": len(of),
        "objects": names,
        "named_by_all": int(by_all.sum()),
        "pairs_of_objects": PAIRS * len(names),
        "near": NEAR,
        "common_grid": COMMON_GRID,
        "mask_side": MASK_SIDE,
        "fixed_threshold": FIXED_THRESHOLD,
        "design": first["design"],
        "networks": {
            key: {
                "about": about,
                "right": estimate(values[key]["right"], of, groups[EVERY]),
                "measures": {
                    group: {name: estimate(values[key][name], of, chosen) for name in MEASURES}
                    for group, chosen in groups.items()
                },
                "by_size": {
                    size: {name: estimate(values[key][name], of, chosen) for name in MEASURES}
                    for size, chosen in sizes.items()
                },
                "stages": _stages(about, rows, of, by_all),
                "late_minus_early": _late_minus_early(about, rows, of, by_all),
                "stability": estimate(
                    rows["stability"].astype(float), np.repeat(np.arange(len(names)), PLACEMENTS)
                ),
                "two": _two(rows, len(names)),
            }
            for key, (about, rows) in measured.items()
        },
        "differences": [
            {"one": one, "other": other, "group": group, "measure": name}
            | estimate(values[other][name] - values[one][name], of, chosen)
            for one, other in combinations(values, 2)
            for group, chosen in groups.items()
            for name in COMPARED
        ],
    }


def _require_same_scenes(told: Mapping[str, About]) -> None:
    shown = {key: (about["design"], tuple(about["objects"])) for key, about in told.items()}
    first, *others = shown
    for key in others:
        if shown[key] != shown[first]:
            raise StudyError(
                f"“{key}” was measured on other scenes than “{first}”. Measure it again with "
                f"`effnet-viz lab objects --networks {key}`."
            )


def _values(rows: Rows) -> dict[str, Values]:
    """One number for each scene, (scenes,), by measure."""
    found = {name: rows[name].astype(np.float64) for name in ("right", *FITS)}
    found["share"] = share(found["energy"], found["upper_bound"])
    found["common_share"] = share(found["common_energy"], found["common_upper_bound"])
    return found


def share(energy: NDArray[Any], upper_bound: NDArray[Any]) -> Values:
    """Energy as a share of what a perfect map reaches on its grid; 0 where nothing was seen."""
    energy, upper_bound = energy.astype(np.float64), upper_bound.astype(np.float64)
    found: Values = np.divide(energy, upper_bound, out=np.zeros_like(energy), where=upper_bound > 0)
    return found


def estimate(
    values: Values, of: NDArray[np.int64], chosen: NDArray[np.bool_] | None = None
) -> Json:
    """Mean over the chosen of the values (n,), whose objects are `of` (n,), and its interval."""
    if chosen is not None:
        values, of = values[chosen], of[chosen]
    if not len(values):
        return {"value": None, "low": None, "high": None}
    mean, low, high = paired_interval([values], [of], int(of.max()) + 1)
    return {"value": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}


def _thirds(area: Values, chosen: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The chosen scenes with the smallest, middle and largest objects."""
    rank = np.full(len(area), -1)
    rank[chosen] = area[chosen].argsort(kind="stable").argsort()
    third = np.where(chosen, rank * len(SIZES) // max(1, int(chosen.sum())), -1)
    return {size: third == number for number, size in enumerate(SIZES)}


def depths(layers: list[int]) -> list[float]:
    """Where each stage ends, in shares of all layers of a network, up to 1."""
    return [float(ends) / sum(layers) for ends in np.cumsum(layers)]


def _stages(
    about: About, rows: Rows, of: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> list[Json]:
    shares = share(rows["stage_energy"], rows["stage_upper_bound"])  # (scenes, stages)
    columns = {"share": shares, "energy": rows["stage_energy"], "hit": rows["stage_hit"]}
    return [
        {"depth": round(depth, 4)}
        | {
            name: estimate(values[:, stage].astype(float), of, chosen)
            for name, values in columns.items()
        }
        for stage, depth in enumerate(depths(about["layers"]))
    ]


def _late_minus_early(
    about: About, rows: Rows, of: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> Json:
    """Share at the last stage minus the mean over the stages of the first half of the depth."""
    shares = share(rows["stage_energy"], rows["stage_upper_bound"])  # (scenes, stages)
    early = np.array(depths(about["layers"])) <= 1 / 2  # (stages,)
    return estimate(shares[:, -1] - shares[:, early].mean(axis=1), of, chosen)


def _two(rows: Rows, objects: int) -> Json:
    """Maps of either class of scenes with two objects."""
    of = np.repeat(np.arange(objects), 2 * PAIRS)  # (maps,)
    near = (rows["pair_rank"] <= NEAR).ravel()
    own, other, own_area, other_area = (
        rows[f"pair_{name}"].astype(np.float64).ravel()
        for name in ("own", "other", "own_area", "other_area")
    )
    return {
        "maps": int(near.sum()),
        "of": len(near),
        "own": estimate(own, of, near),
        "other": estimate(other, of, near),
        "even_own": estimate(own_area, of, near),
        "even_other": estimate(other_area, of, near),
        "more_on_own": estimate((own > other).astype(np.float64), of, near),
        "more_on_own_of_all": estimate((own > other).astype(np.float64), of),
    }
