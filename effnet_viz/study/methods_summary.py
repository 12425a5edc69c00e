"""From the rows of methods to their part of results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.evaluation import MEASURES
from effnet_viz.attribution.methods import METHODS
from effnet_viz.metrics.intervals import RESAMPLES
from effnet_viz.study.design import PLACEMENTS
from effnet_viz.study.measuring import Rows
from effnet_viz.study.methods import CLOSELY_OF, WITHOUT_MASK, mosaics_of
from effnet_viz.study.store import About, Measured
from effnet_viz.study.summary import estimate, share

Json = dict[str, Any]

FEWEST = 6
"""Methods below which their ranks say nothing."""


def summarize_methods(measured: Mapping[str, Measured]) -> Json:
    """What is measured of methods so far; each part says on how many scenes."""
    closely = measured.get(f"{CLOSELY_OF}-closely")
    return {
        "networks": {
            key: {"scenes": about["scenes"], "methods": _table(about, rows, PLACEMENTS)}
            for key, (about, rows) in measured.items()
            if not key.endswith("-closely")
        },
        "closely": None if closely is None else _closely(*closely),
    }


def _table(about: About, rows: Rows, scenes_each: int) -> list[Json]:
    """A row for each method that has a map of every scene."""
    shares = share(rows["energy"], rows["upper_bound"])  # (scenes, methods)
    of = np.repeat(np.arange(len(about["objects"])), scenes_each)
    there: NDArray[np.bool_] = np.array(~np.isnan(rows["energy"]).any(axis=0))  # (methods,)
    return [
        {
            "method": key,
            "share": estimate(shares[:, place], of),
            "energy": estimate(rows["energy"][:, place].astype(float), of),
            "hit": estimate(rows["hit"][:, place].astype(float), of),
            "passes": METHODS[key].passes,
            "seconds": round(float(np.median(rows["seconds"][:, place])), 4),
        }
        for place, key in enumerate(about["methods"])
        if there[place]
    ]


def _closely(about: About, rows: Rows) -> Json:
    table = _table(about, rows, 1)
    named = {row["method"] for row in table}
    places = [place for place, key in enumerate(about["methods"]) if key in named]
    found: Json = {"scenes": about["scenes"], "methods": table, "agreement": {}}
    if len(places) < FEWEST:
        return found
    mask = share(rows["energy"], rows["upper_bound"])[:, places]  # (objects, methods)
    signs = {one.key: 1 if one.better == "higher" else -1 for one in MEASURES}
    for name in WITHOUT_MASK:
        values = signs[name] * rows[name][:, places].astype(np.float64)
        if not np.isnan(values).any():
            together = mosaics_of(len(mask)) if name == "pointing" else None
            found["agreement"][name] = rank_agreement(mask, values, together)
    return found


def rank_agreement(
    mask: NDArray[Any], values: NDArray[Any], together: Sequence[Sequence[int]] | None = None
) -> Json:
    """Spearman's correlation over methods of the means of two numbers (objects, methods), and its
    95 % interval with objects drawn with replacement; higher is better in both.

    `together` has the numbers of the objects that are drawn as one, None each by itself.
    """
    random = np.random.default_rng(0)
    groups = [np.array(one) for one in together or np.arange(len(mask))[:, None]]
    draws = []
    for drawn in random.integers(0, len(groups), (RESAMPLES, len(groups))):
        objects = np.concatenate([groups[one] for one in drawn])
        draws.append(_spearman(mask[objects].mean(axis=0), values[objects].mean(axis=0)))
    low, high = np.percentile(draws, [2.5, 97.5])
    value = _spearman(mask.mean(axis=0), values.mean(axis=0))
    return {"value": round(value, 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def _spearman(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Equal values share the mean of their places; 0 where all are equal."""
    from scipy import stats  # takes seconds to import

    ranks = [stats.rankdata(values) for values in (one, other)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])
