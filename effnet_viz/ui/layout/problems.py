"""What a page says when something cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from effnet_viz.analysis import comparison
from effnet_viz.models import checkpoints, weights, zoo
from effnet_viz.models.weights import Readiness


@contextmanager
def error_boundary(entry: zoo.ModelEntry) -> Iterator[None]:
    """Where the network cannot be used in here, says why and what to do, and ends the page."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # WeightsError among them
        st.error(comparison.failure_message(error, entry), icon=":material/error:")
        offer_what_works(entry, untrained=isinstance(error, weights.WeightsError))
        st.stop()


def _choose(key: str, untrained: bool) -> None:
    st.session_state["model"] = key
    st.session_state["untrained"] = untrained


def offer_what_works(entry: zoo.ModelEntry, *, untrained: bool = True) -> None:
    """The first other network that is ready, and this one untrained where that helps."""
    with st.container(horizontal=True):
        others = [e for e in zoo.MODELS.values() if e != entry]
        ready = [e for e in others if checkpoints.readiness(e) is Readiness.READY]
        for other in ready[:1]:
            st.button(
                f"Use {other.title}, which is ready",
                type="primary",
                on_click=_choose,
                args=(other.key, False),
            )
        if untrained:
            st.button(
                f"Run {entry.title} untrained",
                on_click=_choose,
                args=(entry.key, True),
                help="Random weights: predictions and maps mean nothing, and say so everywhere.",
            )
