"""How alike the maps are, in pairs and in places."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from effnet_viz.pictures.captions import map_caption
from effnet_viz.ui import viewer
from effnet_viz.ui.compare.view import Shown, short_names
from effnet_viz.ui.layout.help import how_to_read

AGREEMENT_HELP = """
**Rank correlation** compares the order of all places, from least to most important: 1 is the same
order, 0 is unrelated, −1 is reversed. **Overlap** looks only at the most important 20 % of each
map: what both have, as a share of what either has. Both use the part of the photograph that all
networks saw, on a grid of 64×64 places. The picture shows where the networks disagree: the standard
deviation of each place's rank.
"""


def show_agreement(shown: Shown) -> None:
    """How alike the maps are, in pairs and in places."""
    compared = shown.comparison
    if len(compared.networks) < 2:
        return
    st.markdown("#### Do they agree?")
    ranks, overlap, where = st.columns(3, gap="medium")
    names = short_names(shown)
    with ranks:
        st.markdown("**Rank correlation**")
        _heatmap(compared.rank_correlation, names, -1.0, "rank correlation")
    with overlap:
        st.markdown("**Overlap of the most important 20 %**")
        _heatmap(compared.overlap, names, 0.0, "overlap")
    with where:
        st.markdown("**Where they disagree**")
        looks = [result.look for result in compared.networks]
        first = looks[0]
        width, height = first.analysis.crop.photograph
        left, top, right, bottom = compared.region
        seen = (left / width, top / height, right / width, bottom / height)
        viewer.pane(
            shown.canvas.photograph,
            shown.canvas.seen if shown.canvas.strip else seen,
            compared.disagreement,
            kind="activation",
            description="Disagreement over the photograph: bright where the networks rank a place "
            "differently.",
            caption=[
                *(map_caption(look.analysis, look.method, look.stage)[0] for look in looks),
                f"standard deviation of ranks, {first.method}, class “{first.origin.target}”, "
                f"stage {first.stage}",
            ],
            stamp=""
            if all(look.analysis.provenance.trained for look in looks)
            else "WITH UNTRAINED NETWORKS",
            field=None,
            covered=None,
            file="disagreement.png",
            key="pane disagreement",
        )
    how_to_read(AGREEMENT_HELP)


def _heatmap(matrix: NDArray[np.float64], names: list[str], low: float, what: str) -> None:
    figure = go.Figure(
        go.Heatmap(
            z=matrix,
            x=names,
            y=names,
            zmin=low,
            zmax=1,
            colorscale="Viridis",
            texttemplate="%{z:.2f}",
            hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>",
            colorbar={"thickness": 10},
        )
    )
    figure.update_layout(
        height=110 + 46 * len(names),
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        yaxis={"autorange": "reversed", "fixedrange": True},
        xaxis={"fixedrange": True},
    )
    pairs = [
        f"{one} and {other} {matrix[i, j]:.2f}"
        for i, one in enumerate(names)
        for j, other in enumerate(names[:i])
    ]
    st.plotly_chart(
        figure,
        config={"displayModeBar": False},
        key=f"heatmap {what}",
        alt=f"{what.capitalize()}: {'; '.join(pairs)}.",
    )
