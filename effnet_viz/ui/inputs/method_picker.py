"""Choosing the method of the maps."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import METHODS, QUICK, Method
from effnet_viz.ui import words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import time_text
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.viewer import Methods

USUAL = methods.GRAD_CAM.key
"""What stands for the usual maps: Grad-CAM, which is the CAM at the last stage."""

_OTHERS = {key: one for key, one in METHODS.items() if key not in (USUAL, methods.CAM.key)}

METHOD = Choice("method", _OTHERS)


def chosen_method() -> Method | None:
    """The method that takes Grad-CAM's place; None for Grad-CAM itself."""
    url_state.read_url("method")
    key: str | None = st.session_state.get("method")
    url_state.write_url("method", key)
    return _OTHERS[key] if key is not None else None


def choose_method(key: str) -> None:
    """Takes this one, by its key, from now on."""
    st.session_state["method"] = None if key == USUAL else key


def is_quick(method: Method) -> bool:
    """Whether a page computes it without being asked."""
    return method.passes <= QUICK


def offered_methods(
    chosen: Method | None, usual: str, seconds: Callable[[Method], float] | None
) -> Methods:
    """All methods, this one chosen; `usual` is what Grad-CAM is called.

    `seconds` is what one takes; None where that is not known before a network has looked.
    """

    def text(method: Method) -> str:
        if seconds is None:
            return words.TAKES_RUNS.format(title=method.title, runs=f"{method.passes:,}")
        return words.TAKES.format(title=method.title, time=time_text(seconds(method)))

    return Methods(
        USUAL if chosen is None else chosen.key,
        [(USUAL, usual), *((one.key, one.title) for one in _OTHERS.values() if is_quick(one))],
        [(one.key, text(one)) for one in _OTHERS.values() if not is_quick(one)],
    )
