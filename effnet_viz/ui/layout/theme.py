"""Colours of charts, one table for every page."""

from __future__ import annotations

import streamlit as st

from effnet_viz.lab.results import (
    Results,
)

COLOURS = ("#0f8b8d", "#d1761f", "#8a6bbf", "#c8475d", "#6b8e23", "#4472c4", "#8d979a", "#b8860b")

GREY = "#8d979a"


def ink() -> str:
    return "#e8e6e1" if st.context.theme.type == "dark" else "#1d2527"


def network_colours(results: Results) -> dict[str, str]:
    """By network key: the colours of the page that compares them."""
    return dict(zip(results.networks, COLOURS, strict=False))


GREEN, ORANGE = "#0f8b8d", "#d1761f"
