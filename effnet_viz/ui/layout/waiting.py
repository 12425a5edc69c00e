"""What a visitor sees while waiting for the machine, and how those who left stop waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NoReturn

import streamlit as st
from streamlit import runtime
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from effnet_viz.analysis.progress import Progress
from effnet_viz.serving.queue import notifying
from effnet_viz.ui import words
from effnet_viz.ui.layout.stopping import stop_run

_TELL_EVERY = 0.4
"""Seconds between two words."""

_NOTE = '<p class="queue" role="status">{text}</p>'


@contextmanager
def waiting(text: str | None) -> Iterator[None]:
    """Shows a spinner, and the place in the queue while others are before this visitor.

    Without a text there is no spinner: for what is usually there at once.
    """
    message = st.empty()
    spinner = nullcontext() if text is None else st.spinner(text)
    with spinner, queued(lambda: message):
        yield


@contextmanager
def queued(make_place: Callable[[], DeltaGenerator] = st.empty) -> Iterator[None]:
    """Shows the place in the queue alone; what says it is made when there is something to say."""
    message: DeltaGenerator | None = None

    def tell(place: int) -> None:
        nonlocal message
        if _has_left():
            stop_run()
        message = message or make_place()
        # Any write also ends the wait when the visitor has chosen something else meanwhile.
        if place:
            said = f"Many are asking at once. You are number {place} in the queue."
        else:
            said = "Somebody asked for the same; it is on its way."
        message.html(_NOTE.format(text=said))

    try:
        with notifying(tell):
            yield
    except Exception:
        _clear(message)  # not beside what the page says of the error
        raise
    _clear(message)


def _clear(message: DeltaGenerator | None) -> None:
    if message is not None:
        message.empty()


def await_photograph() -> NoReturn:
    """The tab is sending the one that the address names; the page comes with it."""
    with st.container(key="fetching"):
        st.html(_NOTE.format(text=words.FETCHING))
    stop_run()


def now_and_then(tell: Progress) -> Progress:
    """The same, but not more often than a visitor reads; the first word after such a while."""
    told = time.monotonic()

    def hear(done: float) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            tell(done)

    return hear


def _has_left() -> bool:
    """Whether the tab behind this run is closed."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return False
    return not runtime.get_instance().is_active_session(context.session_id)
