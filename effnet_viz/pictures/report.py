"""A comparison as a table (CSV) and as a page that opens without a server (HTML)."""

from __future__ import annotations

import csv
import html
import io
import json
import math
from typing import Any

from effnet_viz.analysis.comparison import Comparison, NetworkResult
from effnet_viz.analysis.explanation import Explanation
from effnet_viz.arrays import Pixels, Range, positive_evidence, positive_range
from effnet_viz.metrics.deletion import Kind
from effnet_viz.pictures import render
from effnet_viz.pictures.captions import UNTRAINED, map_caption
from effnet_viz.pictures.encode import data_url


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
                row[f"{name} with {other.explanation.analysis.model.name}"] = float(value)
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
figure { margin: 0; width: min(20rem, 100%); }
img { width: 100%; border-radius: .4rem; }
figcaption, pre { font-size: .85rem; overflow-wrap: anywhere; white-space: pre-wrap; }
table { border-collapse: collapse; font-size: .85rem; }
td, th { border: 1px solid #d8d4ca; padding: .25rem .5rem; text-align: left; }
td { min-width: 8rem; overflow-wrap: anywhere; }
.numbers { overflow-x: auto; }
"""


def comparison_html(comparison: Comparison, picture: Pixels, title: str) -> str:
    """The whole comparison as one page that opens without a server and loads nothing.

    `picture` (H, W, 3) is the photograph for the eye and `title` its name. The maps share one
    scale, from zero to the largest evidence of all.
    """
    explanations = comparison.explanations
    limits = positive_range(*(one.attribution.values for one in explanations))
    figures = [_figure(one, picture, limits) for one in explanations]
    header, *rows = csv.reader(io.StringIO(comparison_csv(comparison)))
    columns = zip(header, *rows, strict=True)  # a network a column: the table is long, not wide
    table = "".join(
        f"<tr><th>{html.escape(name)}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in columns
    )
    provenance = json.dumps([e.analysis.provenance.as_dict() for e in explanations], indent=1)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in comparison.notes)
    target = explanations[0].attribution.target.label
    heading = f"{title}: class “{target}” in {len(explanations)} networks"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(heading)}</title><style>{_STYLE}</style>"
        f"<h1>{html.escape(heading)}</h1>{notes}"
        f'<div class="maps">{"".join(figures)}</div>'
        "<h2>Numbers</h2>"
        '<div class="numbers" role="region" aria-label="Numbers" tabindex="0">'
        f"<table>{table}</table></div>"
        f"<h2>Where these results come from</h2><pre>{html.escape(provenance)}</pre></html>\n"
    )


def _figure(explanation: Explanation, picture: Pixels, limits: Range) -> str:
    """One map over the photograph with everything that belongs to it, as HTML."""
    attribution, analysis = explanation.attribution, explanation.analysis
    height, width = picture.shape[:2]
    drawn = render.overlay(
        picture,
        positive_evidence(attribution.values),
        attribution.placement,
        attribution.crop.box_in(width, height),
        limits,
        "magma",
        0.55,
        None if analysis.provenance.trained else UNTRAINED,
    )
    low, high = (render.number(limit) for limit in limits)
    lines = map_caption(attribution)
    lines[-1] += f", positive evidence, shared scale {low} to {high}"
    lines += [f"{p.label} {p.probability:.1%}" for p in analysis.predictions[:3]] + [
        f"{caveat.title}: {caveat.text}" for caveat in explanation.caveats
    ]
    text = "<br>".join(html.escape(line) for line in lines)
    alternative = html.escape(lines[1], quote=True)
    return (
        f'<figure><img src="{data_url(drawn, "jpeg")}" alt="{alternative}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _described(result: NetworkResult) -> dict[str, Any]:
    """The network, its weights, the photograph, the class and the map."""
    explanation, attribution = result.explanation, result.explanation.attribution
    provenance, target = attribution.provenance, attribution.target
    predictions = explanation.analysis.predictions
    concentration = explanation.concentration
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
        "seconds per forward pass": explanation.seconds,
        "image sha256": provenance.image_sha256,
        "target": target.label,
        "probability": target.probability,
        "logit": target.logit,
        "rank": predictions.rank(target.index),
        "top-1": predictions[0].label,
        "method": attribution.method.title,
        "stage": attribution.stage,
        "scale": attribution.unit.value,
        "grid": "×".join(str(side) for side in attribution.values.shape[::-1]),
        "lowest": float(attribution.values.min()),
        "highest": float(attribution.values.max()),
        "crop (left top right bottom)": " ".join(f"{side:g}" for side in attribution.crop.box),
        "area with half of the positive evidence": concentration.area,
        "regions in it": concentration.regions,
        "distance of the positive evidence to the border": concentration.border,
        "caveats": "; ".join(caveat.title for caveat in explanation.caveats),
        "notes": " ".join(result.notes),
    }


def _measured(result: NetworkResult) -> dict[str, Any]:
    """Deletion and insertion and the grid pointing game, as far as they were asked for."""
    row: dict[str, Any] = {}
    if result.deletion_insertion is not None:
        both = result.deletion_insertion
        kinds: tuple[Kind, ...] = ("deletion", "insertion")
        for kind, curve in zip(kinds, (both.deletion, both.insertion), strict=True):
            row[f"area under {kind}"] = curve.area
            row[f"relative area under {kind}"] = both.relative_area(kind)
            for fraction, value in zip(curve.fractions, curve.probabilities, strict=True):
                row[f"probability at {fraction:.0%} {kind}"] = value
    if result.pointing is not None:
        row["pointing: mean share"] = result.pointing.mean
        for score in result.pointing.scores:
            row[f"pointing: share for {score.target.label}"] = score.share
    return row
