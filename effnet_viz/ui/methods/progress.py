"""How far something is that a visitor has started, and a button that ends it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import streamlit as st

from effnet_viz.ui import words

_TELL_EVERY = 0.4
"""Seconds between two words."""


class Bar:
    """A bar with Cancel beside it, in the place where it is made."""

    def __init__(self, title: str, cancel: Callable[[], None]) -> None:
        self._title = title
        self._place = st.empty()
        with self._place.container(horizontal=True, vertical_alignment="center"):
            self._bar = st.empty()
            st.button(words.CANCEL, key=f"cancel {title}", on_click=cancel)
        self._told = 0.0
        self._began = time.monotonic()
        self.tell(0)

    def tell(self, done: float) -> None:
        """Shows how much is done, 0 to 1; any click ends what is waited for here."""
        now = time.monotonic()
        if now - self._told < _TELL_EVERY:
            return
        self._told = now
        left = (now - self._began) * (1 / done - 1) if done > 0.02 else None
        text = words.LEFT.format(time=time_text(left)) if left is not None else words.COMPUTING
        self._bar.progress(min(done, 1.0), text)

    def end(self, problem: str = "") -> None:
        """Takes it away, or says what went wrong."""
        if problem:
            self._place.error(problem, icon=":material/error:")
        else:
            self._place.empty()


def time_text(seconds: float) -> str:
    """Seconds or minutes, as one says them beforehand."""
    return f"{max(1, math.ceil(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
