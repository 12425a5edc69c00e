"""A background of one's own for the scenes of both benches."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from effnet_viz.arrays import Pixels
from effnet_viz.images.photograph import ImageError, resized
from effnet_viz.scenes import backgrounds
from effnet_viz.scenes.editor import SIDE
from effnet_viz.ui import results, words
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.upload import MAX_MEGABYTES


def choose_backdrop() -> None:
    """It stays in this visitor's session, as a small square."""
    with st.popover(words.OWN_BACKGROUND, icon=":material/add:"):
        number = st.session_state.setdefault("backdrop_number", 0)
        st.file_uploader(
            words.BACKDROP,
            key=f"backdrop_file_{number}",
            on_change=_backdrop_changed,
            args=(f"backdrop_file_{number}",),
            max_upload_size=MAX_MEGABYTES,
            help=words.BACKDROP_HELP,
        )
        if st.session_state.get("backdrop_problem"):
            st.error(st.session_state["backdrop_problem"], icon=":material/broken_image:")
        if st.session_state.get("backdrop") is not None:
            st.button(words.DRAWN_BACKDROP, on_click=_forget_backdrop)


def backdrop_of(side: int) -> Pixels | None:
    """The visitor's own background, (side, side, 3); None where there is none."""
    square = st.session_state.get("backdrop")  # (SIDE, SIDE, 3)
    return None if square is None else resized(square, side, side)


def _backdrop_changed(key: str) -> None:
    file, state = st.session_state[key], st.session_state
    if isinstance(file, DeletedFile):  # it made room for others; what was made of it stays
        return
    state["backdrop"] = state["backdrop_problem"] = None
    if file is not None:
        try:
            state["backdrop"] = backgrounds.backdrop(results.decoded(file.getvalue()), SIDE)
        except ImageError as error:
            state["backdrop_problem"] = escape_markdown(f"{file.name}: {error}")


def _forget_backdrop() -> None:
    st.session_state["backdrop"] = st.session_state["backdrop_problem"] = None
    st.session_state["backdrop_number"] += 1  # an upload field is emptied by a new one
