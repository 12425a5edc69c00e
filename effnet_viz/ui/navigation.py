"""The frame of every page: title, icon, navigation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from effnet_viz.ui import link

PAGES = (
    ("app.py", "Explain an image", ":material/visibility:"),
    ("pages/models.py", "Models", ":material/stacks:"),
)


ICON = Path(__file__).parents[2] / "assets" / "icon.png"


def open_page(title: str) -> None:
    """Every page calls this first. Streamlit finds the pages; their links are drawn here."""
    link.remember_page(title)
    st.set_page_config(page_title=f"{title} · effnet-viz", page_icon=str(ICON), layout="wide")
    # Streamlit leaves wide margins; the maps need the room.
    st.html("<style>.stMainBlockContainer{padding:3.2rem clamp(1rem,2.5vw,2.5rem) 3rem}</style>")
    with st.sidebar:
        st.markdown("### effnet-viz")
        for page, label, icon in PAGES:
            st.page_link(page, label=label, icon=icon)
