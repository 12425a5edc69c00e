"""Photographs and maps side by side, drawn, coloured and explored in the browser.

A page shows one deck of pictures. Each map is sent on its own, as soon as it is there, and finds
its place in the deck. All share settings, zoom and pointer without asking the server.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from effnet_viz.arrays import Placement, Range
from effnet_viz.pictures import render
from effnet_viz.ui import front_end

MOST_CELLS = 128
"""Longest side of a grid that is sent; larger ones are sent as averages."""

MOST_OBJECTS = 2
"""So many things of a picture can be moved."""

Kind = Literal["evidence", "activation"]
"""What a map holds: evidence for a class, or anything else with its range."""

Step = Literal["stage", "model"]
"""What a presenter's arrow keys step: left and right the stage, up and down the model."""

Layout = Literal["pair", "row"]
"""Two large squares, on a phone one; or networks in a row, on a phone two at once."""

Scale = Literal["own", "shared"]

OnMove = Callable[[int, tuple[float, float]], None]
"""Gets which of a picture's objects is moved, and its centre in fractions of the photograph."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions of the photograph, 0 to 1."""


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

    def _data(self) -> dict[str, Any]:
        return {"source": self.source, **self._reference()}


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
    target: bool = True
    """Whether the maps are about it: its outline is the stronger one, and keys move it."""


@dataclass(frozen=True)
class Still:
    """A picture of something else, in the place of a map that cannot be."""

    source: str
    """data: URL; empty while it is being made."""
    description: str
    text: str
    below: str
    """Why the map cannot be."""
    link: tuple[str, str]
    """To the page that shows more: its address and what is said."""


@dataclass(frozen=True)
class Slot:
    """A place for a picture in the deck."""

    name: str
    short: str = ""
    """What the segment says that shows it on a phone."""
    title: str = ""
    """Of the column; nothing for no head."""
    detail: str = ""
    colour: str = ""
    """Of the network, a name of layout.theme.NETWORKS."""
    when: Literal["always", "looking", "covering"] = "always"
    """Whether it is there while a part is covered."""
    still: Still | None = None
    answered: bool = False
    """Whether room is kept under the picture for what a network answers (Found)."""
    more: bool = False
    """Whether for Found.more as well."""
    note: str = ""
    """What is said in the place of a picture."""
    buttons: tuple[tuple[str, str], ...] = ()
    """Under still or note: name and text."""


@dataclass(frozen=True)
class Stages:
    """The stages to choose from."""

    chosen: int
    labels: Sequence[str]
    """Of stage 1 and those after it."""
    scrubber: str = ""
    """The slot whose picture is of the stage; nothing for all slots."""
    of: str = ""
    """What the pictures of all stages are of, which `show_stages` may have sent."""


@dataclass(frozen=True)
class Methods:
    """The methods to choose from."""

    chosen: str
    at_once: Sequence[tuple[str, str]]
    """Key and text of those whose map comes at once."""
    on_demand: Sequence[tuple[str, str]]
    """Of those that take a while."""


@dataclass(frozen=True)
class Answer:
    """A row of the presenter's answers."""

    label: str
    share: str
    part: float
    chosen: bool


@dataclass(frozen=True)
class Presented:
    """What stands around the pictures while somebody presents."""

    headline: str
    keys: str
    rows: Sequence[Answer] = ()


@dataclass(frozen=True)
class Found:
    """A network's answer to a scene whose object is known."""

    label: str
    share: str
    right: bool | None
    """None where nothing is right or wrong."""
    evidence: float
    """Share of the evidence that lies on the object, 0 to 1."""
    possible: float
    colour: str
    words: tuple[str, str, str]
    """The evidence in words, the same shorter, and what is possible."""
    more: str = ""
    """A line below."""


@dataclass(frozen=True)
class Under:
    """What stands under a picture."""

    lead: str = ""
    text: str = ""
    share: str = ""
    """How probable the class of the text is. With it, what one points at has a line of its own, and
    so has the sentence that a map is dark."""
    side: str = ""
    scale: bool = True
    """Whether the colours' bar stands there."""
    ends: tuple[str, str] | None = None
    """What its ends mean, in words; else they are numbers."""
    hint: str = ""
    """Stands in a line of its own until one points at the picture; without it, what one points at
    takes the place of the text."""
    tag: str = ""
    """After the lead, on the picture while somebody presents."""
    why: str = ""
    """What a button beside the text explains; nothing for no button."""
    care: Sequence[tuple[str, str]] = ()
    """What to know before one reads the map, as title and text; a mark opens them."""
    answer: Found | None = None


@dataclass(frozen=True)
class Cover:
    """What becomes of the drawn rectangle."""

    box: Box | None
    keep: bool
    """Whether all but the rectangle is blurred."""
    on_box: Callable[[Box], None]
    on_remove: Callable[[], None]
    on_keep: Callable[[bool], None]


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


def _within(values: Any, count: int) -> list[float]:
    return [min(max(float(value), 0.0), 1.0) for value in values[:count]]


def deck(
    photograph: Photograph | None,
    slots: Sequence[Slot],
    *,
    layout: Layout,
    scale: Scale,
    presented: Presented,
    on_step: Mapping[Step, Callable[[int], None]],
    asks: Mapping[str, str] | None = None,
    on_ask: Callable[[str], None] | None = None,
    stages: Stages | None = None,
    on_stage: Callable[[int], None] | None = None,
    methods: Methods | None = None,
    on_method: Callable[[str], None] | None = None,
    cover: Cover | None = None,
    on_move: OnMove | None = None,
    on_target: Callable[[int], None] | None = None,
    folded: bool = False,
    wall: bool = False,
) -> None:
    """The places for pictures and the controls that all share. Without a photograph they wait.

    `scale` is the brightness until somebody chooses another. While presenting, arrow keys call what
    `on_step` has for them with -1 or 1. `asks` are buttons at the end of the controls, by name;
    `on_ask` gets the name of one, or of one in a slot. `on_stage` gets a stage from the list and
    `on_method` the key of a method; `cover` is there where a part can be covered. `on_move` gets
    which of the panes' objects has been let go and where its centre is now, None keeps them where
    they are (see also `follow`); `on_target` gets the one that somebody taps and the maps are not
    about. All are called before the page runs again, as callbacks of widgets are. `folded`
    puts the controls behind `look_button`; a `wall` of rows beyond the screen has them on top,
    always in sight.
    """
    key = "deck"
    names = {*(asks or {}), *(name for slot in slots for name, _ in slot.buttons)}

    def step(told: Any) -> None:
        what, by = told
        if what in on_step and by in (-1, 1):
            on_step[what](by)

    def ask(told: Any) -> None:
        if on_ask is not None and told in names:
            on_ask(told)

    def stage(told: Any) -> None:
        if on_stage is not None and stages is not None and told in range(1, len(stages.labels) + 1):
            on_stage(int(told))

    def method(told: Any) -> None:
        known = [*methods.at_once, *methods.on_demand] if methods is not None else []
        if on_method is not None and told in [key for key, _ in known]:
            on_method(told)

    def box(told: Any) -> None:
        st.session_state[_ANSWERED] = int(told[4])
        left, top, right, bottom = _within(told, 4)
        if cover is not None and left < right and top < bottom:
            cover.on_box((left, top, right, bottom))

    def uncover(_: Any) -> None:
        if cover is not None:
            cover.on_remove()

    def keep(told: Any) -> None:
        if cover is not None:
            cover.on_keep(told == "keep")

    def target(told: Any) -> None:
        if on_target is not None and told in range(MOST_OBJECTS):
            on_target(int(told))

    data = {
        "layout": layout,
        "scale": scale,
        "slots": [_as_data(slot) for slot in slots],
        "presented": _as_data(presented) | {"rows": [vars(row) for row in presented.rows]},
        "asks": list((asks or {}).items()),
        "stages": _as_data(stages) if stages else None,
        "methods": _as_data(methods) if methods else None,
        "steps": list(on_step),
        "boxes": cover is not None,
        "covered": cover and cover.box,
        "keep": "keep" if cover and cover.keep else "hide",
        "movable": on_move is not None,
        "folded": folded,
        "wall": wall,
        "answered": st.session_state.get(_ANSWERED, 0),
    }
    if photograph is not None:
        # Apart, for a message that does not change is sent once.
        sent = photograph._data()
        front_end.part("photograph", {"photograph": sent, "luts": _luts()}, key="photograph_part")
    hears = {"step": step, "ask": ask, "stage": stage, "method": method, "box": box}
    more = {"uncover": uncover, "keep": keep, "move": _heard(on_move), "target": target}
    front_end.part("deck", data, key=key, hears=hears | more)


def _heard(on_move: OnMove | None) -> Callable[[Any], None]:
    def move(told: Any) -> None:
        number = int(told[3])
        if number < st.session_state.get(_MOVED, 0):
            return  # it has been let go meanwhile, of which the page heard first
        st.session_state[_MOVED] = st.session_state[_ANSWERED] = number
        across, down = _within(told, 2)
        if on_move is not None and told[2] in range(MOST_OBJECTS):
            on_move(int(told[2]), (across, down))

    return move


def look_button() -> None:
    """Opens the controls of a deck that has them folded."""
    front_end.part("look", {}, key="look")


_ANSWERED = "_answered"
"""The last question of what is dragged: its number goes back with the answer."""
_MOVED = "_moved"
"""The last question of an object's place."""
_DRAGGED = "_dragged"
"""The question of a place that is only passed, until the page runs for it."""


def _as_data(record: Any) -> dict[str, Any]:
    return {
        name: _as_data(value) if hasattr(value, "__dataclass_fields__") else value
        for name, value in vars(record).items()
    }


@dataclass(frozen=True)
class Map:
    """A map (h, w) over what the model saw."""

    values: NDArray[np.float32]
    placement: Placement
    """Where its cells lie in what was seen."""
    kind: Kind
    shares: str = ""
    """Evidence of one name can share a scale; empty for none."""
    common: Range | None = None
    """The range that an activation can share with others."""

    def _data(self, *, in_levels: bool = False) -> dict[str, Any]:
        rows, columns = self.values.shape
        sent, levels = self.values.astype("<f4", copy=False), None
        if in_levels:
            low, high = float(self.values.min()), float(self.values.max())
            scale = 65535 / (high - low) if high > low else 0.0
            sent, levels = np.rint((self.values - low) * scale).astype("<u2"), (low, high)
        return {
            "values": _base64(sent),
            "levels": levels,
            "rows": rows,
            "columns": columns,
            **vars(self.placement),
            "kind": self.kind,
            "shares": self.shares,
            "common": self.common,
        }


@dataclass(frozen=True)
class Picture:
    """The photograph, what was not `seen` hatched, and over it a map where there is one."""

    photograph: Photograph
    seen: Box
    shown: Map | None
    description: str
    """For somebody who cannot see it."""
    caption: Sequence[str] = ()
    """What a saved picture says in full; the scale is added to the last line."""
    under: Under = Under()
    stamp: str = ""
    """Written over the picture, such as that weights are untrained."""
    field: ReceptiveField | None = None
    """Lets the viewer mark what a cell depends on."""
    outlined: Sequence[Object] = ()
    file: str = ""
    """Name of the saved picture; nothing for none."""
    before: Map | None = None
    """The map before a part was covered."""
    changed: str = ""
    """What the model saw with a part covered, a data: URL."""
    boxed: bool = False
    """Whether the covered part is outlined here."""
    live: tuple[str, str] | None = None
    """Class and how its probability changes, beside the covered part."""

    def _data(self, *, in_levels: bool = False) -> dict[str, Any]:
        live = self.live and dict(zip(("text", "change"), self.live, strict=True))
        return {
            **_as_data(self.under),
            "photograph": self.photograph._reference(),
            "box": self.seen,
            "map": self.shown._data(in_levels=in_levels) if self.shown else None,
            "before": self.before._data() if self.before else None,
            "description": self.description,
            "caption": list(self.caption),
            "stamp": self.stamp,
            "field": vars(self.field) if self.field else None,
            "objects": [vars(one) for one in self.outlined],
            "file": self.file,
            "picture": self.changed,
            "boxed": self.boxed,
            "live": live,
            "answered": st.session_state.get(_ANSWERED, 0) if self.boxed else 0,
        }


def with_before(picture: Picture, before: Map, changed: str) -> Picture:
    """The same over what the model saw with a part covered, with the map before it was."""
    return replace(picture, before=before, changed=changed)


def show(slot: str, picture: Picture) -> None:
    """A picture in its place in the deck."""
    front_end.part("map", {"slot": slot, **picture._data()}, key=f"map {slot}")


def show_stages(slot: str, of: str, pictures: Sequence[Picture]) -> None:
    """The pictures of stage 1 and all after it for a place of the deck, to scrub through.

    The browser does so where all places that are of the stage have them. Their maps have 65,536
    levels between their own ends: half of what single floats take. `of` is what the deck's Stages
    are of, so that none is shown for another class or photograph.
    """
    told = [picture._data(in_levels=True) for picture in pictures]
    common = {
        name: value
        for name, value in told[0].items()
        if all(other[name] == value for other in told)
    }
    own = [{name: one[name] for name in one if name not in common} for one in told]
    data = {"slot": slot, "of": of, "common": common, "pictures": own}
    front_end.part("stages", data, key=f"map stages {slot}")


@dataclass(frozen=True)
class Shown:
    """A photograph, and what the places of a deck show of it."""

    photograph: Photograph
    pictures: Mapping[str, Picture]
    """By slot."""


def follow(make: Callable[[], Shown], on_move: OnMove) -> None:
    """All pictures of a deck at once, made anew for each place while somebody drags an object.

    In a fragment of its own, which is all that runs then. `on_move` is the deck's: both get what is
    dragged, the deck where it has been let go.
    """
    moved = _heard(on_move)

    def drag(told: Any) -> None:
        st.session_state[_DRAGGED] = int(told[3])
        moved(told)

    data: dict[str, Any] = {"answered": st.session_state.get(_ANSWERED, 0), "photograph": None}
    if st.session_state.pop(_DRAGGED, 0) == st.session_state.get(_MOVED):
        shown = make()
        pictures = [{"slot": slot, **one._data()} for slot, one in shown.pictures.items()]
        data |= {"photograph": shown.photograph._data(), "pictures": pictures}
    front_end.part("follow", data, key="follow", hears={"move": drag})


def show_instead(slot: Slot, *, meanwhile: bool = False) -> None:
    """A still, or what has to be said, in a place of the deck where no map can be after all.

    Or `meanwhile`, where one is still to come in this run of the page.
    """
    data = {"slot": slot.name, "instead": _as_data(slot)}
    front_end.part("instead", data, key=f"{'until' if meanwhile else 'map'} {slot.name}")


def pane(picture: Picture, *, key: str) -> None:
    """A picture outside the deck, which shares its settings."""
    front_end.part("pane", picture._data(), key=key)


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

    def report(clicked: Any) -> None:
        if clicked in shown:  # the page may show other channels by now
            on_choose(int(clicked))

    values = np.stack([tile.values for tile in tiles])  # (tiles, h, w)
    low = values.min(axis=(1, 2))  # (tiles,)
    high = values.max(axis=(1, 2))  # (tiles,)
    span = np.where(high > low, high - low, 1)[:, None, None]  # (tiles, 1, 1)
    levels = np.rint((values - low[:, None, None]) / span * 255).astype(np.uint8)  # (tiles, h, w)
    rows, columns, count = strongest.shape
    data = {
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
    front_end.part("channels", data, key=key, hears={"clicked": report})
