"""The charts of the lab."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.lab import sentences
from effnet_viz.lab.results import (
    SIZE_GROUPS,
    MapSummary,
    OverRuns,
    Results,
)
from effnet_viz.ui.lab.measure_table import REFERENCES, Measure, labelled_pairs, reference_values
from effnet_viz.ui.layout.theme import GREY, ink, network_colours

_PALE_TO_GREEN = [[0, "#eef3f2"], [1, "#6dbdb9"]]
"""Light enough for dark letters at both ends."""

CHART_CONFIG = {"displayModeBar": False}


def _runs_and_mean(
    figure: go.Figure, row: float, values: OverRuns, name: str, colour: str, symbol: str = "circle"
) -> None:
    """One dot a run and a bar for the mean, in one row."""
    figure.add_scatter(
        x=list(values.runs),
        y=[row] * len(values.runs),
        mode="markers",
        marker={
            "color": colour,
            "size": 9,
            "opacity": 0.6,
            "symbol": symbol,
            "line": {"width": 2, "color": colour},
        },
        name=name,
        showlegend=False,
        hovertemplate=f"{name}, one run: %{{x:.1%}}<extra></extra>",
    )
    figure.add_scatter(
        x=[values.mean],
        y=[row],
        mode="markers",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 3.5, "color": colour}},
        name=name,
        showlegend=False,
        hovertemplate=f"{name}, mean: %{{x:.1%}}<extra></extra>",
    )


def _rows(figure: go.Figure, labels: Sequence[str], **axis: object) -> None:
    """The first label on top; every row as high as the others."""
    figure.update_layout(
        height=70 + 34 * len(labels),
        margin={"l": 0, "r": 12, "t": 8, "b": 0},
        yaxis={
            "tickvals": list(range(len(labels))),
            "ticktext": list(labels),
            "range": [len(labels) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
        xaxis={"fixedrange": True, "zeroline": False, "automargin": True, "nticks": 6} | axis,
    )


def draw_accuracy(results: Results) -> go.Figure:
    figure = go.Figure()
    for row, (key, colour) in enumerate(network_colours(results).items()):
        network = results.networks[key]
        for shift, values, where, symbol in (
            (-0.2, network.top1_seen, "seen vendors", "circle-open"),
            (0.2, network.top1_unseen, "unseen vendor", "circle"),
        ):
            _runs_and_mean(figure, row + shift, values, f"{network.name}, {where}", colour, symbol)
    for where, symbol in (("unseen vendor", "circle"), ("seen vendors", "circle-open")):
        figure.add_scatter(
            x=[None],
            y=[None],
            name=where,
            mode="markers",
            marker={"color": GREY, "size": 9, "symbol": symbol},
        )
    names = [network.name for network in results.networks.values()]
    _rows(figure, names, tickformat=".0%", title="top-1 accuracy")
    figure.update_layout(
        height=350,
        margin={"t": 34},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def draw_means(results: Results, kind: str, measure: Measure) -> go.Figure:
    """Runs and means of each network; under them the reference maps, each with a line upwards."""
    figure = go.Figure()
    networks = results.networks
    for row, (key, colour) in enumerate(network_colours(results).items()):
        network = networks[key]
        values = network.maps[kind].everywhere[measure.key]
        _runs_and_mean(figure, row, values, network.name, colour)
    references = reference_values(results, measure) if measure.comparable else {}
    for row, (title, values) in enumerate(references.items(), len(networks)):
        figure.add_shape(
            type="line",
            x0=values.mean,
            x1=values.mean,
            y0=-0.5,
            y1=row,
            line={"color": GREY, "width": 1, "dash": "dot"},
            layer="below",
        )
        figure.add_scatter(
            x=[values.mean],
            y=[row],
            mode="markers",
            marker={"symbol": "diamond-open", "color": GREY, "size": 10, "line": {"width": 2}},
            name=title,
            showlegend=False,
            hovertemplate=f"{title}: %{{x:.1%}}<extra></extra>",
        )
    labels = [*(network.name for network in networks.values()), *references]
    _rows(figure, labels, tickformat=".0%")
    return figure


def draw_pairs(results: Results, kind: str, measure: Measure) -> go.Figure:
    """A forest plot: differences in points; clear ones in colour."""
    pairs = labelled_pairs(results, kind, measure)
    figure = go.Figure()
    figure.add_vline(0, line={"color": ink(), "width": 1})
    for clear, name, colour in ((True, "clear", ink()), (False, "includes 0", GREY)):
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
    _rows(figure, [label for label, _ in pairs], title="difference in percentage points")
    figure.update_layout(
        margin={"t": 34},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def draw_by_size(results: Results, kind: str, measure: Measure) -> go.Figure:
    figure = go.Figure()
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

    for key, colour in network_colours(results).items():
        network = results.networks[key]
        add(network.maps[kind], network.name, {"color": colour}, "circle")
    if measure.comparable:
        for name, dash in (("uniform", "dot"), ("centre_gaussian", "dash")):
            line = {"color": GREY, "width": 1.5, "dash": dash}
            add(results.references[name], REFERENCES[name], line, "diamond-open")
    figure.update_layout(
        height=340,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"fixedrange": True, "title": "object (share of the picture)"},
        yaxis={"tickformat": ".0%", "fixedrange": True, "automargin": True, "nticks": 6},
    )
    return figure


def show_matrix(
    results: Results,
    values: dict[tuple[str, str], float],
    ends: tuple[float, float],
    shown_as: str,
    what: str,
) -> None:
    """Every pair once: a triangle."""
    keys = list(results.networks)
    columns, rows = keys[:-1], keys[1:]
    names = {key: network.name for key, network in results.networks.items()}
    figure = go.Figure(
        go.Heatmap(
            z=[[values.get((one, other)) for one in columns] for other in rows],
            x=[names[key] for key in columns],
            y=[names[key] for key in rows],
            zmin=ends[0],
            zmax=ends[1],
            colorscale=_PALE_TO_GREEN,
            textfont={"color": "#1d2527"},
            texttemplate=f"%{{z:{shown_as}}}",
            hovertemplate=f"%{{y}} and %{{x}}: %{{z:{shown_as}}}<extra></extra>",
            hoverongaps=False,
            showscale=False,
        )
    )
    figure.update_layout(
        height=60 + 46 * len(rows),
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis={"fixedrange": True, "showgrid": False, "automargin": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "showgrid": False, "automargin": True},
    )
    spoken = "; ".join(
        f"{names[one]} and {names[other]} {format(value, shown_as)}"
        for (one, other), value in values.items()
    )
    st.plotly_chart(
        figure, config=CHART_CONFIG, key=f"lab {what}", alt=f"{what.capitalize()}: {spoken}."
    )


def draw_curves(results: Results) -> go.Figure:
    """Solid on the unseen vendor, dashed on seen ones."""
    figure = go.Figure()
    for key, colour in network_colours(results).items():
        name, curve = results.networks[key].name, results.curves[key]
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
        figure.add_scatter(
            x=[None],
            y=[None],
            name=where,
            mode="lines",
            line={"color": GREY, "dash": dash, "width": 2},
        )
    figure.update_layout(
        height=380,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": "views in training", "fixedrange": True, "rangemode": "tozero"},
        yaxis={
            "title": "top-1 accuracy",
            "tickformat": ".0%",
            "fixedrange": True,
            "automargin": True,
        },
    )
    return figure
