"""The address of a page: what it may say, and choices that widgets cannot bind to it themselves.

A bound widget writes the text of its option into the URL. Where that text changes (a model's
readiness) or there is no widget (the gallery), `read_url` and `write_url` keep a stable key there.
"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st
from streamlit.runtime.state import get_session_state

from effnet_viz.ui.layout.url_parameters import Parameter


def remember_page(title: str) -> None:
    """Note which page runs, so that coming from another page is not taken for an edited URL."""
    st.session_state["_page_changed"] = st.session_state.get("_page") != title
    st.session_state["_page"] = title


def refuse(parameters: Iterable[Parameter]) -> list[str]:
    """Take out of the URL what these do not allow; the names of what was there.

    Call before anything on the page reads the URL. What is not declared stays as it is.
    """
    refused = [
        parameter.name
        for parameter in parameters
        if parameter.name in st.query_params
        and not parameter.allows(st.query_params.get_all(parameter.name))
    ]
    if refused:
        *others, last = refused
        # st.query_params changes nothing that a widget of the last run is bound to (the back
        # button comes to such a URL), nor the copy of the URL that widgets start from.
        with get_session_state().query_params() as held:
            for name in others:
                held.discard_param_no_forward_msg(name)
            held.remove_param(last)  # and tell the browser: one step of its back button for all
            held.set_initial_query_params_from_current()
    return refused


def read_url(name: str) -> None:
    """Take over what the URL says, when it was opened or changed (a link, the back button).

    Call before the choice is used. Links between pages carry no choices: there, an absent parameter
    changes nothing.
    """
    value = st.query_params.get(name)
    if value == st.session_state.get(_seen(name)):
        return
    st.session_state[_seen(name)] = value
    if value is not None:
        st.session_state[name] = value
    elif not st.session_state["_page_changed"]:
        st.session_state.pop(name, None)


def write_url(name: str, value: str | None) -> None:
    """Put the choice into the URL; None takes it out. Call after the choice is known."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
    st.session_state[_seen(name)] = value


def _seen(name: str) -> str:
    return f"_seen_in_url_{name}"
