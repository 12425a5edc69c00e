"""How far something is that a visitor has started, a button that ends it, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.progress import Progress
from effnet_viz.ui import words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.problems import NO_MAP, reason_of
from effnet_viz.ui.layout.text import time_text
from effnet_viz.ui.layout.waiting import now_and_then, waiting

Made = TypeVar("Made")


def started(
    name: str,
    title: str,
    model: str,
    place: DeltaGenerator,
    make: Callable[[Progress], Made],
    show: Callable[[Made], None],
) -> Callable[[], None]:
    """Shows a bar with Cancel in the place; gives what makes the result and shows it there.

    `name` is the flag that was asked for, `title` what is made, `model` that of which network.
    """
    with place:
        held = st.empty()
        with held.container(horizontal=True, vertical_alignment="center"):
            bar = st.empty()
            cancel = partial(url_state.cancel, name)
            st.button(words.CANCEL, key=f"cancel {title}", on_click=cancel)
    began = time.monotonic()

    def tell(done: float) -> None:
        left = (time.monotonic() - began) * (1 / done - 1) if done > 0.02 else None
        text = words.LEFT.format(time=time_text(left)) if left is not None else words.COMPUTING
        bar.progress(min(done, 1.0), text)  # any click ends what is waited for here

    tell(0)

    def compute() -> None:
        try:
            with waiting(None):
                made = make(now_and_then(tell))
        except NO_MAP as error:
            held.error(reason_of(error, model), icon=":material/error:")
        else:
            held.empty()
            with place:
                show(made)

    return compute
