"""Saving files from a page."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def open_to_save(label: str, what: str) -> DeltaGenerator | None:
    """A popover with files to save; the container to fill while it is open, else None.

    Files are made when it opens: one that Streamlit makes later, at the click, is gone as soon as
    another visitor's page has run.
    """
    popover = st.popover(
        label, type="tertiary", icon=":material/download:", key=f"save {what}", on_change="rerun"
    )
    return popover if popover.open else None


def offer_file(
    place: DeltaGenerator, label: str, content: str | bytes, name: str, mime: str
) -> None:
    """A button that saves a file and does not run the page again."""
    place.download_button(label, content, name, mime, on_click="ignore")
