"""The parts of the page "Scaling lab": a scene to change, five networks that look at it."""

from __future__ import annotations

import hashlib
import html
import secrets
from dataclasses import replace
from typing import get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from effnet_viz.images import photograph
from effnet_viz.images.photograph import ImageError
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.demo import UNSEEN_VENDOR, Method, SceneExplanation, spoken
from effnet_viz.lab.networks import SCALINGS
from effnet_viz.lab.scene_editor import Composed, Composition
from effnet_viz.lab.scenes import SIDE
from effnet_viz.lab.sprites import CLASSES, VENDORS
from effnet_viz.lab.training import UnfinishedError
from effnet_viz.metrics.localization import FIXED_THRESHOLD
from effnet_viz.pictures import render
from effnet_viz.serving import models
from effnet_viz.ui import results, viewer
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import plain
from effnet_viz.ui.layout.waiting import waiting

FIRST_SEED = 11
SEEDS = 10_000
SHOWN_SIDE = 256
"""Side of the scene on the page, in pixels."""
OBJECT, ANSWER = "the object", "its own answer"
METHODS: tuple[Method, ...] = get_args(Method)
BARS = 3
CONTROL = 168
"""Width of a control in pixels: two stand side by side on a phone."""

SCENE_HELP = f"""
All five networks see the same scene, and the maps show what speaks for the object, or for the class
that each network answers. The white line is drawn around what can be seen of the object, so you see
how much of the evidence lies on it. **Drag the object** in any picture: all five look again as it
moves.

**Evidence on the object** is the share of the positive evidence that lies inside the line. A map
with few cells cannot follow a fine outline, so next to it stands what a **perfect map** would reach
on the same grid. **Object covered** is the share of the object where the evidence is at least
{FIXED_THRESHOLD:.0%} of its largest value.

The caption of each map says how many cells its grid has: a network that sees more pixels has more
of them. Choose *True grid* under “More ways to look” to see the cells.
"""


def show_introduction() -> None:
    """What the five networks are."""
    st.markdown(
        f"Five small networks have learned to name {len(CLASSES)} drawn things: B0 in miniature, "
        "and four ways to spend about four times its cost (more layers, more channels, more "
        "pixels, or all three). Here the object is known to the pixel. **Drag it.**"
    )


def show_scene() -> None:
    """The scene's controls, and the five networks on it."""
    _adopt_place()
    try:
        with waiting("Loading five networks, once for all visitors. This takes some seconds …"):
            demo.engines()
    except UnfinishedError as error:
        st.info(f"The networks cannot be shown: {error}", icon=":material/science:")
        return
    _chosen_scene()


@st.fragment
def _chosen_scene() -> None:
    """Runs by itself when a control changes: the results below stay as they are."""
    composition, method, own_answer = _choose()
    _five_networks(composition, method, own_answer)
    how_to_read(SCENE_HELP)


@st.fragment
def _five_networks(composition: Composition, method: Method, own_answer: bool) -> None:
    """Runs by itself while the object is dragged: the controls stay as they are."""
    if st.session_state.pop("stepped", False):
        st.rerun()  # the presenter's key has moved a control, which lies outside
    across, down = st.session_state["place"]
    moved = replace(composition, across=across, down=down)
    toolbar, presented, numbers = st.container(), st.container(key="presented"), st.container()
    with presented:
        cells = st.columns(len(SCALINGS), gap="small")
    with st.container(), waiting(None), models.turn():
        composed = scene_editor.compose(moved, st.session_state.get("backdrop"))
        explained = demo.explained(composed.scene, method, own_answer=own_answer)
    photograph = _photograph(composed)
    outlined = viewer.Object(composed.outline, (across, down))
    with toolbar:
        viewer.toolbar(
            photograph, key="viewer", on_step={"stage": _step}, on_box=None, on_move=_move
        )
    with numbers:
        _show_numbers(explained)
        _show_what(moved, composed)
    # The pictures come last: when they are there, everything is, and the object can move on.
    for one, cell in zip(explained, cells, strict=True):
        with cell:
            _show_network(one, composed, photograph, outlined)
    if not st.session_state["dragging"]:
        url_state.publish("place", _place_text(moved))


# Choosing


def _first(seed: int = FIRST_SEED) -> Composition:
    return scene_editor.chosen_by_chance(seed, UNSEEN_VENDOR)


def _choose() -> tuple[Composition, Method, bool]:
    """The scene, the map, and whether each network's own answer is explained."""
    first, state = _first(), st.session_state
    state["dragging"] = False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("New scene", icon=":material/casino:", on_click=_draw_new_scene)
        label, vendor = _choose_drawing(first)
        seed = st.number_input(
            "Seed",
            0,
            SEEDS - 1,
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
            *(20, 90, round(100 * first.size), 5),
            key="size",
            bind="query-params",
            width=CONTROL,
        )
        clutter = st.slider(
            "Things around",
            *(0, scene_editor.MOST_CLUTTER, first.clutter),
            key="clutter",
            bind="query-params",
            width=CONTROL,
        )
        hidden = st.slider(
            "Hidden in %",
            *(0, round(100 * scene_editor.MOST_HIDDEN), round(100 * first.hidden), 10),
            key="hidden",
            bind="query-params",
            width=CONTROL,
        )
        method = _choose_method()
        own_answer = _choose_class()
    across, down = state.setdefault("place", (first.across, first.down))
    made = Composition(int(seed), label, vendor, size / 100, across, down, clutter, hidden / 100)
    return made, method, own_answer


def _choose_drawing(first: Composition) -> tuple[int, str]:
    """The class, and a vendor that drew it."""
    names = [spoken(name) for name in CLASSES]
    name = st.selectbox(
        "Object", names, first.label, key="object", bind="query-params", width=CONTROL
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
    label = names.index(name)
    if vendor not in scene_editor.vendors_of(label):
        st.caption(
            f":material/info: There is no {name} by {vendor} here; this one is {UNSEEN_VENDOR}'s."
        )
        vendor = UNSEEN_VENDOR
    return label, vendor


def _draw_new_scene() -> None:
    """Everything by chance, as the scenes that the networks learned from."""
    made, state = _first(secrets.randbelow(SEEDS)), st.session_state
    state["seed"], state["object"] = made.seed, spoken(CLASSES[made.label])
    state["size"], state["clutter"] = round(100 * made.size), made.clutter
    state["hidden"] = round(100 * made.hidden)
    state["place"] = (made.across, made.down)
    state["dragging"] = False


def _choose_method() -> Method:
    return st.segmented_control(
        "Map",
        METHODS,
        default=METHODS[0],
        required=True,
        key="map",
        bind="query-params",
        help="CAM at stage 9, or Grad-CAM at stage "
        f"{demo.STAGE_OF['Grad-CAM']}, in the middle of the network.",
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
            help=f"The middle square of your picture is used, at {SIDE}×{SIDE} pixels.",
        )
        if st.session_state.get("backdrop_problem"):
            st.error(st.session_state["backdrop_problem"], icon=":material/broken_image:")
        if st.session_state.get("backdrop") is not None:
            st.button("Draw a background again", on_click=_forget_backdrop)


def _backdrop_changed(key: str) -> None:
    file, state = st.session_state[key], st.session_state
    state["backdrop"] = state["backdrop_problem"] = None
    if file is not None:
        try:
            state["backdrop"] = scene_editor.backdrop(results.decoded(file.getvalue()))
        except ImageError as error:
            state["backdrop_problem"] = plain(f"{file.name}: {error}")


def _forget_backdrop() -> None:
    st.session_state["backdrop"] = st.session_state["backdrop_problem"] = None
    st.session_state["backdrop_number"] += 1  # an upload field is emptied by a new one


# Moving


def _place_of(text: str) -> tuple[float, float] | None:
    try:
        across, down = map(float, text.split(","))
    except ValueError:
        return None
    return (across, down) if 0 <= across <= 1 and 0 <= down <= 1 else None


def _place_text(composition: Composition) -> str:
    return f"{composition.across:.3f},{composition.down:.3f}"


def _adopt_place() -> None:
    url_state.adopt("place", lambda text: _place_of(text) is not None)
    place = st.session_state.get("place")
    if isinstance(place, str):
        st.session_state["place"] = _place_of(place)


def _move(place: tuple[float, float], done: bool) -> None:
    across, down = place
    st.session_state["place"] = (round(across, 3), round(down, 3))  # as exactly as the link says it
    st.session_state["dragging"] = not done


def _step(by: int) -> None:
    """The presenter's arrow keys step between the two maps; all networks are there already."""
    st.session_state["map"] = METHODS[0] if by > 0 else METHODS[1]
    st.session_state["stepped"] = True


# Showing


def _photograph(composed: Composed) -> viewer.Photograph:
    pixels: NDArray[np.uint8] = composed.scene.image
    picture = photograph.resized(pixels, SHOWN_SIDE, SHOWN_SIDE)
    key = f"scene {hashlib.sha256(pixels.tobytes()).hexdigest()}"
    source = render.data_url(picture, "jpeg")
    return viewer.Photograph(key, source, SHOWN_SIDE, SHOWN_SIDE, (SIDE, SIDE))


def _show_network(
    one: SceneExplanation,
    composed: Composed,
    photograph: viewer.Photograph,
    outlined: viewer.Object,
) -> None:
    st.html(_answers(one, spoken(CLASSES[composed.scene.label])))
    where = "on" if one.hit else "beside"
    of_stage = demo.structures()[one.scaling.key].stages[one.stage]
    viewer.pane(
        photograph,
        (0, 0, 1, 1),
        one.evidence,
        kind="evidence",
        description=f"{one.method} of {one.scaling.title} over the scene. It is strongest {where} "
        f"the object; {one.energy:.0%} of the evidence lies on it.",
        caption=one.caption,
        stamp="",
        field=viewer.Field(
            of_stage.receptive_side, of_stage.jump, of_stage.start, of_stage.resolution
        ),
        covered=None,
        outlined=outlined,
        file=f"scaling-lab-{one.method}-{one.scaling.key}.png".lower(),
        key=f"pane {one.scaling.key}",
    )


def _answers(one: SceneExplanation, truth: str) -> str:
    """The network's name and its first answers as bars."""
    rows = "".join(
        f'<tr class="{"true" if answer.label == truth else "false"}">'
        f"<th scope=row>{html.escape(answer.label)}</th>"
        f'<td><i style="width:{100 * answer.probability:.0f}%"></i></td>'
        f"<td>{answer.probability:.0%}</td></tr>"
        for answer in one.answers[:BARS]
    )
    return (
        f'<div class="answers"><b>{html.escape(one.scaling.title)}</b>'
        f"<table><caption>Answers</caption><tbody>{rows}</tbody></table></div>"
    )


def _show_numbers(explained: tuple[SceneExplanation, ...]) -> None:
    st.table(
        {
            "": [f"**{one.scaling.title}**" for one in explained],
            "evidence on the object": [f"{one.energy:.0%}" for one in explained],
            "a perfect map": [f"{one.ceiling:.0%}" for one in explained],
            "strongest point": ["on the object" if one.hit else "beside it" for one in explained],
            "object covered": [f"{one.coverage:.0%}" for one in explained],
            "evidence on other things": [f"{one.distractors:.0%}" for one in explained],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )


def _show_what(composition: Composition, composed: Composed) -> None:
    seen = "never seen" if composition.vendor == UNSEEN_VENDOR else "seen"
    st.caption(
        f"Drawn by {composition.vendor}, {seen} in training. Of what lies inside the picture, "
        f"{composed.hidden:.0%} is hidden."
    )
