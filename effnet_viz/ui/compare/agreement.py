"""How alike the maps are, in pairs and in places."""

from __future__ import annotations

import streamlit as st

from effnet_viz.analysis.explanation import GRID
from effnet_viz.arrays import Placement
from effnet_viz.pictures.captions import model_caption
from effnet_viz.ui import viewer
from effnet_viz.ui.compare.view import ComparisonView
from effnet_viz.ui.layout.charts import WITH_SCALE, show_heatmap
from effnet_viz.ui.layout.help import how_to_read

AGREEMENT_HELP = """
**Rank correlation** compares the order of all places, from least to most important: 1 is the same
order, 0 is unrelated, −1 is reversed. **Overlap** looks only at the most important 20 % of each
map: what both have, as a share of what either has. Both use the part of the photograph that all
networks saw, on a grid of 64×64 places. The picture shows where the networks disagree: the standard
deviation of each place's rank.
"""


def show_agreement(view: ComparisonView) -> None:
    """How alike the maps are, in pairs and in places."""
    compared = view.comparison
    if len(compared.networks) < 2:
        return
    st.markdown("#### Do they agree?")
    ranks, overlap, where = st.columns(3, gap="medium")
    for column, what, values, low in (
        (ranks, "Rank correlation", compared.rank_correlation, -1),
        (overlap, "Overlap of the most important 20 %", compared.overlap, 0),
    ):
        with column:
            st.markdown(f"**{what}**")
            show_heatmap(
                values.tolist(),
                view.names,
                view.names,
                what=what,
                ends=(low, 1),
                number=".2f",
                look=WITH_SCALE,
                height=110 + 46 * len(values),
            )
    with where:
        st.markdown("**Where they disagree**")
        attributions = [one.attribution for one in compared.explanations]
        first = attributions[0]
        width, height = first.crop.photograph
        left, top, right, bottom = compared.region
        seen = (left / width, top / height, right / width, bottom / height)
        viewer.pane(
            view.canvas.photograph,
            view.canvas.seen if view.canvas.strip else seen,
            compared.disagreement,
            placement=Placement.even(GRID),
            kind="activation",
            description="Disagreement over the photograph: bright where the networks rank a place "
            "differently.",
            caption=[
                *(model_caption(one.provenance) for one in attributions),
                f"standard deviation of ranks, {first.method.title}, class "
                f"“{first.target.label}”, "
                f"stage {first.stage}",
            ],
            stamp=""
            if all(one.provenance.trained for one in attributions)
            else "WITH UNTRAINED NETWORKS",
            field=None,
            covered=None,
            file="disagreement.png",
            key="pane disagreement",
        )
    how_to_read(AGREEMENT_HELP)
