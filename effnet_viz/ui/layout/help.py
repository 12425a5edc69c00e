"""Explanations that open where they are needed."""

from __future__ import annotations

import streamlit as st

from effnet_viz.ui import words


def how_to_read(text: str) -> None:
    """A quiet button that opens the explanation of what stands above it."""
    with st.popover(words.READING, type="tertiary", icon=":material/help:"):
        st.markdown(text)
