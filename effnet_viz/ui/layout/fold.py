"""What stands folded."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.ui.layout.mistakes import mistake_boundary


@st.fragment
@mistake_boundary()
def fold(title: str, key: str, show: Callable[[], None], *, in_link: bool = True) -> None:
    """Runs by itself, and `show` only when it is open; with `in_link` the address says so."""
    place = st.expander(
        title,
        key=key,
        type="compact",
        on_change="rerun",
        bind="query-params" if in_link else None,
    )
    if place.open:
        with place:
            show()
