"""Choosing and moving the photographed objects of a scene."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Literal

import streamlit as st

from effnet_viz.analysis.words import number_word
from effnet_viz.attribution.methods import CAM, METHODS, Method
from effnet_viz.scenes import editor
from effnet_viz.scenes.backgrounds import Background
from effnet_viz.scenes.editor import Placed, SceneSpec
from effnet_viz.scenes.objects import CutOut, objects
from effnet_viz.study import bench
from effnet_viz.ui import viewer, words
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.lab.scene_controls import CONTROL, SEEDS, place_of, place_text
from effnet_viz.ui.layout import navigation, url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.url_parameters import Choice, Flag, Number, Text

_NAMES = {thing.what: thing.name for thing in objects()}
"""By what an object is in words, which is what people choose by and links say."""
_WORDS = {name: what for what, name in _NAMES.items()}
OWN = "own"
"""The name of a visitor's own object."""
_NONE = words.NO_SECOND_OBJECT

START = editor.by_chance(4, "tiger-walking")
_SECOND = Placed("hen", 0.36, 0.72, 0.25)
"""Where a second object lies to begin with."""

_METHODS = {one.title: one for one in METHODS.values() if is_quick(one)}
"""All that every drag can wait for."""
_BACKGROUNDS = {words.BACKGROUNDS[kind.value]: kind for kind in Background}

FIRST = Choice("first", (*_NAMES, words.OWN_OBJECT))
SECOND = Choice("second", (_NONE, *_NAMES, words.OWN_OBJECT))
_SIZES = round(100 * editor.SMALLEST), round(100 * editor.LARGEST)
FIRST_SIZE, SECOND_SIZE = Number("first_size", *_SIZES), Number("second_size", *_SIZES)
FIRST_TURN, SECOND_TURN = Number("first_turn", -180, 180), Number("second_turn", -180, 180)
FIRST_MIRRORED, SECOND_MIRRORED = Flag("first_mirrored"), Flag("second_mirrored")
COVERED = Number("covered", 0, round(100 * editor.MOST_HIDDEN), 10)
AROUND = Number("around", 0, editor.MOST_DISTRACTORS)
LIGHT, WARMTH = Number("light", -100, 100, 10), Number("warmth", -100, 100, 10)
SCENE, GROUND = Number("scene", 0, SEEDS - 1), Number("ground", 0, SEEDS - 1)
BEHIND = Choice("behind", _BACKGROUNDS)
METHOD = Choice("by", _METHODS)

Order = Literal["first", "second"]
ORDER: tuple[Order, Order] = ("first", "second")
"""What links call the objects."""


def read_places() -> None:
    """Where the objects lie and which of them the maps are about, as the address says it."""
    state = st.session_state
    asked = any(url_state.says(one.name, words.OWN_OBJECT) for one in (FIRST, SECOND))
    if asked and "own_object" not in state:
        navigation.tell_why_not(words.LINK_TO_OBJECT)
    for name in ("first_at", "second_at"):
        url_state.read_url(name)
        if isinstance(state.get(name), str):
            state[name] = place_of(state[name])
    url_state.read_url("asked")
    if state.get("first_at") is None:
        state["first_at"] = START.objects[0].cx, START.objects[0].cy
    if state.get("second_at") is None:
        state["second_at"] = _SECOND.cx, _SECOND.cy
    state.setdefault("asked", ORDER[0])


def choose_scene(own: CutOut | None, networks: int) -> tuple[SceneSpec, Method]:
    """The scene without the places of its objects, which `with_places` knows, and the method.

    `own` is an object of the visitor's, which can be shown; so many `networks` look at the scene.
    """
    with st.container(key="lab_line", horizontal=True, vertical_alignment="center", gap="small"):
        said = st.container()
        st.button(words.NEW_SCENE, icon=":material/casino:", type="primary", on_click=_new_scene)
        with dropdown(words.CHANGE_SCENE, "scene"):
            placed = _choose_objects(own)
            spec = _choose_rest(placed)
            method = _choose_method()
        viewer.look_button()
    said.html(_line(spec, method, networks))
    return spec, method


def _line(spec: SceneSpec, method: Method, networks: int) -> str:
    """What one sees; also which map, where it is not the usual one."""
    line, drag = words.BENCH_LINE, words.BENCH_DRAG
    if len(spec.objects) == 2:
        line, drag = words.BENCH_LINE_TWO, words.BENCH_DRAG_TWO
    thing = in_words(spec.objects[0].name)
    several = words.SEVERAL_LOOK.format(count=number_word(networks).capitalize())
    said = line.format(who=words.ONE_LOOKS if networks == 1 else several, thing=thing)
    unusual = f"<span>{method.title}</span>" if method is not CAM else ""
    return f'<p class="lab-line of of-{networks}">{said} <b>{drag}</b> {unusual}</p>'


def in_words(name: str) -> str:
    """“a walking Sumatran tiger”, of an object's name in a scene."""
    return _WORDS.get(name, words.OWN_OBJECT)


def with_places(spec: SceneSpec) -> SceneSpec:
    """The scene with its objects where they were dragged to."""
    at = [st.session_state[name] for name in ("first_at", "second_at")]
    placed = [
        replace(one, cx=place[0], cy=place[1]) for one, place in zip(spec.objects, at, strict=False)
    ]
    return replace(spec, objects=tuple(placed))


def target_of(spec: SceneSpec) -> int:
    """The object that the maps are about, by its place in the scene's list."""
    return min(ORDER.index(st.session_state["asked"]), len(spec.objects) - 1)


def _choose_objects(own: CutOut | None) -> tuple[Placed, ...]:
    state = st.session_state
    names = [*_NAMES, *([words.OWN_OBJECT] if own else [])]
    start = START.objects[0]
    for name, usual in (("first", _WORDS[start.name]), ("second", _NONE)):
        if own is None and state.get(name) == words.OWN_OBJECT:  # it was removed
            state[name] = usual
    first = st.selectbox(
        words.OBJECT, names, names.index(_WORDS[start.name]), key=FIRST.name, bind="query-params",
    )  # fmt: skip
    second = st.selectbox(
        words.SECOND_OBJECT, [_NONE, *names], key=SECOND.name, bind="query-params",
    )  # fmt: skip
    placed = [_choose_how(_name(first), start, FIRST_SIZE, FIRST_TURN, FIRST_MIRRORED)]
    if second != _NONE:
        st.caption(words.OF_THE_SECOND)
        name = _name(second)
        placed.append(_choose_how(name, _SECOND, SECOND_SIZE, SECOND_TURN, SECOND_MIRRORED))
        _choose_target(first, second)
    return tuple(placed)


def _name(what: str) -> str:
    return _NAMES.get(what, OWN)


def _choose_how(name: str, usual: Placed, size: Number, turn: Number, mirrored: Flag) -> Placed:
    with st.container(horizontal=True):
        percent = st.slider(
            words.SIZE, *(*_SIZES, round(100 * usual.size)), key=size.name, bind="query-params",
            width=CONTROL,
        )  # fmt: skip
        degrees = st.slider(
            words.TURNED, *(-180, 180, round(usual.turned)), key=turn.name, bind="query-params",
            width=CONTROL,
        )  # fmt: skip
    flipped = st.toggle(words.MIRRORED, usual.mirrored, key=mirrored.name, bind="query-params")
    return Placed(name, percent / 100, usual.cx, usual.cy, degrees, flipped)


def _choose_target(first: str, second: str) -> None:
    """Which object's class is explained; a tap on the other one chooses it as well."""
    state = st.session_state
    state["_asked"] = state["asked"]
    named = dict(zip(ORDER, (first, second), strict=True))

    def changed() -> None:
        state["asked"] = state["_asked"]

    st.selectbox(
        words.CLASS_EXPLAINED, ORDER, key="_asked", on_change=changed,
        format_func=named.__getitem__, help=words.CLASS_OF_OBJECT_HELP,
    )  # fmt: skip


def _choose_rest(placed: tuple[Placed, ...]) -> SceneSpec:
    with st.container(horizontal=True):
        covered = st.slider(
            words.HIDDEN, *(COVERED.low, COVERED.high, 0, 10), key=COVERED.name,
            bind="query-params", width=CONTROL,
        )  # fmt: skip
        around = st.slider(
            words.DISTRACTORS, *(*AROUND.limits, 0), key=AROUND.name, bind="query-params",
            width=CONTROL,
        )  # fmt: skip
    with st.container(horizontal=True):
        light = st.slider(
            words.LIGHT, *(*LIGHT.limits, 0, 10), key=LIGHT.name, bind="query-params",
            width=CONTROL, help=words.LIGHT_HELP,
        )  # fmt: skip
        warmth = st.slider(
            words.WARMTH, *(*WARMTH.limits, 0, 10), key=WARMTH.name, bind="query-params",
            width=CONTROL, help=words.WARMTH_HELP,
        )  # fmt: skip
    kinds = list(_BACKGROUNDS)
    own = st.session_state.get("backdrop") is not None
    with st.container(horizontal=True):
        behind = st.selectbox(
            words.BACKGROUND, kinds, list(_BACKGROUNDS.values()).index(START.background),
            key=BEHIND.name, bind="query-params", width=CONTROL, disabled=own,
            help=words.BACKGROUND_HELP,
        )  # fmt: skip
        ground = st.number_input(
            words.BACKGROUND_NUMBER, *GROUND.limits, START.ground, key=GROUND.name,
            bind="query-params", width=CONTROL, disabled=own,
        )  # fmt: skip
    seed = st.number_input(
        words.SCENE_NUMBER, *SCENE.limits, START.seed, key=SCENE.name, bind="query-params",
        width=CONTROL, help=words.BENCH_NUMBER_HELP,
    )  # fmt: skip
    return SceneSpec(
        placed, int(seed), _BACKGROUNDS[behind], int(ground), int(around), covered / 100,
        light / 100, warmth / 100,
    )  # fmt: skip


def _choose_method() -> Method:
    title = st.selectbox(
        words.LAB_MAP, list(_METHODS), list(_METHODS).index(CAM.title), key=METHOD.name,
        bind="query-params", help=words.BENCH_METHOD_HELP,
    )  # fmt: skip
    return _METHODS[title]


def _new_scene() -> None:
    """Everything by chance; as many objects as there are now."""
    state = st.session_state
    two = state.get(SECOND.name, _NONE) != _NONE
    made = bench.spec_by_chance(secrets.randbelow(SEEDS), 2 if two else 1)
    first, *others = made.objects
    state[FIRST.name], state["first_at"] = _WORDS[first.name], (first.cx, first.cy)
    state[FIRST_SIZE.name], state[FIRST_TURN.name] = round(100 * first.size), round(first.turned)
    state[FIRST_MIRRORED.name] = first.mirrored
    for second in others:
        state[SECOND.name], state["second_at"] = _WORDS[second.name], (second.cx, second.cy)
        state[SECOND_SIZE.name] = round(100 * second.size)
        state[SECOND_TURN.name] = round(second.turned)
        state[SECOND_MIRRORED.name] = second.mirrored
    kind = next(said for said, one in _BACKGROUNDS.items() if one is made.background)
    state[BEHIND.name], state[GROUND.name], state[SCENE.name] = kind, made.ground, made.seed
    for shown in (COVERED, AROUND, LIGHT, WARMTH):
        state[shown.name] = 0
    state["asked"] = ORDER[0]


def new_scene_by_key(_: str) -> None:
    """As the button; what the controls say lies outside of what runs."""
    _new_scene()
    st.session_state["stepped"] = True


def show_own_object() -> None:
    """The visitor's own object is the first of the scene, and what the maps are about."""
    st.session_state[FIRST.name], st.session_state["asked"] = words.OWN_OBJECT, ORDER[0]


def move_object(number: int, place: tuple[float, float]) -> None:
    """An object has been dragged there."""
    cx, cy = place
    st.session_state[("first_at", "second_at")[number]] = (round(cx, 3), round(cy, 3))


def tap_object(number: int) -> None:
    """The maps are about this one from now on."""
    st.session_state["asked"], st.session_state["stepped"] = ORDER[number], True


def tell_places(spec: SceneSpec) -> None:
    """What the address says of them."""
    state = st.session_state
    lying = START.objects[0].cx, START.objects[0].cy
    usual = {"first_at": lying, "second_at": (_SECOND.cx, _SECOND.cy)}
    shown = list(usual)[: len(spec.objects)]
    told = {
        name: place_text(state[name]) if name in shown and state[name] != usual[name] else None
        for name in usual
    }
    asked = None if target_of(spec) == 0 else ORDER[1]
    navigation.fragment_address("place", {**told, "asked": asked})


PARAMETERS = (
    FIRST, SECOND, FIRST_SIZE, SECOND_SIZE, FIRST_TURN, SECOND_TURN, FIRST_MIRRORED,
    SECOND_MIRRORED, COVERED, AROUND, LIGHT, WARMTH, SCENE, GROUND, BEHIND, METHOD,
    Text("first_at", lambda text: place_of(text) is not None),
    Text("second_at", lambda text: place_of(text) is not None),
    Choice("asked", ORDER),
)  # fmt: skip
