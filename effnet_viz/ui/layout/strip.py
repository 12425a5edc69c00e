"""The strip on top of every page: the list of pages, photographs, a link to share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.ui import front_end, words
from effnet_viz.ui.layout import sharing


@dataclass(frozen=True)
class Thumbnail:
    """One photograph to choose. Every text is shown as plain text, whatever it contains."""

    key: str
    title: str
    description: str
    source: str
    """data: URL of a small square."""
    file: tuple[str, int] | None
    """Name and size in bytes of a visitor's own; None for samples."""


@dataclass(frozen=True)
class Photographs:
    """What the strip shows of photographs, and what becomes of a click there."""

    thumbnails: Sequence[Thumbnail] = ()
    chosen: str = ""
    problems: Sequence[str] = ()
    """Sentences about files that could not be taken."""
    accept: str = ""
    """Kinds of files, as the attribute of a file field."""
    limit: tuple[int, str] = (0, "")
    """Bytes of a file, and a sentence about those beyond."""
    coming: Sequence[str] = ()
    """Keys of those that the tab has kept and is to send."""
    hears: Mapping[str, Callable[[Any], None]] = field(default_factory=dict)
    """By name: photograph and remove get a key; forget; kept gets what the tab has kept; read, when
    the problems have been read."""


def path_of(file: str) -> str:
    """The address of a page, as Streamlit derives it from the file's name."""
    return "/" if file == "app.py" else f"/{file.removeprefix('pages/').removesuffix('.py')}"


@contextmanager
def strip(title: str, photographs: Photographs, *, maps: bool) -> Iterator[DeltaGenerator]:
    """The strip of the page of this title; gives the place for what else is chosen there.

    `maps` says whether the page has any, to skip to and to present.
    """
    pages = [
        {"path": path_of(file), "title": name, "line": line, "current": name == title}
        for file, (name, line) in words.PAGES.items()
    ]
    data = {
        "page": title,
        "pages": pages,
        "maps": maps,
        "photographs": [vars(one) for one in photographs.thumbnails],
        "chosen": photographs.chosen,
        "problems": list(photographs.problems),
        "accept": photographs.accept,
        "limit": dict(zip(("bytes", "beyond"), photographs.limit, strict=True)),
        "coming": list(photographs.coming),
        "session": st.session_state.setdefault("_session", secrets.token_hex(8)),
    }
    with st.container(key="strip", horizontal=True, vertical_alignment="center", gap="small"):
        front_end.part("strip", data, key="strip_part", hears=photographs.hears)
        place = st.container(horizontal=True, width="content", gap="small")
        front_end.part(
            "actions", {"maps": maps}, key="actions", hears={"share": sharing.ask_to_share}
        )
    chosen = [one for one in photographs.thumbnails if one.key == photographs.chosen]
    sharing.show_link(own=any(one.file for one in chosen))  # before the page, which may stop early
    yield place
