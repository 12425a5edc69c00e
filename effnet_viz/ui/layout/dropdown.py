"""A button, and below it what it opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from effnet_viz.ui import front_end


@contextmanager
def dropdown(text: str, name: str) -> Iterator[None]:
    """What is made inside opens at a click, over the page; the button says `text`.

    For widgets that the page itself sets, by a key or another button: in Streamlit's popover they
    miss that while it is closed, and the next click anywhere brings their old values back. The
    place of both has to be positioned (page.css).
    """
    key = f"dropdown_{name}"
    front_end.part("opener", {"text": text, "opens": key}, key=f"open_{name}")
    with st.container(key=key):
        yield
