"""The heads of columns that stand side by side."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

HEIGHT = 54
"""In pixels."""


def heading(text: str) -> DeltaGenerator:
    """The head of a column, as high in all columns; what else belongs there goes into it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", height=HEIGHT, border=False)
    row.markdown(f"**{text}**", width="content")
    return row
