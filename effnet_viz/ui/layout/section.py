"""The heads of what stands below the pictures."""

from __future__ import annotations

import html

import streamlit as st


def section(title: str, line: str = "") -> None:
    """A head, and beside it what one does there."""
    said = f"<span>{html.escape(line)}</span>" if line else ""
    st.html(f'<div class="section"><h2>{html.escape(title)}</h2>{said}</div>')
