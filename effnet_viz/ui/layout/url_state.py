"""The address of a page: what it may say, and choices that no widget binds to it.

A bound widget writes the text of its option into the address. Where that text changes (a model's
readiness) or there is no widget (a photograph), `read_url` and `write_url` keep a stable key there.
An address is read when a visitor arrives with it. From then on the visitor's choices hold, and the
browser replaces the address with them (front_end/state.js): the back button leads to the page
before with one press, and never to another photograph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

import streamlit as st
from streamlit.runtime.state import get_session_state

from effnet_viz.ui import front_end
from effnet_viz.ui.layout.stopping import stop_run
from effnet_viz.ui.layout.url_parameters import Parameter


def begin_page(parameters: Iterable[Parameter]) -> list[str]:
    """Take out of the address what these do not allow; the names of what was there.

    Call before anything on the page reads the address. What is not declared stays as it is.
    """
    refused = [
        parameter.name
        for parameter in parameters
        if parameter.name in st.query_params
        and not parameter.allows(st.query_params.get_all(parameter.name))
    ]
    st.session_state["_address"] = dict.fromkeys(refused)
    if refused:
        # st.query_params would change nothing that a widget of the last run is bound to, nor the
        # copy of the address that widgets start from, and it would tell the browser of each.
        with get_session_state().query_params() as held:
            for name in refused:
                held.discard_param_no_forward_msg(name)
            held.set_initial_query_params_from_current()
    return refused


def read_url(name: str) -> bool:
    """Take over what the address says, when this visitor has just come with it; whether it has.

    Call before the choice is used. Links between pages carry no choices.
    """
    read: set[str] = st.session_state.setdefault("_read_from_url", set())
    if name in read:
        return False
    read.add(name)
    value = st.query_params.get(name)
    if value is not None:
        st.session_state[name] = value
    return value is not None


def read_url_list(name: str) -> None:
    """The same for a choice of several: a list, empty when the address says none."""
    read: set[str] = st.session_state.setdefault("_read_from_url", set())
    if name in read:
        return
    read.add(name)
    if name in st.query_params:
        st.session_state[name] = [one for one in st.query_params.get_all(name) if one]


def is_named(name: str) -> bool:
    """Whether the address says anything of this."""
    return name in st.query_params


def says(name: str, value: str) -> bool:
    """Whether the address says this of it."""
    return st.query_params.get(name) == value


def write_url(name: str, value: str | Sequence[str] | None) -> None:
    """The browser puts the choice into the address, several one after the other; None takes it
    out."""
    st.session_state["_address"][name] = value


def address() -> dict[str, str | Sequence[str] | None]:
    """What has been written for this page."""
    written: dict[str, str | Sequence[str] | None] = st.session_state["_address"]
    return written


def tell_address() -> None:
    """The browser hears what has been written: once, when nothing more comes."""
    front_end.part("address", {"values": address()}, key="address")


def end_page() -> NoReturn:
    """Nothing more comes on this page, whose address is told all the same."""
    tell_address()
    stop_run()


def is_asked(name: str) -> bool:
    """Whether the visitor, or the link, has started it."""
    return str(st.session_state.get(name)).lower() == "true"


def ask_for(name: str) -> None:
    """Start it when the page runs again."""
    st.session_state[name] = "true"


def cancel(name: str) -> None:
    """Start it no more."""
    st.session_state[name] = None
