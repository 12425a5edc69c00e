"""Results of the lab made by hand, with which sentences and charts are checked."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

from effnet_viz.lab import results as lab
from effnet_viz.lab import sentences
from effnet_viz.lab.results import (
    CAM,
    DETAILS,
    GRAD_CAM,
    SIZE_GROUPS,
    Results,
)
from effnet_viz.lab.runs import HELD_OUT_VENDORS
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.ui.lab.measure_table import MEASURES

Json = dict[str, Any]
RISING = dict(zip(SCALINGS, (0.5, 0.55, 0.6, 0.65, 0.7), strict=True))
FALLING = dict(zip(SCALINGS, (0.7, 0.65, 0.6, 0.55, 0.5), strict=True))
EQUAL = dict.fromkeys(SCALINGS, 0.6)
NAMES = [measure.key for measure in MEASURES.values()]


def over_runs(mean: float) -> Json:
    return {"mean": mean, "spread": 0.01, "runs": [mean - 0.01, mean, mean + 0.01]}


def summary(levels: dict[str, float]) -> Json:
    """Measures of one map; a small object has 0.1 less, a large one 0.1 more."""
    return {
        "all": {name: over_runs(level) for name, level in levels.items()},
        "best_threshold": over_runs(0.4),
        "by_size": {
            group: {name: over_runs(level + shift) for name, level in levels.items()}
            for group, shift in zip(SIZE_GROUPS, (-0.1, 0.0, 0.1), strict=True)
        },
    }


def made(relevance: dict[str, float], details: dict[str, float] | None = None) -> Json:
    """results.json with these means for every measure (coverage may have its own).

    Every interval is the difference ± 0.02. Grad-CAM has half of every measure.
    """
    details = details or relevance
    levels = {
        key: dict.fromkeys(NAMES, relevance[key]) | {DETAILS: details[key]} for key in SCALINGS
    }
    halves = {key: {name: value / 2 for name, value in of.items()} for key, of in levels.items()}
    uniform, gaussian = dict.fromkeys(NAMES, 0.2) | {DETAILS: 1.0}, dict.fromkeys(NAMES, 0.57)
    pairs = []
    for kind, by_key in ((CAM, levels), (GRAD_CAM, halves)):
        for one, other in combinations(SCALINGS, 2):
            for name in NAMES:
                difference = by_key[other][name] - by_key[one][name]
                pairs.append(
                    {"map": kind, "measure": name, "one": one, "other": other,
                     "difference": difference, "low": difference - 0.02, "high": difference + 0.02}
                )  # fmt: skip
    top1 = dict(zip(SCALINGS, (0.7, 0.76, 0.79, 0.73, 0.775), strict=True))
    for one, other in combinations(SCALINGS, 2):
        difference = top1[other] - top1[one]
        pairs.append(
            {"map": "answers", "measure": "top1_unseen", "one": one, "other": other,
             "difference": difference, "low": difference - 0.02, "high": difference + 0.02}
        )  # fmt: skip
    curve = [
        {"views": 1000 * n, "seen_top1": 0.2 * n, "unseen_top1": 0.1 * n} for n in (1, 2, 3, 4)
    ]
    return {
        "recipe": {"views": 4000},
        "training": {
            f"{key}-{run}": {"learning_curve": curve} for run in range(3) for key in SCALINGS
        },
        "scenes": 100,
        "runs": {
            str(run): {
                "held_out_vendor": HELD_OUT_VENDORS[run], "seed": run,
                "networks": list(SCALINGS), "scenes_all_correct": 50 + run,
                "object_share": {"small": 0.05, "medium": 0.1, "large": 0.2},
            }
            for run in range(3)
        },
        "fixed_threshold": 0.2,
        "common_grid": 4,
        "networks": {
            key: {
                "grid": 8 if key == "resolution" else 4,
                "multiply_adds": 10_000_000 if key == "baseline" else 40_000_000,
                "parameters": 400_000 if key == "baseline" else 1_700_000,
                "top1_seen": over_runs(0.9), "top1_unseen": over_runs(top1[key]),
                CAM: summary(levels[key]), GRAD_CAM: summary(halves[key]),
            }
            for key in SCALINGS
        },
        "references": {
            "uniform": summary(uniform), "centre_dot": summary(gaussian),
            "centre_gaussian": summary(gaussian), "mask": summary(dict.fromkeys(NAMES, 1.0)),
        },
        "pairs": pairs,
        "agreement": [
            {"one": one, "other": other, "same_answer": over_runs(0.8 + 0.01 * number),
             "cam_correlation": over_runs(0.5 - 0.01 * number)}
            for number, (one, other) in enumerate(combinations(SCALINGS, 2))
        ],
        "time": {
            "machine": "a machine", "milliseconds": {key: {"forward": 3.3} for key in SCALINGS}
        },
    }  # fmt: skip


def written(folder: Path, content: Json) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def loaded(folder: Path, content: Json) -> Results:
    return lab.load(written(folder, content))


def headline(folder: Path, content: Json) -> list[str]:
    return [spaced(sentence) for sentence in sentences.headline(loaded(folder, content))]


def spaced(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")
