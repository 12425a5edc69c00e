"""What a page says when a network cannot be used, and what it offers instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from effnet_viz.analysis import comparison
from effnet_viz.analysis.comparison import UNUSABLE, failure_message
from effnet_viz.engines.engine import EngineError
from effnet_viz.models import fetching, zoo
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness, WeightsError
from effnet_viz.processes import JobError
from effnet_viz.ui import words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.mistakes import report, sentence_of

NO_MAP = (JobError, *comparison.NO_MAP)
"""What says that there is no map of a method, network and class here."""


def message_of(error: Exception, title: str) -> str:
    """Why a network could not be used and what to do; an engine's own words go into the log."""
    message = failure_message(error, title)
    if isinstance(error, EngineError):
        return f"{message} Its number there is {report(error)}."
    return message


def reason_of(error: Exception, title: str) -> str:
    """Why there is no map, in words; for the errors of NO_MAP, where a network is called `title`.

    A refusal says it itself; what a mistake of ours says goes into the log.
    """
    if isinstance(error, JobError):
        return sentence_of(report(error))
    return message_of(error, title)


@contextmanager
def error_boundary(title: str, ref: ModelRef | None = None) -> Iterator[None]:
    """Where a network cannot be used in here, says why and what to do, and ends the page.

    With `ref`, it is offered untrained where its weights are the problem.
    """
    try:
        yield
    except UNUSABLE as error:
        st.error(message_of(error, title), icon=":material/error:")
        _offer(title, ref if isinstance(error, WeightsError) else None)
        url_state.end_page()


def offer_what_works(ref: ModelRef) -> None:
    """The first other network that is ready, and this one untrained."""
    _offer(ref.entry.title, ref)


def offer_another(title: str) -> None:
    """The first network that is ready, where this one cannot be had untrained either."""
    _offer(title, None)


def _offer(title: str, ref: ModelRef | None) -> None:
    with st.container(horizontal=True):
        others = [e for e in zoo.MODELS.values() if e.title != title]
        ready = [e for e in others if fetching.readiness(e) is Readiness.READY]
        for other in ready[:1]:
            st.button(
                words.USE_READY.format(name=other.title),
                type="primary",
                on_click=_choose,
                args=(other.key, False),
            )
        if ref is not None:
            st.button(
                words.RUN_THIS_UNTRAINED.format(name=title),
                on_click=_choose,
                args=(ref.key, True),
                help=words.RUN_THIS_UNTRAINED_HELP,
            )


def _choose(key: str, untrained: bool) -> None:
    st.session_state["model"] = key
    st.session_state["untrained"] = untrained
