"""Published accuracy against cost."""

from __future__ import annotations

from math import isfinite, log10

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.models import scaling
from effnet_viz.ui.layout import theme
from effnet_viz.ui.layout.charts import NO_ZOOM, show_chart
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import amount, round_amount
from effnet_viz.ui.layout.theme import GREY, ORANGE, PURPLE, RED, TEAL
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.scaling.rule import YOURS, Chosen

MULTIPLY_ADDS, PARAMETER_COUNT = "multiply-adds", "parameters"

PARAMETERS = (Choice("cost", (MULTIPLY_ADDS, PARAMETER_COUNT)),)

ACCURACY_HELP = """
Further up is better, further left is cheaper; each step of the lower axis from 1 to 10 is ten times
the cost. Point at a mark to see its source. The vertical line is your scale: its cost is computed,
but its accuracy would have to be measured, and nobody has.

Compare within one series only. The paper's models, torchvision's and Lite were trained differently;
torchvision's B0 to B4 and B5 to B7 come from two different releases.
"""

_SERIES_MARKS = (
    (TEAL, "circle", True),
    (PURPLE, "square", True),
    (ORANGE, "circle-open", True),
    (ORANGE, "x-thin-open", False),
    (RED, "diamond", False),
    (GREY, "circle", False),
)
"""Colour, symbol and whether a line joins them; in the order of scaling.figures()."""


def show_accuracy(chosen: Chosen) -> None:
    """Published accuracy against multiply-adds or parameters."""
    axis = st.segmented_control(
        "Cost in",
        [MULTIPLY_ADDS, PARAMETER_COUNT],
        default=MULTIPLY_ADDS,
        required=True,
        key="cost",
        bind="query-params",
    )
    built = chosen.built
    yours = None
    if built is not None:
        yours = built.multiply_adds if axis == MULTIPLY_ADDS else built.parameters
    best = max(
        (figure for series in scaling.figures().values() for figure in series),
        key=lambda figure: figure.top1,
    )
    show_chart(
        _scatter(axis, yours),
        key="accuracy",
        alt=f"Published ImageNet top-1 accuracy against {axis} of six series of networks. The "
        f"highest is {best.top1:.1f} % by {best.name}."
        + (f" Your scale has {amount(yours)} {axis}." if yours else ""),
    )
    how_to_read(ACCURACY_HELP)


def _scatter(axis: str, yours: float | None) -> go.Figure:
    """Top-1 accuracy over cost, logarithmic; a line where the chosen scale is."""
    ink = theme.current().ink
    figure = go.Figure()
    for (name, series), (colour, symbol, joined) in zip(
        scaling.figures().items(), _SERIES_MARKS, strict=True
    ):
        costs = [f.multiply_adds if axis == MULTIPLY_ADDS else f.parameters for f in series]
        known = [(f, cost) for f, cost in zip(series, costs, strict=True) if isfinite(cost)]
        figure.add_scatter(
            x=[cost for _, cost in known],
            y=[f.top1 for f, _ in known],
            name=name,
            mode="lines+markers" if joined else "markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 9,
                "line": {"width": 2, "color": colour},
            },
            line={"color": colour, "width": 1.5},
            customdata=[(f.name, f.source, amount(cost)) for f, cost in known],
            hovertemplate="<b>%{customdata[0]}</b>: %{y:.1f} %, %{customdata[2]} "
            + axis
            + "<br>%{customdata[1]}<extra></extra>",
        )
    if yours is not None:
        figure.add_vline(yours, line={"color": ink, "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            text=f"{YOURS.lower()}: {amount(yours)}",
            x=log10(yours),  # annotations on a logarithmic axis are placed by the logarithm
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": ink},
        )
    for member in scaling.family():
        cost = member.figure.multiply_adds if axis == MULTIPLY_ADDS else member.figure.parameters
        figure.add_annotation(
            text=member.name,
            x=log10(cost),
            y=member.figure.top1,
            yshift=-14,
            xshift=10,
            showarrow=False,
            font={"size": 11, "color": TEAL},
        )
    ticks = [factor * 10**power for power in range(6, 12) for factor in (1, 3)]
    figure.update_layout(
        height=460,
        margin={"l": 44, "r": 8, "t": 24, "b": 0},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        xaxis={
            "type": "log",
            "title": axis,
            "tickvals": ticks,
            "ticktext": [round_amount(tick) for tick in ticks],
            **NO_ZOOM,
        },
        yaxis={"title": "top-1 accuracy (%)", **NO_ZOOM},
        hoverlabel={"align": "left"},
    )
    return figure
