"""What the charts of all pages have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.ui.layout.theme import LIGHT

CONFIG = {"displayModeBar": False}
"""Plotly's own: no buttons over the chart."""

NO_ZOOM = {"fixedrange": True}
"""Of an axis: a finger on a chart scrolls the page."""

WITH_SCALE: Mapping[str, Any] = {"colorscale": "Viridis", "colorbar": {"thickness": 10}}
"""Look of a heat map: cells coloured strongly, with a bar of the colours."""

PALE: Mapping[str, Any] = {
    "colorscale": [[0, "#eef3f2"], [1, "#6dbdb9"]],
    "textfont": {"color": LIGHT["ink"]},
    "showscale": False,
}
"""Look of a heat map: pale enough for dark letters at both ends, so the numbers are enough."""


def layout(
    height: int, x: dict[str, Any], y: dict[str, Any], *, top: int = 8, right: int = 8
) -> dict[str, Any]:
    """A layout with both axes fixed, the legend above on the left, and hardly any margin."""
    return {
        "height": height,
        "margin": {"l": 0, "r": right, "t": top, "b": 0},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": NO_ZOOM | x,
        "yaxis": NO_ZOOM | y,
    }


def show_chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """The chart; `alt` says the same in words."""
    st.plotly_chart(figure, config=CONFIG, key=key, alt=alt)


def show_heatmap(
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    what: str,
    ends: tuple[float, float],
    number: str,
    look: Mapping[str, Any],
    height: int,
) -> None:
    """A symmetric measure of pairs as coloured cells, (rows, columns); None leaves a cell empty.

    `ends` are the values at the ends of the colours, `number` is the format of a value, `look` is
    WITH_SCALE or PALE.
    """
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=columns,
            y=rows,
            zmin=ends[0],
            zmax=ends[1],
            texttemplate=f"%{{z:{number}}}",
            hovertemplate=f"%{{y}} and %{{x}}: %{{z:{number}}}<extra></extra>",
            hoverongaps=False,
            **look,
        ),
        layout(
            height,
            {"showgrid": False, "automargin": True},
            {"showgrid": False, "automargin": True, "autorange": "reversed"},
            right=0,
        ),
    )
    pairs = {
        frozenset((row, column)): f"{column} and {row} {value:{number}}"
        for row, line in zip(rows, values, strict=True)
        for column, value in zip(columns, line, strict=True)
        if row != column and value is not None
    }
    show_chart(figure, key=f"heatmap {what}", alt=f"{what}: {'; '.join(pairs.values())}.")
