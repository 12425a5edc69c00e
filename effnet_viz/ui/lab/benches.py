"""The two benches of the page: real networks on photographs, miniatures on drawings."""

from __future__ import annotations

import streamlit as st

from effnet_viz.ui import words
from effnet_viz.ui.layout.url_parameters import Choice

_BENCHES = (words.REAL_NETWORKS, words.MINIATURES)

PARAMETERS = (Choice("bench", _BENCHES),)


def choose_bench() -> bool:
    """Whether the real networks are chosen."""
    chosen: str = st.segmented_control(
        words.BENCH,
        _BENCHES,
        default=words.REAL_NETWORKS,
        required=True,
        key="bench",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen == words.REAL_NETWORKS
