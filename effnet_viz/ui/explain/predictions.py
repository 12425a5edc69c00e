"""The most probable classes as bars."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.records import Prediction
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.layout import theme
from effnet_viz.ui.layout.charts import CONFIG, layout
from effnet_viz.ui.layout.text import percent, truncate


def show_predictions(view: ExplainView) -> None:
    """The five best classes as bars that choose the target, and the target's rank."""
    predictions, target = view.analysis.predictions, view.analysis.target
    shown = list(predictions[:5])
    if target not in shown:
        shown.append(target)
    # A new key after every choice: a click on the same bar must count again.
    key = f"bars {view.image.id} {view.model.id} {target.index}"
    st.plotly_chart(
        _draw_bars(shown, target),
        key=key,
        on_select=lambda: _choose_bar(key),
        selection_mode="points",
        config=CONFIG,
        alt="The most probable classes: "
        + ", ".join(f"{p.label} {p.probability:.1%}" for p in shown),
    )
    st.caption(
        f"The maps explain **{target.label}**: rank {predictions.rank(target.index)} of "
        f"{len(predictions)}, probability {percent(target.probability)}, logit {target.logit:.2f}. "
        f"Click a bar to explain another class.{view.untrained_note}",
        help="The logit is the score of a class before the scores of all classes are turned "
        "into probabilities.",
    )


def _choose_bar(key: str) -> None:
    points = st.session_state[key].selection.points
    if points:
        st.session_state["target"] = points[0]["customdata"][0]


def _draw_bars(predictions: Sequence[Prediction], target: Prediction) -> go.Figure:
    """Horizontal bars of probability; the target class stands out; every row can be clicked."""
    rows = list(range(len(predictions)))
    bar = {
        "y": rows,
        "width": 0.34,
        "orientation": "h",
        "customdata": [[p.label] for p in predictions],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    font = {"size": 13, "color": theme.current().ink}
    texts = []
    for row, prediction in zip(rows, predictions, strict=True):
        start, end = ("<b>", "</b>") if prediction == target else ("", "")
        for x, anchor, text in (
            (0, "left", truncate(prediction.label, 22)),
            (1, "right", percent(prediction.probability)),
        ):
            place = {"x": x, "y": row - 0.36, "xanchor": anchor, "showarrow": False}
            texts.append({"text": f"{start}{text}{end}", "font": font, **place})
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
                marker={"color": [theme.TEAL if p == target else theme.BAR for p in predictions]},
                hovertemplate="%{customdata[0]}: %{x:.2%}<extra></extra>",
                **bar,
            ),
        ],
        layout(
            46 * len(rows) + 20,
            {"range": [0, 1], "visible": False},
            {"range": [len(rows) - 0.5, -0.7], "visible": False},
            top=14,
            right=4,
        )
        | {"annotations": texts, "barmode": "overlay", "showlegend": False},
    )
