"""The frame of every page: title, icon, navigation."""

from __future__ import annotations

import streamlit as st

from effnet_viz.ui import link

PAGES = (
    ("app.py", "Explain an image", ":material/visibility:"),
    ("pages/models.py", "Models", ":material/stacks:"),
)


def open_page(title: str) -> None:
    """Every page calls this first. Streamlit finds the pages; their links are drawn here."""
    link.remember_page(title)
    st.set_page_config(
        page_title=f"{title} · effnet-viz", page_icon=":material/visibility:", layout="wide"
    )
    # Streamlit leaves six rem of nothing above the first line.
    st.html(
        "<style>.stMainBlockContainer{padding-top:2.5rem;padding-bottom:3rem}"
        "[data-testid=stSidebarUserContent]{padding-top:0}</style>"
    )
    with st.sidebar:
        st.markdown("### effnet-viz")
        for page, label, icon in PAGES:
            st.page_link(page, label=label, icon=icon)
