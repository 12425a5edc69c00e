"""The charts of the lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from effnet_viz.lab import sentences
from effnet_viz.lab.results import SIZE_GROUPS, MapSummary, MeasuredNetwork, OverRuns, Results
from effnet_viz.ui.lab.measure_table import REFERENCES, Measure, labelled_pairs, reference_values
from effnet_viz.ui.layout import theme
from effnet_viz.ui.layout.charts import layout

ABOVE = 34
"""Room for a legend over a chart of rows, in pixels."""


def _coloured(results: Results) -> list[tuple[MeasuredNetwork, str]]:
    """Every network with its colour."""
    colours = theme.current()
    return [(network, colours[f"net-{key}"]) for key, network in results.networks.items()]


def _grey() -> str:
    return theme.current()["quiet"]


def _add_runs_and_mean(
    figure: go.Figure, row: float, values: OverRuns, name: str, colour: str, symbol: str = "circle"
) -> None:
    """One dot a run and a bar for the mean, in one row."""
    outline = {"width": 2, "color": colour}
    dots = {"color": colour, "size": 9, "opacity": 0.6, "symbol": symbol, "line": outline}
    bar = {"symbol": "line-ns", "size": 16, "line": {"width": 3.5, "color": colour}}
    for places, marker, what in ((values.runs, dots, "one run"), ([values.mean], bar, "mean")):
        figure.add_scatter(
            x=places,
            y=[row] * len(places),
            mode="markers",
            marker=marker,
            name=name,
            showlegend=False,
            hovertemplate=f"{name}, {what}: %{{x:.1%}}<extra></extra>",
        )


def _add_to_legend(figure: go.Figure, name: str, **style: Any) -> None:
    figure.add_scatter(x=[None], y=[None], name=name, **style)


def _rows(labels: Sequence[str], *, top: int = 8, **x: object) -> dict[str, Any]:
    """The first label on top; every row as high as the others."""
    y = {
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
    x = {"zeroline": False, "automargin": True, "nticks": 6} | x
    return layout(70 + 34 * len(labels), x, y, top=top, right=12)


def draw_accuracy(results: Results) -> go.Figure:
    """Top-1 accuracy of every run, on the unseen vendor and on seen ones."""
    networks = list(results.networks.values())
    names = [network.name for network in networks]
    axis = {"tickformat": ".0%", "title": "top-1 accuracy"}
    figure = go.Figure(layout=_rows(names, top=ABOVE, **axis) | {"height": 350})
    for row, (network, colour) in enumerate(_coloured(results)):
        for shift, values, where, symbol in (
            (-0.2, network.top1_seen, "seen vendors", "circle-open"),
            (0.2, network.top1_unseen, "unseen vendor", "circle"),
        ):
            name = f"{network.name}, {where}"
            _add_runs_and_mean(figure, row + shift, values, name, colour, symbol)
    for where, symbol in (("unseen vendor", "circle"), ("seen vendors", "circle-open")):
        marker = {"color": _grey(), "size": 9, "symbol": symbol}
        _add_to_legend(figure, where, mode="markers", marker=marker)
    return figure


def draw_means(results: Results, kind: str, measure: Measure) -> go.Figure:
    """Runs and means of each network; under them the reference maps, each with a line upwards."""
    networks = list(results.networks.values())
    references = reference_values(results, measure) if measure.comparable else {}
    labels = [*(network.name for network in networks), *references]
    figure = go.Figure(layout=_rows(labels, tickformat=".0%"))
    for row, (network, colour) in enumerate(_coloured(results)):
        values = network.maps[kind].everywhere[measure.key]
        _add_runs_and_mean(figure, row, values, network.name, colour)
    for row, (title, values) in enumerate(references.items(), len(networks)):
        figure.add_shape(
            type="line",
            x0=values.mean,
            x1=values.mean,
            y0=-0.5,
            y1=row,
            line={"color": _grey(), "width": 1, "dash": "dot"},
            layer="below",
        )
        figure.add_scatter(
            x=[values.mean],
            y=[row],
            mode="markers",
            marker={"symbol": "diamond-open", "color": _grey(), "size": 10, "line": {"width": 2}},
            name=title,
            showlegend=False,
            hovertemplate=f"{title}: %{{x:.1%}}<extra></extra>",
        )
    return figure


def draw_pairs(results: Results, kind: str, measure: Measure) -> go.Figure:
    """A forest plot: differences in points; clear ones in colour."""
    pairs = labelled_pairs(results, kind, measure)
    labels = [label for label, _ in pairs]
    rows = _rows(labels, top=ABOVE, title="difference in percentage points")
    figure = go.Figure(layout=rows | {"showlegend": True})
    ink = theme.current()["ink"]
    figure.add_vline(0, line={"color": ink, "width": 1})
    for clear, name, colour in ((True, "clear", ink), (False, "includes 0", _grey())):
        chosen = [(row, pair) for row, (_, pair) in enumerate(pairs) if pair.clear == clear]
        figure.add_scatter(
            x=[100 * pair.value for _, pair in chosen],
            y=[row for row, _ in chosen],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (pair.high - pair.value) for _, pair in chosen],
                "arrayminus": [100 * (pair.value - pair.low) for _, pair in chosen],
                "thickness": 2,
                "width": 0,
            },
            mode="markers",
            marker={"color": colour, "size": 9, "symbol": "circle" if clear else "circle-open"},
            name=name,
            customdata=[
                (pairs[row][0], f"{100 * pair.low:.1f}", f"{100 * pair.high:.1f}")
                for row, pair in chosen
            ],
            hovertemplate="%{customdata[0]}: %{x:.1f} points"
            "<br>95 % interval %{customdata[1]} to %{customdata[2]}<extra></extra>",
        )
    return figure


def draw_by_size(results: Results, kind: str, measure: Measure) -> go.Figure:
    """The means of each network and of two reference maps for small, medium and large objects."""
    x = {"title": "object (share of the picture)"}
    y = {"tickformat": ".0%", "automargin": True, "nticks": 6}
    figure = go.Figure(layout=layout(340, x, y))
    labels = [
        f"{group}<br>({sentences.percent(results.object_share(group), 0)})" for group in SIZE_GROUPS
    ]

    def add(summary: MapSummary, name: str, line: dict[str, object], symbol: str) -> None:
        figure.add_scatter(
            x=labels,
            y=[summary.by_size[group][measure.key].mean for group in SIZE_GROUPS],
            name=name,
            mode="lines+markers",
            line=line,
            marker={"size": 8, "symbol": symbol},
            hovertemplate=f"{name}: %{{y:.1%}}<extra></extra>",
        )

    for network, colour in _coloured(results):
        add(network.maps[kind], network.name, {"color": colour}, "circle")
    if measure.comparable:
        for name, dash in (("uniform", "dot"), ("centre_gaussian", "dash")):
            line = {"color": _grey(), "width": 1.5, "dash": dash}
            add(results.references[name], REFERENCES[name], line, "diamond-open")
    return figure


def draw_curves(results: Results) -> go.Figure:
    """Accuracy during training: solid on the unseen vendor, dashed on seen ones."""
    x = {"title": "views in training", "rangemode": "tozero"}
    y = {"title": "top-1 accuracy", "tickformat": ".0%", "automargin": True}
    figure = go.Figure(layout=layout(380, x, y))
    for network, colour in _coloured(results):
        name, curve = network.name, results.curves[network.scaling.key]
        views = [point.views for point in curve]
        for accuracies, where, dash in (
            ([point.unseen for point in curve], "unseen vendor", "solid"),
            ([point.seen for point in curve], "seen vendors", "dash"),
        ):
            figure.add_scatter(
                x=views,
                y=accuracies,
                name=name,
                legendgroup=name,
                showlegend=dash == "solid",
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate=f"{name}, {where}: %{{y:.1%}} after %{{x:,}} views<extra></extra>",
            )
    for where, dash in (("unseen vendor", "solid"), ("seen vendors", "dash")):
        line = {"color": _grey(), "dash": dash, "width": 2}
        _add_to_legend(figure, where, mode="lines", line=line)
    return figure
