"""What the charts of all pages have in common."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.ui.layout import theme
from effnet_viz.ui.layout.theme import Theme

CONFIG = {"displayModeBar": False}
"""Plotly's own: no buttons over the chart."""

NO_ZOOM = {"fixedrange": True}
"""Of an axis: a finger on a chart scrolls the page."""

_CLEAR = "rgba(0,0,0,0)"


class Look(Enum):
    """How the cells of a heat map are coloured."""

    WITH_SCALE = auto()
    """Strongly, with a bar of the colours."""
    PALE = auto()
    """Pale enough for letters at both ends, so the numbers are enough."""


WITH_SCALE, PALE = Look


def template(seen: Theme) -> go.layout.Template:
    """What every chart looks like, made of the tokens of a theme."""
    quiet, ink = ({"color": seen[name], "size": 12} for name in ("quiet", "ink"))
    axis = {
        "gridcolor": seen["line"],
        "linecolor": seen["edge"],
        "zerolinecolor": seen["edge"],
        "zerolinewidth": 1,
        "tickfont": quiet,
        "title": {"font": quiet, "standoff": 12},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": theme.FONT, **ink},
            "paper_bgcolor": _CLEAR,
            "plot_bgcolor": _CLEAR,
            "colorway": seen.networks,
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"font": ink, "title": {"font": ink}},
            "hoverlabel": {
                "bgcolor": seen["raised"],
                "bordercolor": seen["line"],
                "font": {"family": theme.FONT, "color": seen["ink"], "size": 14},
                "align": "left",
            },
            "coloraxis": {"colorbar": {"tickfont": quiet, "outlinewidth": 0}},
        }
    )


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
    """The chart in the theme that this visitor sees; `alt` says the same in words."""
    figure.update_layout(template=template(theme.current()))
    st.plotly_chart(figure, config=CONFIG, theme=None, key=key, alt=alt)


def pale_ends(seen: Theme) -> tuple[str, str]:
    """The colours of the lowest and the highest value of a pale heat map."""
    return seen["recess"], seen.mixed("ground", "accent", 0.35)


def show_heatmap(
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    what: str,
    ends: tuple[float, float],
    number: str,
    look: Look,
    height: int,
) -> None:
    """A symmetric measure of pairs as coloured cells, (rows, columns); None leaves a cell empty.

    `ends` are the values at the ends of the colours, `number` is the format of a value.
    """
    seen = theme.current()
    if look is Look.PALE:
        colours: dict[str, Any] = {
            "colorscale": list(zip((0, 1), pale_ends(seen), strict=True)),
            "textfont": {"color": seen["ink"]},
            "showscale": False,
        }
    else:
        colours = {"colorscale": "Viridis", "colorbar": {"thickness": 10, "outlinewidth": 0}}
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
            **colours,
        ),
        layout(
            height,
            {"showgrid": False},
            {"showgrid": False, "autorange": "reversed"},
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
