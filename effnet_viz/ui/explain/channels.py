"""The channels of a stage."""

from __future__ import annotations

import streamlit as st

CHANNELS_PER_PAGE = 24

BY_ACTIVATION, BY_CLASS = "strongest activation", "influence on the class"

CHANNELS_HELP = """
Every channel is a detector of one pattern, and its tile shows where it found that pattern. Yellow
is the strongest place of this tile (own scale) or of the whole stage (shared scale). The number
under it is its largest value, or its influence on the class: positive speaks for it.
"""


def choose_channel_page(pages: int, what: tuple[object, ...]) -> int:
    """The page of channels; back to the first when it shows something else."""
    if st.session_state.get("_paged", what) != what:
        st.session_state["page"] = 1
    st.session_state["_paged"] = what
    return st.pagination(pages, max_visible_pages=5, key="page", bind="query-params")


def channel_chosen(channel: int) -> None:
    st.session_state["_channel"] = channel
