"""The most probable classes as bars."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.records import Prediction
from effnet_viz.ui.layout.text import percent, shortened


def bar_chosen(key: str) -> None:
    points = st.session_state[key].selection.points
    if points:
        st.session_state["target"] = points[0]["customdata"][0]


def draw_bars(predictions: list[Prediction], target: Prediction) -> go.Figure:
    """Horizontal bars of probability; the target class stands out; every row can be clicked."""
    rows = list(range(len(predictions)))
    colours = ["#0f8b8d" if p == target else "#9aa5a8" for p in predictions]
    bar = {
        "y": rows,
        "width": 0.34,
        "orientation": "h",
        "customdata": [[p.label] for p in predictions],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    ink = "#e8e6e1" if st.context.theme.type == "dark" else "#1d2527"
    texts = []
    for row, prediction in zip(rows, predictions, strict=True):
        start, end = ("<b>", "</b>") if prediction == target else ("", "")
        for x, anchor, text in (
            (0, "left", shortened(prediction.label, 22)),
            (1, "right", percent(prediction.probability)),
        ):
            text = f"{start}{text}{end}"
            font = {"size": 13, "color": ink}
            place = {"x": x, "y": row - 0.36, "xanchor": anchor, "showarrow": False}
            texts.append({"text": text, "font": font, **place})
    # Made in one go: every later update would cost plotly as much again.
    return go.Figure(
        [
            go.Bar(  # the whole row, so that a short bar is easy to hit
                x=[1.0] * len(rows),
                marker={"color": "rgba(128,128,128,0.15)"},
                hoverinfo="none",  # no label, but still clicks
                **bar,
            ),
            go.Bar(
                x=[p.probability for p in predictions],
                marker={"color": colours},
                hovertemplate="%{customdata[0]}: %{x:.2%}<extra></extra>",
                **bar,
            ),
        ],
        {
            "annotations": texts,
            "barmode": "overlay",
            "showlegend": False,
            "height": 46 * len(rows) + 20,
            "margin": {"l": 0, "r": 4, "t": 14, "b": 0},
            "xaxis": {"range": [0, 1], "visible": False, "fixedrange": True},
            "yaxis": {"range": [len(rows) - 0.5, -0.7], "visible": False, "fixedrange": True},
        },
    )
