"""A button that does something on this page and then opens another one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.ui import front_end
from effnet_viz.ui.layout.strip import path_of


def onward(text: str, file: str, then: Callable[[], None]) -> None:
    """At a click, does `then` and opens the page of this file; Back leads here with one press.

    st.switch_page raises where a widget of this page is bound to the address, and leaves an entry
    of the history without the choices of this page.
    """

    def go(_: object) -> None:
        then()
        st.session_state["_onward"] = True

    data = {"text": text, "path": path_of(file), "open": st.session_state.pop("_onward", False)}
    front_end.part("onward", data, key="onward", hears={"onward": go})
