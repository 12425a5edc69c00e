"""What leaves the app: map captions, and numbers as NPZ, JSON and CSV, with their provenance."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
import math
from typing import Any

import numpy as np

from effnet_viz.analysis.analysis import Analysis, StageExplanation
from effnet_viz.analysis.comparison import Comparison, Kind, NetworkResult
from effnet_viz.attribution import cam
from effnet_viz.pictures import render


def map_caption(analysis: Analysis, method: str, stage: int, *, target: bool = True) -> list[str]:
    """Two lines that belong to every map: model, weights; method, class, stage.

    The scale is added by who colours the map. `target=False` leaves the class out, for maps that
    explain none.
    """
    provenance = analysis.provenance
    side = f"{provenance.resolution} px"
    model = provenance.title if side in provenance.title else f"{provenance.title} at {side}"
    grid = "×".join(str(side) for side in analysis.stages[stage].shape[:0:-1])
    explained = [f"class “{analysis.target.label}”"] if target else []
    return [
        f"{model}, weights: {provenance.weights}",
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


_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem; color: #1d2527; background: #fbfaf7; }
.maps { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; width: 20rem; }
img { width: 100%; border-radius: .4rem; }
figcaption, pre { font-size: .85rem; overflow-wrap: anywhere; white-space: pre-wrap; }
table { border-collapse: collapse; font-size: .85rem; }
td, th { border: 1px solid #d8d4ca; padding: .25rem .5rem; text-align: left; }
"""


def comparison_html(comparison: Comparison, picture: render.Picture, title: str) -> str:
    """The whole comparison as one page that opens without a server and loads nothing.

    `picture` (H, W, 3) is the photograph for the eye and `title` its name. The maps share one
    scale, from zero to the largest evidence of all.
    """
    looks = [result.look for result in comparison.networks]
    limits = render.positive_range(*(look.evidence for look in looks))
    height, width = picture.shape[:2]
    figures = []
    for look in looks:
        drawn = render.overlay(
            picture,
            cam.positive_evidence(look.evidence),
            look.analysis.crop.box_in(width, height),
            limits,
            "magma",
            0.55,
            None if look.analysis.provenance.trained else "UNTRAINED: random weights",
        )
        low, high = (render.number(limit) for limit in limits)
        lines = map_caption(look.analysis, look.method, look.stage)
        lines[-1] += f", positive evidence, shared scale {low} to {high}"
        lines += [f"{p.label} {p.probability:.1%}" for p in look.analysis.predictions[:3]] + [
            f"{finding.title}: {finding.text}" for finding in look.findings
        ]
        text = "<br>".join(html.escape(line) for line in lines)
        source = render.data_url(drawn, "jpeg")
        alternative = html.escape(lines[1], quote=True)
        figures.append(
            f'<figure><img src="{source}" alt="{alternative}"><figcaption>{text}</figcaption>'
            "</figure>"
        )
    header, *rows = csv.reader(io.StringIO(comparison_csv(comparison)))
    columns = zip(header, *rows, strict=True)  # a network a column: the table is long, not wide
    table = "".join(
        f"<tr><th>{html.escape(name)}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in columns
    )
    provenance = json.dumps([look.analysis.provenance.as_dict() for look in looks], indent=1)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in comparison.notes)
    heading = f"{title}: class “{looks[0].origin.target}” in {len(looks)} networks"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(heading)}</title><style>{_STYLE}</style>"
        f"<h1>{html.escape(heading)}</h1>{notes}"
        f'<div class="maps">{"".join(figures)}</div>'
        "<h2>Numbers</h2>"
        f"<table>{table}</table>"
        f"<h2>Where these results come from</h2><pre>{html.escape(provenance)}</pre></html>\n"
    )


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
