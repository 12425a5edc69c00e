"""Covering a part of the photograph."""

from __future__ import annotations

import re

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.predictions import Predictions
from effnet_viz.models.classes import labels
from effnet_viz.records import Prediction
from effnet_viz.ui import viewer
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import shortened

HIDE, KEEP = "hide the part", "keep only the part"

_BOX = re.compile(r"(?:[01](?:\.\d{1,3})?,){3}[01](?:\.\d{1,3})?")


def _box_of(text: str | None) -> viewer.Box | None:
    """Left, top, right, bottom between 0 and 1 from "0.1,0.2,0.5,0.6"; None for anything else."""
    if text is None or not _BOX.fullmatch(text):
        return None
    left, top, right, bottom = map(float, text.split(","))
    return (left, top, right, bottom) if left < right <= 1 and top < bottom <= 1 else None


def covered_box() -> viewer.Box | None:
    """The part of the photograph that is covered, if any. It is in the URL."""
    url_state.adopt("box", lambda text: _box_of(text) is not None)
    text = st.session_state.get("box")
    url_state.publish("box", text)
    return _box_of(text)


def cover_box(box: viewer.Box | None) -> None:
    st.session_state["box"] = box and ",".join(f"{edge:.3f}" for edge in box)


def draw_before_and_after(before: Predictions, after: Predictions, target: Prediction) -> go.Figure:
    """Probabilities of the best classes of both and of the target, as pairs of bars."""
    indices = dict.fromkeys([*(p.index for p in [*before[:3], *after[:3]]), target.index])
    labels = [shortened(labels()[index], 24) for index in indices]
    figure = go.Figure(
        [
            go.Bar(
                name=name,
                y=labels,
                x=[predictions.of(index).probability for index in indices],
                orientation="h",
                marker={"color": colour},
                hovertemplate="%{y}, " + name + ": %{x:.1%}<extra></extra>",
            )
            for name, predictions, colour in (
                ("as it is", before, "#9aa5a8"),
                ("with the part covered", after, "#0f8b8d"),
            )
        ]
    )
    figure.update_layout(
        barmode="group",
        height=52 * len(labels) + 70,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"range": [0, 1], "tickformat": ".0%", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True},
    )
    return figure
