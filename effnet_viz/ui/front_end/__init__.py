"""What runs in the browser: one program for all pages, and the parts of a page that it draws.

Parts are small Streamlit components without a build step. `bring_code` brings the program, once a
page; each part finds it and is drawn by the class that its kind names (streamlit.js).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from effnet_viz.ui import words

_HERE = Path(__file__).parent
_FILES = (
    *("geometry", "maps", "state", "pieces", "moving", "covering", "pane", "pointer", "save"),
    *("controls", "hand", "deck", "channels", "rows", "curves", "photographs", "strip", "opener"),
    *("onward", "cutter", "streamlit"),
)
"""They share one scope and run in this order."""


def _code() -> str:
    constants = {"STYLE": _read("pieces.css") + _read("parts.css"), "WORDS": words.BROWSER}
    texts = [f"const {name} = {json.dumps(value)};" for name, value in constants.items()]
    return "\n".join([*texts, *(_read(f"{file}.js") for file in _FILES)])


def _read(file: str) -> str:
    return (_HERE / file).read_text(encoding="utf-8")


_program = st.components.v2.component("effnet_viz.program", html="<div></div>", js=_code())
_part = st.components.v2.component(
    "effnet_viz.part", html='<div class="part"></div>', js=_read("part.js")
)


def bring_code() -> None:
    """The program; apart from all parts, because a message that never changes is sent once."""
    _program(key="program")


def part(
    kind: str,
    data: Mapping[str, Any],
    *,
    key: str,
    hears: Mapping[str, Callable[[Any], None]] | None = None,
) -> None:
    """A part of the page. `hears` gets what a visitor did there, by name, as callbacks of widgets
    do, before the page runs again."""

    def hear(name: str, then: Callable[[Any], None]) -> Callable[[], None]:
        def heard() -> None:
            if key in st.session_state:  # or the visitor has left the page meanwhile
                then(st.session_state[key].get(name))

        return heard

    callbacks: dict[str, Any] = {
        f"on_{name}_change": hear(name, then) for name, then in (hears or {}).items()
    }
    _part(key=key, data={"part": kind, **data}, **callbacks)
