"""What stands folded below the lab's results, each computed and loaded when it is opened."""

from __future__ import annotations

from collections.abc import Callable

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


def _pairs(results: Results) -> None:
    show_in_sentences(results)
    show_measures(results)
    show_agreement(results)


def _limits(results: Results) -> None:
    show_limits(results)
    offer_results(results)


def _reading(_: Results) -> None:
    st.markdown(words.READING_LAB.format(count=len(CLASSES)))


_FOLDS: dict[str, tuple[str, Callable[[Results], None]]] = {
    "pairs": (words.PAIRS, _pairs),
    "cost": (words.COST, show_accuracy),
    "curves": (words.CURVES, show_learning_curves),
    "limits": (words.LIMITS, _limits),
    "reading": (words.READING, _reading),
}
"""By name in the address."""

PARAMETERS = tuple(Flag(name) for name in _FOLDS)


def show_folds(results: Results) -> None:
    """Every pair, accuracy and cost, learning curves, limits, how to read."""
    with st.container(key="folds", horizontal=True):
        for name, (title, show) in _FOLDS.items():
            _fold(name, title, show, results)


@st.fragment
@mistake_boundary()
def _fold(name: str, title: str, show: Callable[[Results], None], results: Results) -> None:
    """Runs by itself when it is opened: only then the code that draws charts is loaded."""
    fold = st.expander(title, key=name, type="compact", on_change="rerun", bind="query-params")
    if fold.open:
        with fold:
            show(results)
