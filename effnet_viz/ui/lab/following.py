"""What both benches show while somebody drags an object."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.ui import viewer
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.waiting import queued


@st.fragment
@mistake_boundary()
def follow(make: Callable[[], viewer.Shown], on_move: viewer.OnMove) -> None:
    """Runs by itself meanwhile: all else on the page stays as it is."""
    with queued():
        viewer.follow(make, on_move)
