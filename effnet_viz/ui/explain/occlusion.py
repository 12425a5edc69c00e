"""How the predictions change with a part of the photograph covered."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.predictions import Predictions
from effnet_viz.records import Prediction
from effnet_viz.ui import results
from effnet_viz.ui.explain.view import ExplainView, cover_box
from effnet_viz.ui.layout.charts import layout, show_chart
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.text import percent, truncate
from effnet_viz.ui.layout.theme import BAR, TEAL
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.layout.waiting import waiting

HIDE, KEEP = "hide the part", "keep only the part"

PARAMETERS = (Choice("blur", (HIDE, KEEP)),)


def show_occlusion(view: ExplainView) -> None:
    """How the predictions change when the drawn box is blurred, or all but the box."""
    box = view.covered
    if box is None:
        return
    st.markdown("#### With a part covered")
    changed, saw = st.columns([2, 1], gap="medium")
    with changed:
        blurred = st.segmented_control(
            "Blur",
            [HIDE, KEEP],
            default=HIDE,
            required=True,
            key="blur",
            bind="query-params",
            label_visibility="collapsed",
        )
        target = view.analysis.target
        with error_boundary(view.model.card.title), waiting("Looking at what is left …"):
            covered = results.covered(view.model, view.image, box, blurred == KEEP)
        left = covered.predictions.of(target.index).probability
        verb = "falls" if left < target.probability else "rises"
        best = covered.predictions[0]
        st.markdown(
            f"The probability of **{target.label}** {verb} from "
            f"{percent(target.probability)} to **{percent(left)}**. The most probable class is "
            f"now **{best.label}** ({percent(best.probability)}).{view.untrained_note}"
        )
        show_chart(
            _draw_before_and_after(view.analysis.predictions, covered.predictions, target),
            key="covered bars",
            alt="Probabilities of the photograph as it is and with the part covered.",
        )
        st.button("Remove the box", on_click=cover_box, args=(None,))
    with saw:
        st.image(covered.picture, alt="What the model saw now.", width="stretch")
        provenance = view.analysis.provenance
        st.caption(
            f"What {provenance.title} saw now, weights: {provenance.weights}. A blurred part still "
            "shows its colours, and blur itself is something a model may react to."
        )


def _draw_before_and_after(
    before: Predictions, after: Predictions, target: Prediction
) -> go.Figure:
    """Probabilities of the best classes of both and of the target, as pairs of bars."""
    indices = dict.fromkeys([*(p.index for p in [*before[:3], *after[:3]]), target.index])
    bars = [
        go.Bar(
            name=name,
            y=[truncate(before.of(index).label, 24) for index in indices],
            x=[predictions.of(index).probability for index in indices],
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{y}, " + name + ": %{x:.1%}<extra></extra>",
        )
        for name, predictions, colour in (
            ("as it is", before, BAR),
            ("with the part covered", after, TEAL),
        )
    ]
    axes = {"range": [0, 1], "tickformat": ".0%"}, {"autorange": "reversed"}
    return go.Figure(bars, layout(52 * len(indices) + 70, *axes) | {"barmode": "group"})
