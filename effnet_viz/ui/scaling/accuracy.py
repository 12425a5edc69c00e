"""Published accuracy against cost."""

from __future__ import annotations

from math import isfinite, log10

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.models import scaling
from effnet_viz.ui import words
from effnet_viz.ui.layout import theme, url_state
from effnet_viz.ui.layout.charts import NO_ZOOM, show_chart
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import amount, round_amount
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.scaling.rule import YOURS, Chosen

MULTIPLY_ADDS, PARAMETER_COUNT = "multiply-adds", "parameters"

PARAMETERS = (Choice("cost", (MULTIPLY_ADDS, PARAMETER_COUNT)),)

_SERIES_MARKS = (
    ("accent", "circle", True),
    ("net-width", "square", True),
    ("net-depth", "circle-open", True),
    ("net-depth", "x-thin-open", False),
    ("net-resolution", "diamond", False),
    ("quiet", "circle", False),
)
"""Token, symbol and whether a line joins them; in the order of scaling.figures()."""


def show_accuracy(chosen: Chosen) -> None:
    """Published accuracy against multiply-adds or parameters, drawn while somebody wants to see it.

    A chart brings much code: a visitor who looks at the drawing alone does not wait for it.
    """
    asked = st.session_state.setdefault("_accuracy_asked", url_state.is_named("cost"))
    opened = st.expander(words.SCALING_BUYS, asked, key="accuracy_open", on_change="rerun")
    if opened.open:
        with opened:
            _show(chosen)


def _show(chosen: Chosen) -> None:
    axis = st.segmented_control(
        words.COST_IN,
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
    how_to_read(words.ACCURACY_HELP)


def _scatter(axis: str, yours: float | None) -> go.Figure:
    """Top-1 accuracy over cost, logarithmic; a line where the chosen scale is."""
    seen = theme.current()
    figure = go.Figure()
    for (name, series), (token, symbol, joined) in zip(
        scaling.figures().items(), _SERIES_MARKS, strict=True
    ):
        colour = seen[token]
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
        figure.add_vline(yours, line={"color": seen["ink"], "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            text=f"{YOURS.lower()}: {amount(yours)}",
            x=log10(yours),  # annotations on a logarithmic axis are placed by the logarithm
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
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
            font={"color": seen["accent"]},
        )
    ticks = [factor * 10**power for power in range(6, 12) for factor in (1, 3)]
    figure.update_layout(
        height=460,
        margin={"l": 0, "r": 8, "t": 24, "b": 0},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        xaxis={
            "type": "log",
            "title": axis,
            "tickvals": ticks,
            "ticktext": [round_amount(tick) for tick in ticks],
            **NO_ZOOM,
        },
        yaxis={"title": "top-1 accuracy (%)", **NO_ZOOM},
    )
    return figure
