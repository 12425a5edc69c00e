"""The colours of every page, one table. Ink and paper are those of .streamlit/config.toml."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Theme:
    """What charts draw with on the page's background."""

    ink: str
    paper: str


LIGHT = Theme(ink="#1d2527", paper="#fbfaf7")
DARK = Theme(ink="#e8e6e1", paper="#14191b")

TEAL, ORANGE, PURPLE, RED, GREY = "#0f8b8d", "#d1761f", "#8a6bbf", "#c8475d", "#8d979a"

COLOURS = (TEAL, ORANGE, PURPLE, RED, "#6b8e23", "#4472c4", GREY, "#b8860b")
"""Of networks side by side, in order."""

BAR = "#9aa5a8"
"""Of a bar among others; the one that is meant is TEAL."""


def current() -> Theme:
    """The theme that this visitor sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def css_tokens() -> str:
    """The colours as style sheets name them."""
    return ":root { color-scheme: light dark; }"
