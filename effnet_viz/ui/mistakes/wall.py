"""All pictures, the most telling ones first; one of them is looked at closely."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from effnet_viz.analysis.mistakes import Look, Study
from effnet_viz.models.own import ClassLabels
from effnet_viz.ui import results, words
from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.layout.url_parameters import Choice, Text

ORDERS: dict[str, Callable[[Look], float]] = {
    "surest mistakes": lambda look: -look.surprise,
    "least sure": lambda look: look.predicted.probability,
    "surest": lambda look: -look.predicted.probability,
    "most outside the thing": lambda look: -(look.outside or 0.0),
}
"""What the address says, and what is sorted by."""

_OUTSIDE = "most outside the thing"

SHOWN = 36
"""Pictures at once."""

TILE = 92
"""Least width of a picture in CSS pixels."""

_DIGEST = re.compile(r"[0-9a-f]{16}")

PARAMETERS = (
    Choice("order", ORDERS),
    Choice("shows", ClassLabels()),
    Text("picture", lambda text: _DIGEST.fullmatch(text) is not None),
)


def choose_picture(study: Study) -> Look:
    """The pictures in the chosen order, of one class or all; the one that was clicked."""
    for name in ("order", "shows", "picture"):
        url_state.read_url(name)
    with st.container(key="sorting"):
        order, label = _choose_order(study), _choose_class(study)
        pages = st.container()
    looks = [look for look in study.looks if label in (None, look.picture.label)]
    looks = sorted(looks, key=ORDERS[order])
    by_key = {_key(look): look for look in looks}
    if st.session_state.get("picture") not in by_key:
        st.session_state["picture"] = None
    chosen = by_key.get(st.session_state["picture"] or "", looks[0])
    with pages:
        page = _choose_page(len(looks))
    numbers = {id(look): number for number, look in enumerate(study.looks)}
    picture_grid(
        [
            _tile(look, results.small_map(study, numbers[id(look)]))
            for look in looks[page * SHOWN : (page + 1) * SHOWN]
        ],
        selected=_key(chosen),
        label=words.PICTURES,
        size=TILE,
        key="mistakes_wall",
        on_choose=_choose,
        scroll=False,
    )
    url_state.write_url("order", None if order == next(iter(ORDERS)) else order)
    url_state.write_url("shows", label)
    url_state.write_url("picture", st.session_state["picture"])
    return chosen


def _key(look: Look) -> str:
    return look.digest[:16]


def _choose(key: str) -> None:
    st.session_state["picture"] = key


def _choose_order(study: Study) -> str:
    masks = any(look.outside is not None for look in study.looks)
    options = [order for order in ORDERS if masks or order != _OUTSIDE]
    held = st.session_state.get("order")
    st.session_state["_order"] = held if held in options else options[0]

    def changed() -> None:
        st.session_state["order"] = st.session_state["_order"]

    chosen: str = st.selectbox(
        words.ORDER, options, key="_order", format_func=words.ORDERS.__getitem__, on_change=changed
    )
    return chosen


def _choose_class(study: Study) -> str | None:
    shown = {look.picture.label for look in study.looks}
    labels = [label for label in study.model.classes if label in shown]
    held = st.session_state.get("shows")
    st.session_state["_shows"] = held if held in labels else None

    def changed() -> None:
        st.session_state["shows"] = st.session_state["_shows"]

    return st.selectbox(
        words.THAT_SHOW,
        labels,
        index=None,
        key="_shows",
        placeholder=words.ALL_CLASSES,
        on_change=changed,
    )


def _choose_page(count: int) -> int:
    """Which of the pages of so many pictures, from 0."""
    pages = -(-count // SHOWN)
    if pages < 2:
        return 0
    st.session_state["_page"] = min(st.session_state.get("_page", 1), pages)
    number: int = st.number_input(words.PAGE_OF.format(pages=pages), 1, pages, key="_page")
    return number - 1


def _tile(look: Look, source: str) -> Picture:
    said = f"{look.predicted.label}, {percent(look.predicted.probability)}"
    return Picture(
        _key(look),
        source,
        said,
        look.picture.label if look.right else words.IS.format(label=look.picture.label),
        words.TILE.format(label=look.picture.label, said=said),
        "" if look.right else words.WRONG,
    )
