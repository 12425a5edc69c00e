"""What stands folded below the lab's results.

Each runs by itself, and is computed when it is opened: only then the code of charts is loaded.
"""

from __future__ import annotations

import streamlit as st

from effnet_viz.lab.results import Results
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.ui import words
from effnet_viz.ui.lab.measures import show_measures
from effnet_viz.ui.lab.results import (
    offer_results,
    show_accuracy,
    show_agreement,
    show_in_sentences,
    show_learning_curves,
    show_limits,
)
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.url_parameters import Flag

PARAMETERS = (Flag("pairs"), Flag("cost"), Flag("curves"), Flag("limits"), Flag("reading"))


def show_folds(results: Results) -> None:
    """Every pair, accuracy and cost, learning curves, limits, how to read."""
    with st.container(key="folds", horizontal=True):
        _pairs(results)
        _cost(results)
        _curves(results)
        _limits(results)
        _reading()


@st.fragment
@mistake_boundary()
def _pairs(results: Results) -> None:
    fold = st.expander(
        words.PAIRS, key="pairs", type="compact", on_change="rerun", bind="query-params"
    )
    if fold.open:
        with fold:
            show_in_sentences(results)
            show_measures(results)
            show_agreement(results)


@st.fragment
@mistake_boundary()
def _cost(results: Results) -> None:
    fold = st.expander(
        words.COST, key="cost", type="compact", on_change="rerun", bind="query-params"
    )
    if fold.open:
        with fold:
            show_accuracy(results)


@st.fragment
@mistake_boundary()
def _curves(results: Results) -> None:
    fold = st.expander(
        words.CURVES, key="curves", type="compact", on_change="rerun", bind="query-params"
    )
    if fold.open:
        with fold:
            show_learning_curves(results)


@st.fragment
@mistake_boundary()
def _limits(results: Results) -> None:
    fold = st.expander(
        words.LIMITS, key="limits", type="compact", on_change="rerun", bind="query-params"
    )
    if fold.open:
        with fold:
            show_limits(results)
            offer_results(results)


@st.fragment
@mistake_boundary()
def _reading() -> None:
    fold = st.expander(
        words.READING, key="reading", type="compact", on_change="rerun", bind="query-params"
    )
    if fold.open:
        with fold:
            st.markdown(words.READING_LAB.format(count=len(CLASSES)))
