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
        st.html(pairs_table(compared.overlap, view.networks, words.OVERLAP))


def _show_table(view: ComparisonView) -> None:
    """One row a network."""
    explanations = view.comparison.explanations
    built = [one.analysis.model.structure for one in explanations]
    targets = [one.attribution.target for one in explanations]
    st.dataframe(
        {
            words.NETWORK: view.names,
            words.MODEL: [one.analysis.provenance.title for one in explanations],
            words.WEIGHTS: [one.analysis.provenance.weights for one in explanations],
            words.BEST_CLASS: [one.analysis.predictions[0].label for one in explanations],
            f"{targets[0].label} (%)": [100 * target.probability for target in targets],
            words.RANK: [
                one.analysis.predictions.rank(target.index)
                for one, target in zip(explanations, targets, strict=True)
            ],
            words.HALF_AREA: [100 * one.concentration.area for one in explanations],
            words.REGIONS: [one.concentration.regions for one in explanations],
            words.BORDER: [one.concentration.border for one in explanations],
            words.PARAMETERS: [made.parameters / 1e6 for made in built],
            words.MULTIPLY_ADDS: [made.multiply_adds / 1e9 for made in built],
            words.TIME_HERE: [1000 * one.seconds for one in explanations],
        },
        hide_index=True,
        height="content",
        column_config={
            words.NETWORK: st.column_config.TextColumn(pinned=True),
            f"{targets[0].label} (%)": st.column_config.NumberColumn(format="%.1f"),
            words.HALF_AREA: st.column_config.NumberColumn(
                format="%.1f",
                help=words.HALF_AREA_HELP,
            ),
            words.REGIONS: st.column_config.NumberColumn(help=words.REGIONS_HELP),
            words.BORDER: st.column_config.NumberColumn(
                format="%.2f",
                help=words.BORDER_HELP,
            ),
            words.PARAMETERS: st.column_config.NumberColumn(format="%.1f"),
            words.MULTIPLY_ADDS: st.column_config.NumberColumn(format="%.2f"),
            words.TIME_HERE: st.column_config.NumberColumn(
                format="%.0f", help=words.TIME_HERE_HELP
            ),
        },
    )
