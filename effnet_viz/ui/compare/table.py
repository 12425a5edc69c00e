"""The numbers of the comparison."""

from __future__ import annotations

import streamlit as st

from effnet_viz.ui import words
from effnet_viz.ui.compare.agreement import pairs_table
from effnet_viz.ui.compare.view import ComparisonView


def show_numbers(view: ComparisonView) -> None:
    """A fold with the tables, which are made when it is opened."""
    with st.container(key="numbers_place"):
        fold = st.expander(words.NUMBERS, on_change="rerun", key="numbers")
        if fold.open:
            with fold:
                _show_table(view)
                _show_overlap(view)


def _show_overlap(view: ComparisonView) -> None:
    compared = view.comparison
    if len(compared.networks) > 1:
        st.caption(words.OVERLAP)
        st.html(pairs_table(compared.overlap, view.names, words.OVERLAP))


def _show_table(view: ComparisonView) -> None:
    """One row a network."""
    explanations = view.comparison.explanations
    built = [one.analysis.model.structure for one in explanations]
    targets = [one.attribution.target for one in explanations]
    st.dataframe(
        {
            "Network": view.names,
            "Model": [one.analysis.provenance.title for one in explanations],
            "Weights": [one.analysis.provenance.weights for one in explanations],
            "Best class": [one.analysis.predictions[0].label for one in explanations],
            f"{targets[0].label} (%)": [100 * target.probability for target in targets],
            "Rank": [
                one.analysis.predictions.rank(target.index)
                for one, target in zip(explanations, targets, strict=True)
            ],
            "Half of the evidence in (% of the area)": [
                100 * one.concentration.area for one in explanations
            ],
            "Regions": [one.concentration.regions for one in explanations],
            "Distance to the border (0 to 1)": [one.concentration.border for one in explanations],
            "Parameters (M)": [made.parameters / 1e6 for made in built],
            "Multiply-adds (B)": [made.multiply_adds / 1e9 for made in built],
            "Time here (ms)": [1000 * one.seconds for one in explanations],
        },
        hide_index=True,
        height="content",
        column_config={
            "Network": st.column_config.TextColumn(pinned=True),
            f"{targets[0].label} (%)": st.column_config.NumberColumn(format="%.1f"),
            "Half of the evidence in (% of the area)": st.column_config.NumberColumn(
                format="%.1f",
                help="The smallest part of what the network saw that holds half of the positive "
                "evidence. An even map has 50 %.",
            ),
            "Regions": st.column_config.NumberColumn(help="Separate pieces of that part."),
            "Distance to the border (0 to 1)": st.column_config.NumberColumn(
                format="%.2f",
                help="Mean distance of the positive evidence to the nearest edge: 0 at the edge, 1 "
                "in the middle. An even map has 0.33.",
            ),
            "Parameters (M)": st.column_config.NumberColumn(format="%.1f"),
            "Multiply-adds (B)": st.column_config.NumberColumn(format="%.2f"),
            "Time here (ms)": st.column_config.NumberColumn(
                format="%.0f", help="One forward pass on this machine, whatever else it did then."
            ),
        },
    )
