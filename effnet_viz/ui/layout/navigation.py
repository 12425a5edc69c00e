"""The frame of every page: title, icon, navigation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import streamlit as st

from effnet_viz.assets import ICON
from effnet_viz.ui.layout import theme, url_state
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.url_parameters import Parameter

PAGES = (
    ("app.py", "Explain an image", ":material/visibility:"),
    ("pages/compare_scaling.py", "Compare scaling", ":material/compare:"),
    ("pages/scaling_lab.py", "Scaling lab", ":material/science:"),
    ("pages/scaling_rules.py", "Scaling rules", ":material/open_in_full:"),
    ("pages/models.py", "Models", ":material/stacks:"),
)

# Streamlit leaves wide margins: the maps need the room. Its list of uploads grows and pushes the
# page down: the gallery shows them already. A tall photograph would fill the screen.
STYLE = (
    f".answers {{ --bar: {theme.BAR}; --right: {theme.TEAL}; }}"
    + """
.stMainBlockContainer { padding: 3.2rem clamp(1rem, 2.5vw, 2.5rem) 3rem; }
[data-testid=stFileChips] > div { max-height: 6rem !important; }
.answers b { display: block; line-height: 1.3; }
@media (min-width: 640px) { .answers b { min-height: 2.6em; } }
.answers table { width: 100%; border-collapse: collapse; font-size: 0.85rem; margin: 0 0 0.4rem; }
.answers caption { position: absolute; clip-path: inset(50%); }
.answers th { text-align: left; font-weight: 400; width: 5.5em; }
.answers td { padding: 0 0 0 0.3em; }
.answers td:last-child { text-align: right; width: 3em; font-variant-numeric: tabular-nums; }
.answers i { display: block; height: 0.6em; min-width: 1px; background: var(--bar); }
.answers .true th { font-weight: 700; }
.answers .true i { background: var(--right); }
.stMain [data-testid=stImage] img { max-height: 75vh; width: auto; max-width: 100%; }
[role=dialog] [data-testid=stImage] img { max-height: 58vh; }
"""
)


@contextmanager
def page(title: str, address: Iterable[Parameter]) -> Iterator[None]:
    """The frame of a page, whose content is made inside, and what its address can hold.

    Streamlit finds the pages; their links are drawn here.
    """
    url_state.remember_page(title)
    st.set_page_config(page_title=f"{title} · effnet-viz", page_icon=str(ICON), layout="wide")
    st.html(f"<style>{STYLE}</style>")
    with st.sidebar:
        st.markdown("### effnet-viz")
        for path, label, icon in PAGES:
            st.page_link(path, label=label, icon=icon)
    with mistake_boundary():
        _say_what_is_refused(url_state.refuse(address))
        yield


def _say_what_is_refused(names: list[str]) -> None:
    """One sentence, or nothing, in a place that is always there: the rest of the page stays put."""
    place = st.empty()
    if names:
        defaults = "The default is" if len(names) == 1 else "The defaults are"
        place.info(
            "The link to this page asks for something that does not exist here "
            f"({', '.join(f'`{name}`' for name in names)}). {defaults} shown instead: choose on "
            "the page what you want to see.",
            icon=":material/link_off:",
        )
