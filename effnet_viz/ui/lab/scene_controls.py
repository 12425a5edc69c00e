"""Choosing and moving what the scene shows."""

from __future__ import annotations

import secrets

import streamlit as st

from effnet_viz.analysis.words import percent
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.demo import UNSEEN_VENDOR, display_name
from effnet_viz.lab.scene_editor import SceneSpec
from effnet_viz.lab.scenes import SIDE
from effnet_viz.lab.sprites import CLASSES, VENDORS
from effnet_viz.ui import viewer, words
from effnet_viz.ui.lab.own_background import backdrop_of
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.url_parameters import Choice, Number, Text

FIRST_SEED = 11
SEEDS = 10_000

METHODS = tuple(demo.STAGES)

OBJECTS = tuple(display_name(name) for name in CLASSES)

SEED = Number("seed", 0, SEEDS - 1)
SIZE = Number("size", 20, 90)
DISTRACTORS = Number("clutter", 0, scene_editor.MOST_DISTRACTORS)
OCCLUSION = Number("hidden", 0, round(100 * scene_editor.MOST_OCCLUSION))

CONTROL = 168
"""Width of a control in pixels: two stand side by side on a phone."""


def _by_chance(seed: int) -> SceneSpec:
    return scene_editor.chosen_by_chance(seed, UNSEEN_VENDOR)


def choose_scene() -> tuple[SceneSpec, str, bool]:
    """The scene, the map, and whether each network's own answer is explained."""
    with st.container(key="lab_line", horizontal=True, vertical_alignment="center", gap="small"):
        line = st.container()
        st.button(words.NEW_SCENE, icon=":material/casino:", type="primary", on_click=_new_scene)
        with dropdown(words.CHANGE_SCENE, "scene"):
            made = _choose_what_is_drawn()
            with st.container(horizontal=True):
                method = _choose_method()
                own_answer = _choose_class()
            st.caption(_what_is_drawn(made))
        viewer.look_button()
    line.html(_line(method, own_answer=own_answer))
    return made, method, own_answer


def _choose_what_is_drawn() -> SceneSpec:
    first = _by_chance(FIRST_SEED)
    with st.container(horizontal=True):
        label, vendor = _choose_object(first)
    with st.container(horizontal=True):
        seed = st.number_input(
            words.SCENE_NUMBER,
            *SEED.limits,
            first.seed,
            key="seed",
            bind="query-params",
            width=CONTROL,
            help=words.SCENE_NUMBER_HELP,
        )
        size = st.slider(
            words.SIZE,
            *(*SIZE.limits, round(100 * first.size), 5),
            key="size",
            bind="query-params",
            width=CONTROL,
        )
    with st.container(horizontal=True):
        distractors = st.slider(
            words.DISTRACTORS,
            *(*DISTRACTORS.limits, first.distractors),
            key="clutter",
            bind="query-params",
            width=CONTROL,
        )
        occlusion = st.slider(
            words.HIDDEN,
            *(*OCCLUSION.limits, round(100 * first.occlusion), 10),
            key="hidden",
            bind="query-params",
            width=CONTROL,
        )
    cx, cy = st.session_state.setdefault("place", (first.cx, first.cy))
    return SceneSpec(
        int(seed), label, vendor, size / 100, cx, cy, int(distractors), occlusion / 100
    )


def _line(method: str, *, own_answer: bool) -> str:
    """What one sees; also which map, where it is not the usual one."""
    unusual = [method] if method != METHODS[0] else []
    if own_answer:
        unusual.append(f"{words.CLASS_EXPLAINED}: {words.OWN_ANSWER}")
    said = f"<span>{' · '.join(unusual)}</span>" if unusual else ""
    return f'<p class="lab-line">{words.LAB_LINE} <b>{words.LAB_DRAG}</b> {said}</p>'


def _what_is_drawn(spec: SceneSpec) -> str:
    seen = words.NEVER_SEEN if spec.vendor == UNSEEN_VENDOR else words.SEEN
    hidden = scene_editor.compose(spec, backdrop_of(SIDE)).occlusion
    return words.DRAWN_BY.format(artist=spec.vendor, seen=seen, hidden=percent(hidden))


def _choose_object(first: SceneSpec) -> tuple[int, str]:
    """The class, and a vendor that drew it."""
    name = st.selectbox(
        words.OBJECT, OBJECTS, first.label, key="object", bind="query-params", width=CONTROL
    )
    vendor = st.selectbox(
        words.ARTIST,
        VENDORS,
        VENDORS.index(UNSEEN_VENDOR),
        key="drawn_by",
        bind="query-params",
        width=CONTROL,
        help=words.ARTIST_HELP.format(unseen=UNSEEN_VENDOR),
    )
    label = OBJECTS.index(name)
    if vendor not in scene_editor.vendors_of(label):
        said = words.NO_SUCH_DRAWING.format(name=name, artist=vendor, unseen=UNSEEN_VENDOR)
        st.caption(f":material/info: {said}")
        vendor = UNSEEN_VENDOR
    return label, vendor


def _new_scene() -> None:
    """Everything by chance, as the scenes that the networks learned from."""
    made, state = _by_chance(secrets.randbelow(SEEDS)), st.session_state
    state["seed"], state["object"] = made.seed, display_name(CLASSES[made.label])
    state["size"], state["clutter"] = round(100 * made.size), made.distractors
    state["hidden"] = round(100 * made.occlusion)
    state["place"] = (made.cx, made.cy)


def new_scene_by_key(_: str) -> None:
    """As the button; what the controls say lies outside of what runs."""
    _new_scene()
    st.session_state["stepped"] = True


def _choose_method() -> str:
    return st.segmented_control(
        words.LAB_MAP,
        METHODS,
        default=METHODS[0],
        required=True,
        key="map",
        bind="query-params",
        help=words.LAB_MAP_HELP.format(stage=demo.STAGES["Grad-CAM"]),
    )


def _choose_class() -> bool:
    """Whether each network's own answer is explained, not the object."""
    chosen = st.segmented_control(
        words.CLASS_EXPLAINED,
        [words.THE_OBJECT, words.OWN_ANSWER],
        default=words.THE_OBJECT,
        required=True,
        key="explained",
        bind="query-params",
        help=words.CLASS_EXPLAINED_HELP,
    )
    return chosen == words.OWN_ANSWER


def place_of(text: str) -> tuple[float, float] | None:
    """A place in a link, in shares of the scene's side; None for a text that is none."""
    try:
        cx, cy = map(float, text.split(","))
    except ValueError:
        return None
    return (cx, cy) if 0 <= cx <= 1 and 0 <= cy <= 1 else None


def place_text(place: tuple[float, float]) -> str:
    """As place_of reads it."""
    cx, cy = place
    return f"{cx:.3f},{cy:.3f}"


def read_place() -> None:
    url_state.read_url("place")
    place = st.session_state.get("place")
    if isinstance(place, str):
        st.session_state["place"] = place_of(place)


def move_object(_: int, place: tuple[float, float]) -> None:
    cx, cy = place
    st.session_state["place"] = (round(cx, 3), round(cy, 3))  # as exactly as the link says it


def step_map(by: int) -> None:
    """The presenter's arrow keys step between the two maps; all networks are there already."""
    st.session_state["map"] = METHODS[0] if by > 0 else METHODS[1]
    st.session_state["stepped"] = True


PARAMETERS = (
    Choice("object", OBJECTS),
    Choice("drawn_by", VENDORS),
    SEED,
    SIZE,
    DISTRACTORS,
    OCCLUSION,
    Text("place", lambda text: place_of(text) is not None),
    Choice("map", METHODS),
    Choice("explained", (words.THE_OBJECT, words.OWN_ANSWER)),
)
