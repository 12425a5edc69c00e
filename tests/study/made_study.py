"""Results of the study made by hand, with which sentences and the page are checked."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

from effnet_viz.study import results
from effnet_viz.study.measuring import FITS
from effnet_viz.study.results import EVERY, NAMED_BY_ALL, SIZES, StudyResults
from effnet_viz.study.summary import COMPARED, MEASURES

Json = dict[str, Any]
TITLES = {
    "lite0": ("EfficientNet-Lite0", 224),
    "lite2": ("EfficientNet-Lite2", 260),
    "lite0-r320": ("EfficientNet-Lite0, 320 px", 320),
    "lite0-r448": ("EfficientNet-Lite0, 448 px", 448),
}


def near(value: float) -> Json:
    """With an interval of ± 0.02."""
    return {"value": value, "low": value - 0.02, "high": value + 0.02}


def made(
    shares: dict[str, float],
    *,
    more_on_own: float = 0.9,
    stages: tuple[float, ...] = (0.2, 0.7),
    methods: dict[str, float] | None = None,
) -> Json:
    """results.json of networks with these values of every measure, and of Lite0's methods."""
    assert set(FITS) < set(MEASURES)
    networks = {
        key: {
            "about": {
                "title": TITLES[key][0], "resolution": TITLES[key][1],
                "multiply_adds": 1000 * TITLES[key][1],
            },
            "right": near(0.5),
            "measures": {
                EVERY: {name: near(share - 0.1) for name in MEASURES},
                NAMED_BY_ALL: {name: near(share) for name in MEASURES},
            },
            "by_size": {size: {name: near(share) for name in MEASURES} for size in SIZES},
            "stages": [
                {"depth": (number + 1) / len(stages)}
                | {name: near(value) for name in ("share", "energy", "hit")}
                for number, value in enumerate(stages)
            ],
            "late_minus_early": near(stages[-1] - stages[0]),
            "stability": near(0.8),
            "two": {"maps": 300, "of": 618, "more_on_own": near(more_on_own)}
            | {name: near(0.4) for name in ("own", "even_own", "even_other")}
            | {"other": near(0.05)},
        }
        for key, share in shares.items()
    }  # fmt: skip
    rows = [
        {"method": key, "share": near(share), "energy": near(share), "hit": near(share)}
        | {"passes": 2, "seconds": 0.1}
        for key, share in (methods or {}).items()
    ]
    agreement = {"deletion": {"value": 0.5, "low": 0.3, "high": 0.7}}
    return {
        "methods": {
            "networks": {"lite0": {"scenes": 150, "methods": rows}} if methods else {},
            "closely": {"scenes": 30, "methods": rows, "agreement": agreement} if methods else None,
        },
        "scenes": 2060, "objects": ["frog"] * 103, "named_by_all": 900, "pairs_of_objects": 309,
        "near": 5, "common_grid": 7, "networks": networks,
        "differences": [
            {"one": one, "other": other, "group": group, "measure": name}
            | near(shares[other] - shares[one])
            for one, other in combinations(shares, 2)
            for group in (EVERY, NAMED_BY_ALL)
            for name in COMPARED
        ],
    }  # fmt: skip


def written(folder: Path, content: Json) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def read(folder: Path, content: Json) -> StudyResults:
    return results.load(written(folder, content))
