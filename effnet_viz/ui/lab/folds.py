"""What stands folded below the lab's results.

Each runs by itself, and is computed when it is opened: only then the code of charts is loaded.
"""

from __future__ import annotations

from functools import partial

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
from effnet_viz.ui.layout.fold import fold
from effnet_viz.ui.layout.url_parameters import Flag

PARAMETERS = (Flag("pairs"), Flag("cost"), Flag("curves"), Flag("limits"), Flag("reading"))


def show_folds(results: Results) -> None:
    """Every pair, accuracy and cost, learning curves, limits, how to read."""
    with st.container(key="folds", horizontal=True):
        fold(words.PAIRS, "pairs", partial(_pairs, results))
        fold(words.COST, "cost", partial(show_accuracy, results))
        fold(words.CURVES, "curves", partial(show_learning_curves, results))
        fold(words.LIMITS, "limits", partial(_limits, results))
        fold(words.READING, "reading", _reading)


def _pairs(results: Results) -> None:
    show_in_sentences(results)
    show_measures(results)
    show_agreement(results)


def _limits(results: Results) -> None:
    show_limits(results)
    offer_results(results)


def _reading() -> None:
    st.markdown(words.READING_LAB.format(count=len(CLASSES)))
