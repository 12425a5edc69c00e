"""Choices that widgets cannot bind to the URL themselves: session state and query parameter agree.

A bound widget writes the text of its option into the URL. Where that text changes (a model's
readiness) or there is no widget (the gallery), these functions keep a stable key there.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def remember_page(title: str) -> None:
    """Note which page runs, so that coming from another page is not taken for an edited URL."""
    st.session_state["_page_changed"] = st.session_state.get("_page") != title
    st.session_state["_page"] = title


def read_url(name: str, allowed: Callable[[str], bool]) -> str | None:
    """Take over what the URL says, when it was opened or changed (a link, the back button).

    Call before the choice is used. Returns a newly named value that is not allowed; it is ignored
    otherwise. Links between pages carry no choices: there, an absent parameter changes nothing.
    """
    value = st.query_params.get(name)
    if value == st.session_state.get(_seen(name)):
        return None
    st.session_state[_seen(name)] = value
    if value is not None and allowed(value):
        st.session_state[name] = value
        return None
    if not st.session_state["_page_changed"] or value is not None:
        st.session_state.pop(name, None)
    return value


def write_url(name: str, value: str | None) -> None:
    """Put the choice into the URL; None takes it out. Call after the choice is known."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
    st.session_state[_seen(name)] = value


def _seen(name: str) -> str:
    return f"_seen_in_url_{name}"
