"""Saving files from a page."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator


def offer_file(
    place: DeltaGenerator, label: str, content: str | bytes, name: str, mime: str
) -> None:
    """A button that saves a file and does not run the page again."""
    place.download_button(label, content, name, mime, on_click="ignore")
