"""What leaves the app: map captions, and numbers as NPZ, JSON and CSV, with their provenance."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from typing import Any

import numpy as np

from effnet_viz.analysis import Analysis, StageExplanation
from effnet_viz.comparison import Comparison, Kind, NetworkResult


def map_caption(analysis: Analysis, method: str, stage: int, *, target: bool = True) -> list[str]:
    """Two lines that belong to every map: model, weights; method, class, stage.

    The scale is added by who colours the map. `target=False` leaves the class out, for maps that
    explain none.
    """
    provenance = analysis.provenance
    grid = "×".join(str(side) for side in analysis.stages[stage].shape[:0:-1])
    explained = [f"class “{analysis.target.label}”"] if target else []
    return [
        f"{provenance.title} at {provenance.resolution} px, weights: {provenance.weights}",
        ", ".join([method, *explained, f"stage {stage} ({grid})"]),
    ]


def _numbers(analysis: Analysis, explained: StageExplanation) -> dict[str, Any]:
    """Everything but the arrays, ready for JSON."""
    return {
        "provenance": analysis.provenance.as_dict(),
        "target": dataclasses.asdict(analysis.target),
        "crop": dataclasses.asdict(analysis.crop),
        "grad_cam_stage": explained.stage,
        "units": {
            "cam": "logit; mean over positions + bias = logit of the target class",
            "grad_cam": "logit / (h * w); signed, before the ReLU",
            "channel_relevance": "logit; votes at stage 9, elsewhere gradient times activation",
            "crop.box": "pixels of the upright photograph: left, top, right, bottom",
        },
    }


def as_json(analysis: Analysis, explained: StageExplanation) -> str:
    """CAM, Grad-CAM, channel relevance and all predictions, with provenance."""
    numbers = _numbers(analysis, explained)
    numbers["predictions"] = [dataclasses.asdict(p) for p in analysis.predictions]
    numbers["cam"] = analysis.cam.tolist()  # (h, w)
    numbers["grad_cam"] = explained.grad_cam.tolist()  # (h, w)
    numbers["channel_relevance"] = explained.channel_relevance.tolist()  # (C,)
    return json.dumps(numbers, indent=1)


def as_npz(analysis: Analysis, explained: StageExplanation) -> bytes:
    """The same as arrays, with the explained stage's activation; the rest as JSON in `numbers`.

    Opens with numpy.load(..., allow_pickle=False).
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        cam=analysis.cam,  # (h, w)
        grad_cam=explained.grad_cam,  # (h, w)
        channel_relevance=explained.channel_relevance,  # (C,)
        activation=analysis.stages[explained.stage],  # (C, h, w)
        logits=analysis.logits,  # (classes,)
        numbers=np.array(json.dumps(_numbers(analysis, explained))),
    )
    return buffer.getvalue()


def comparison_csv(comparison: Comparison) -> str:
    """Everything of a comparison as CSV, one row a network; those that failed say why.

    A number that is undefined or was not asked for is an empty cell.
    """
    rows: list[dict[str, Any]] = []
    for place, result in enumerate(comparison.networks):
        row = _described(result)
        for name, matrix in (
            ("spearman", comparison.rank_correlation),
            ("iou of top 20 %", comparison.overlap),
        ):
            for other, value in zip(comparison.networks, matrix[place], strict=True):
                row[f"{name} with {other.look.name}"] = float(value)
        rows.append(row | _measured(result))
    rows += [
        {"model": failure.model, "title": failure.title, "notes": failure.message}
        for failure in comparison.failures
    ]
    # Every column that any row has, in the order of first appearance.
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {c: "" if isinstance(v, float) and math.isnan(v) else v for c, v in row.items()}
        )
    return table.getvalue()


def _described(result: NetworkResult) -> dict[str, Any]:
    """The network, its weights, the photograph, the class and the map."""
    look = result.look
    provenance, target = look.analysis.provenance, look.analysis.target
    predictions = look.analysis.predictions
    concentration = look.concentration
    return {
        "model": provenance.model,
        "title": provenance.title,
        "weights": provenance.weights,
        "weights sha256": provenance.weights_sha256 or "",
        "trained": provenance.trained,
        "recipe": provenance.recipe,
        "architecture": provenance.architecture,
        "width": provenance.width,
        "depth": provenance.depth,
        "resolution": provenance.resolution,
        "engine": provenance.engine,
        "seconds per forward pass": look.seconds,
        "image sha256": provenance.image_sha256,
        "target": target.label,
        "probability": target.probability,
        "logit": target.logit,
        "rank": predictions.rank(target.index),
        "top-1": predictions[0].label,
        "method": look.method,
        "stage": look.stage,
        "scale": look.origin.scale,
        "grid": "×".join(str(side) for side in look.evidence.shape[::-1]),
        "lowest": float(look.evidence.min()),
        "highest": float(look.evidence.max()),
        "crop (left top right bottom)": " ".join(f"{side:g}" for side in look.analysis.crop.box),
        "area with half of the positive evidence": concentration.area,
        "regions in it": concentration.regions,
        "distance of the positive evidence to the border": concentration.border,
        "findings": "; ".join(finding.title for finding in look.findings),
        "notes": " ".join(result.notes),
    }


def _measured(result: NetworkResult) -> dict[str, Any]:
    """Deletion race and grid pointing game, as far as they were played."""
    row: dict[str, Any] = {}
    if result.race is not None:
        race = result.race
        kinds: tuple[Kind, ...] = ("deletion", "insertion")
        for kind, curve in zip(kinds, (race.deletion, race.insertion), strict=True):
            row[f"area under {kind}"] = curve.area
            row[f"relative area under {kind}"] = race.relative_area(kind)
            for fraction, value in zip(curve.fractions, curve.probabilities, strict=True):
                row[f"probability at {fraction:.0%} {kind}"] = value
    if result.pointing is not None:
        row["pointing: mean share"] = result.pointing.mean
        for tile in result.pointing.tiles:
            row[f"pointing: share for {tile.target.label}"] = tile.share
    return row
