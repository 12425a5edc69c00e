"""Explanations that open where they are needed."""

from __future__ import annotations

import streamlit as st


def how_to_read(text: str) -> None:
    """A quiet button that opens the explanation of what stands above it."""
    with st.popover("How to read this", type="tertiary", icon=":material/help:"):
        st.markdown(text)
