"""The viewer: photographs and maps drawn, coloured and explored in the browser.

A page shows one toolbar and any number of parts. They share settings, zoom and pointer without
asking the server; only a drawn box and a presenter's step do. Streamlit components, no build step:
`toolbar` brings the code, and the parts, small themselves, find it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from effnet_viz.arrays import Placement, Range
from effnet_viz.pictures import render

_HERE = Path(__file__).parent / "front_end"
_PART = '<div class="part"></div>'

MOST_CELLS = 128
"""Longest side of a grid that is sent; larger ones are sent as averages."""

Kind = Literal["evidence", "activation"]
"""What a map holds: evidence for a class in units of its logit, or anything else with its range."""

Step = Literal["stage", "model"]
"""What a presenter's arrow keys step: left and right the stage, up and down the model."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions of the photograph, 0 to 1."""


def _code() -> str:
    """The viewer as one module: its files share one scope and run in this order."""
    styles = {"STYLE": "viewer", "PRESENTING_STYLE": "presenting", "STREAMLIT_STYLE": "streamlit"}
    texts = [f"const {name} = {json.dumps(_read(f'{file}.css'))};" for name, file in styles.items()]
    plain = "maps geometry state moving pane pointer save toolbar channels"
    return "\n".join([*texts, *(_read(f"{file}.js") for file in (*plain.split(), "streamlit"))])


def _read(file: str) -> str:
    return (_HERE / file).read_text(encoding="utf-8")


_viewer = st.components.v2.component("effnet_viz.viewer", html="<div></div>", js=_code())
_part = st.components.v2.component(
    "effnet_viz.viewer_part", html=_PART, js=_read("streamlit_part.js")
)


@dataclass(frozen=True)
class Photograph:
    """A photograph as all parts show it."""

    key: str
    """Stands for the picture: equal keys, equal pictures."""
    source: str
    """data: URL of a WebP, JPEG or PNG image."""
    width: int
    """Of the picture as sent, in pixels."""
    height: int
    original: tuple[int, int]
    """Width and height in pixels of what was uploaded."""

    def _reference(self) -> dict[str, Any]:
        size = {"width": self.width, "height": self.height}
        return {"id": self.key, "original": self.original, **size}


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive fields of a grid's cells in pixels of the model's input."""

    side: int
    """Of the square that one cell depends on."""
    effective_stride: int
    """From one cell's centre to the next one's."""
    start: float
    """Centre of the first cell."""
    resolution: int
    """Side of the model's input."""


@dataclass(frozen=True)
class Object:
    """What can be seen and moved in the photograph; places are in fractions of it."""

    outline: Sequence[Sequence[tuple[float, float]]]
    """Polygons."""
    centre: tuple[float, float]


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


@cache
def _luts() -> dict[str, dict[str, str]]:
    """Every colour map as a look-up table of 256 colours."""
    kinds = {"sequential": render.SEQUENTIAL, "diverging": render.DIVERGING}
    return {
        kind: {name: _base64(render.colours(name)) for name in names}
        for kind, names in kinds.items()
    }


def toolbar(
    photograph: Photograph,
    *,
    key: str,
    on_step: Mapping[Step, Callable[[int], None]],
    on_box: Callable[[Box], None] | None,
    on_move: Callable[[tuple[float, float], bool], None] | None = None,
) -> None:
    """The controls that all parts of the page share, and the photograph that they show.

    While presenting, arrow keys call what `on_step` has for them with -1 or 1; `on_box` gets a
    newly drawn box, None offers no boxes; `on_move` gets where the centre of the panes' object is
    dragged to and whether it has been let go, None keeps it where it is. All are called before the
    page runs again, as callbacks of widgets are. The next place comes when all panes show the
    photograph of the last one.
    """

    answered = f"{key} answered"

    def step() -> None:
        what, by = st.session_state[key]["step"]
        if what in on_step and by in (-1, 1):
            on_step[what](by)

    def box() -> None:
        drawn = st.session_state[key]["box"]
        left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) for edge in drawn)
        if on_box is not None and left < right and top < bottom:
            on_box((left, top, right, bottom))

    def move() -> None:
        across, down, done, number = st.session_state[key]["move"]
        st.session_state[answered] = int(number)
        place = (min(max(float(across), 0.0), 1.0), min(max(float(down), 0.0), 1.0))
        if on_move is not None:
            on_move(place, bool(done))

    data = {
        "part": "toolbar",
        "photograph": {"source": photograph.source, **photograph._reference()},
        "luts": _luts(),
        "steps": list(on_step),
        "boxes": on_box is not None,
        "movable": on_move is not None,
        "answered": st.session_state.get(answered, 0),
    }
    with st.container(gap=None):
        _viewer(key=f"{key} code")  # apart, for a message that never changes is sent once
        _part(key=key, data=data, on_step_change=step, on_box_change=box, on_move_change=move)


def pane(
    photograph: Photograph,
    seen: Box,
    values: NDArray[np.float32] | None,
    *,
    placement: Placement | None,
    kind: Kind,
    description: str,
    caption: Sequence[str],
    stamp: str,
    field: ReceptiveField | None,
    covered: Box | None,
    file: str,
    key: str,
    common: Range | None = None,
    outlined: Object | None = None,
) -> None:
    """The photograph, what was not `seen` hatched, and over it a map (h, w) where there is one.

    `placement` says where the map's cells lie in what was seen; None where there is no map.
    The viewer adds the colour scale to the last line of the `caption`. Evidence can share a scale
    with all evidence on the page or have a fixed one; an activation can have the `common` range
    where others have it, too. `stamp` is written over the picture, such as that weights are
    untrained; `field` lets the viewer mark what a cell depends on; `covered` and the object are
    outlined; `file` is the name of the saved picture.
    """
    grid = None
    if values is not None and placement is not None:
        rows, columns = values.shape
        sent = values.astype("<f4", copy=False)
        size = {"rows": rows, "columns": columns, **vars(placement)}
        grid = {"values": _base64(sent), **size, "kind": kind, "common": common}
    data = {
        "part": "pane",
        "photograph": photograph._reference(),
        "box": seen,
        "map": grid,
        "description": description,
        "caption": list(caption),
        "stamp": stamp,
        "field": vars(field) if field else None,
        "covered": covered,
        "object": vars(outlined) if outlined else None,
        "file": file,
    }
    _part(key=key, data=data)


@dataclass(frozen=True)
class Tile:
    """One channel on the wall."""

    channel: int
    caption: str
    values: NDArray[np.float32]
    """(h, w), of the same shape for all tiles of a wall."""


def channel_wall(
    tiles: Sequence[Tile],
    strongest: NDArray[np.uint16],
    placement: Placement,
    seen: Box,
    *,
    stage: int,
    common: Range,
    badge: str,
    label: str,
    key: str,
    on_choose: Callable[[int], None],
) -> None:
    """A wall of channels; pointing at a picture outlines the strongest ones at that place.

    `strongest` (h, w, count) has the numbers of the strongest channels of every cell, `placement`
    says where the cells of tiles and of `strongest` lie in what was seen; `common` is the range of
    the whole stage, for the shared scale. `on_choose` gets the channel of a clicked tile before the
    page runs again.
    """
    shown = {tile.channel for tile in tiles}

    def report() -> None:
        clicked = st.session_state[key].get("clicked")
        if clicked in shown:  # the page may show other channels by now
            on_choose(int(clicked))

    values = np.stack([tile.values for tile in tiles])  # (tiles, h, w)
    low = values.min(axis=(1, 2))  # (tiles,)
    high = values.max(axis=(1, 2))  # (tiles,)
    span = np.where(high > low, high - low, 1)[:, None, None]  # (tiles, 1, 1)
    levels = np.rint((values - low[:, None, None]) / span * 255).astype(np.uint8)  # (tiles, h, w)
    rows, columns, count = strongest.shape
    data = {
        "part": "channels",
        "label": label,
        "stage": stage,
        "badge": badge,
        "box": seen,
        "rows": values.shape[1],
        "columns": values.shape[2],
        **vars(placement),
        "levels": _base64(levels),
        "common": common,
        "tiles": [
            {"channel": t.channel, "caption": t.caption, "low": float(a), "high": float(b)}
            for t, a, b in zip(tiles, low, high, strict=True)
        ],
        "strongest": {
            "channels": _base64(strongest.astype("<u2")),
            "rows": rows,
            "columns": columns,
            "count": count,
            **vars(placement),
        },
    }
    _part(key=key, data=data, on_clicked_change=report)
