"""Why two of the maps on the page differ: where, by how much, and what their formulas say."""

from __future__ import annotations

import html
from collections.abc import Mapping

import streamlit as st

from effnet_viz.analysis.map_difference import MapDifference, map_difference, sentences
from effnet_viz.attribution.methods import METHODS
from effnet_viz.pictures.captions import map_caption, provenance_lines
from effnet_viz.ui import viewer, words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.methods.view import MethodsView
from effnet_viz.ui.panes import name_of, slug, stamp_of
from effnet_viz.ui.results import TimedAttribution
from effnet_viz.ui.viewer import Under

PARAMETERS = (Choice("left", METHODS), Choice("right", METHODS))


def show_difference(view: MethodsView, found: Mapping[str, TimedAttribution]) -> None:
    """Two maps that are there, chosen here, and what lies between them."""
    url_state.read_url("left")
    url_state.read_url("right")
    if len(found) < 2:
        return
    section(words.DIFFER, words.DIFFER_LINE)
    with st.container(key="difference"):
        with st.container(key="difference_map"):
            with st.container(horizontal=True):
                left = _choose("left", found, 0)
                right = _choose("right", found, 1)
            between = map_difference(found[left].attribution, found[right].attribution)
            _show_map(view, between)
        with st.container(key="difference_words"):
            st.html(f"<p>{html.escape(sentences(between))}</p>")
    url_state.write_url("left", left if "left" in st.session_state else None)
    url_state.write_url("right", right if "right" in st.session_state else None)


def _choose(side: str, found: Mapping[str, TimedAttribution], usual: int) -> str:
    keys = list(found)
    held = st.session_state.get(side)
    st.session_state[f"_{side}"] = held if held in keys else keys[usual]

    def changed() -> None:
        st.session_state[side] = st.session_state[f"_{side}"]

    chosen: str = st.selectbox(
        words.SIDES[side],
        keys,
        key=f"_{side}",
        format_func=lambda key: METHODS[key].title,
        on_change=changed,
    )
    return chosen


def _show_map(view: MethodsView, between: MapDifference) -> None:
    provenance = view.analysis.provenance
    titles = between.one.method.title, between.other.method.title
    said = words.DIFFER_PICTURE.format(one=titles[0], other=titles[1])
    viewer.pane(
        viewer.Picture(
            view.canvas.photograph,
            view.canvas.seen,
            viewer.Map(between.values, between.placement, "evidence"),
            said,
            caption=[
                *view.canvas.caption,
                *provenance_lines(provenance),
                *map_caption(between.one),
                f"rank there less the rank in {titles[1]}",
            ],
            under=Under(text=words.DIFFER_FOR.format(one=titles[0]), hint=words.DIFFER_HINT),
            stamp=stamp_of(provenance),
            file="-".join(slug(part) for part in (*titles, name_of(provenance))) + ".png",
        ),
        key="difference pane",
    )
