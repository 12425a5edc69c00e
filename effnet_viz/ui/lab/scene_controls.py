"""Choosing and moving what the scene shows."""

from __future__ import annotations

import secrets

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from effnet_viz.images.photograph import ImageError
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.demo import UNSEEN_VENDOR, display_name
from effnet_viz.lab.scene_editor import SceneSpec
from effnet_viz.lab.scenes import SIDE
from effnet_viz.lab.sprites import CLASSES, VENDORS
from effnet_viz.ui import results
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.layout.url_parameters import Choice, Number, Text
from effnet_viz.ui.upload import MAX_MEGABYTES

FIRST_SEED = 11
SEEDS = 10_000

OBJECT, ANSWER = "the object", "its own answer"

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
    first, state = _by_chance(FIRST_SEED), st.session_state
    state["dragging"] = False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("New scene", icon=":material/casino:", on_click=_new_scene)
        label, vendor = _choose_object(first)
        seed = st.number_input(
            "Seed",
            *SEED.limits,
            first.seed,
            key="seed",
            bind="query-params",
            width=CONTROL,
            help="Decides what you do not choose: the background, which things lie around and how "
            "they are turned. The same number always gives the same scene.",
        )
        _choose_backdrop()
    with st.container(horizontal=True):
        size = st.slider(
            "Size in % of the side",
            *(*SIZE.limits, round(100 * first.size), 5),
            key="size",
            bind="query-params",
            width=CONTROL,
        )
        distractors = st.slider(
            "Distractors",
            *(*DISTRACTORS.limits, first.distractors),
            key="clutter",
            bind="query-params",
            width=CONTROL,
        )
        occlusion = st.slider(
            "Hidden in %",
            *(*OCCLUSION.limits, round(100 * first.occlusion), 10),
            key="hidden",
            bind="query-params",
            width=CONTROL,
        )
        method = _choose_method()
        own_answer = _choose_class()
    cx, cy = state.setdefault("place", (first.cx, first.cy))
    made = SceneSpec(
        int(seed), label, vendor, size / 100, cx, cy, int(distractors), occlusion / 100
    )
    return made, method, own_answer


def _choose_object(first: SceneSpec) -> tuple[int, str]:
    """The class, and a vendor that drew it."""
    name = st.selectbox(
        "Object", OBJECTS, first.label, key="object", bind="query-params", width=CONTROL
    )
    vendor = st.selectbox(
        "Drawn by",
        VENDORS,
        VENDORS.index(UNSEEN_VENDOR),
        key="drawn_by",
        bind="query-params",
        width=CONTROL,
        help=f"The networks have never seen drawings by {UNSEEN_VENDOR}. They learned from all "
        "others.",
    )
    label = OBJECTS.index(name)
    if vendor not in scene_editor.vendors_of(label):
        st.caption(
            f":material/info: There is no {name} by {vendor} here; this one is {UNSEEN_VENDOR}'s."
        )
        vendor = UNSEEN_VENDOR
    return label, vendor


def _new_scene() -> None:
    """Everything by chance, as the scenes that the networks learned from."""
    made, state = _by_chance(secrets.randbelow(SEEDS)), st.session_state
    state["seed"], state["object"] = made.seed, display_name(CLASSES[made.label])
    state["size"], state["clutter"] = round(100 * made.size), made.distractors
    state["hidden"] = round(100 * made.occlusion)
    state["place"] = (made.cx, made.cy)
    state["dragging"] = False


def _choose_method() -> str:
    return st.segmented_control(
        "Map",
        METHODS,
        default=METHODS[0],
        required=True,
        key="map",
        bind="query-params",
        help="CAM at the last stage, or Grad-CAM at stage "
        f"{demo.STAGES['Grad-CAM']}, in the middle of the network.",
    )


def _choose_class() -> bool:
    """Whether each network's own answer is explained, not the object."""
    chosen = st.segmented_control(
        "Class explained",
        [OBJECT, ANSWER],
        default=OBJECT,
        required=True,
        key="explained",
        bind="query-params",
        help="What speaks for the true class, or what speaks for the class that the network "
        "answers, right or wrong.",
    )
    return chosen == ANSWER


def _choose_backdrop() -> None:
    """One's own background: it stays in this visitor's session, as a small square."""
    with st.popover("Background", icon=":material/wallpaper:"):
        number = st.session_state.setdefault("backdrop_number", 0)
        st.file_uploader(
            "Put the object on a picture of your own",
            key=f"backdrop_file_{number}",
            on_change=_backdrop_changed,
            args=(f"backdrop_file_{number}",),
            max_upload_size=MAX_MEGABYTES,
            help=f"The middle square of your picture is used, at {SIDE}×{SIDE} pixels.",
        )
        if st.session_state.get("backdrop_problem"):
            st.error(st.session_state["backdrop_problem"], icon=":material/broken_image:")
        if st.session_state.get("backdrop") is not None:
            st.button("Draw a background again", on_click=_forget_backdrop)


def _backdrop_changed(key: str) -> None:
    file, state = st.session_state[key], st.session_state
    if isinstance(file, DeletedFile):  # it made room for others; what was made of it stays
        return
    state["backdrop"] = state["backdrop_problem"] = None
    if file is not None:
        try:
            state["backdrop"] = scene_editor.backdrop(results.decoded(file.getvalue()))
        except ImageError as error:
            state["backdrop_problem"] = escape_markdown(f"{file.name}: {error}")


def _forget_backdrop() -> None:
    st.session_state["backdrop"] = st.session_state["backdrop_problem"] = None
    st.session_state["backdrop_number"] += 1  # an upload field is emptied by a new one


def _place_of(text: str) -> tuple[float, float] | None:
    try:
        cx, cy = map(float, text.split(","))
    except ValueError:
        return None
    return (cx, cy) if 0 <= cx <= 1 and 0 <= cy <= 1 else None


def place_text(spec: SceneSpec) -> str:
    return f"{spec.cx:.3f},{spec.cy:.3f}"


def read_place() -> None:
    url_state.read_url("place")
    place = st.session_state.get("place")
    if isinstance(place, str):
        st.session_state["place"] = _place_of(place)


def move_object(place: tuple[float, float], done: bool) -> None:
    cx, cy = place
    st.session_state["place"] = (round(cx, 3), round(cy, 3))  # as exactly as the link says it
    st.session_state["dragging"] = not done


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
    Text("place", lambda text: _place_of(text) is not None),
    Choice("map", METHODS),
    Choice("explained", (OBJECT, ANSWER)),
)
