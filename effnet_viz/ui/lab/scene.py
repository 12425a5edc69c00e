"""A scene to change, and five networks that look at it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.analysis.explanation import Explanation, explain
from effnet_viz.images.photograph import Photograph, resized
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.demo import UNSEEN_VENDOR, MaskScores, display_name
from effnet_viz.lab.networks import SCALINGS
from effnet_viz.lab.runs import UnfinishedError
from effnet_viz.lab.scene_editor import Composed, SceneSpec
from effnet_viz.lab.scenes import SIDE
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.metrics.localization import FIXED_THRESHOLD
from effnet_viz.models.model import Model
from effnet_viz.pictures.encode import data_url
from effnet_viz.serving import models
from effnet_viz.ui import results, viewer
from effnet_viz.ui.lab.scene_controls import (
    choose_scene,
    move_object,
    place_text,
    read_place,
    step_map,
)
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.mistakes import mistake_boundary, with_number
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import Canvas, show_attribution

SHOWN_SIDE = 256
"""Side of the scene on the page, in pixels."""
BARS = 3

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
    read_place()
    try:
        with waiting("Loading five networks, once for all visitors. This takes some seconds …"):
            demo.models()
    except UnfinishedError as error:
        st.info(f"The networks cannot be shown: {with_number(error)}", icon=":material/science:")
        return
    _chosen_scene()


@st.fragment
@mistake_boundary()
def _chosen_scene() -> None:
    """Runs by itself when a control changes: the results below stay as they are."""
    spec, method, own_answer = choose_scene()
    _five_networks(spec, method, own_answer)
    how_to_read(SCENE_HELP)


@st.fragment
@mistake_boundary()
def _five_networks(spec: SceneSpec, method: str, own_answer: bool) -> None:
    """Runs by itself while the object is dragged: the controls stay as they are."""
    if st.session_state.pop("stepped", False):
        st.rerun()  # the presenter's key has moved a control, which lies outside
    cx, cy = st.session_state["place"]
    moved = replace(spec, cx=cx, cy=cy)
    toolbar, presented, numbers = st.container(), st.container(key="presented"), st.container()
    with presented:
        cells = st.columns(len(SCALINGS), gap="small")
    with st.container(), waiting(None), models.turn():
        composed = scene_editor.compose(moved, st.session_state.get("backdrop"))
        seen = demo.photograph_of(composed.scene)
        target = None if own_answer else composed.scene.label
        found = [
            _explain(model, seen, target, demo.STAGES[method]) for model in demo.models().values()
        ]
    explained = [(one, demo.score(one, composed.scene)) for one in found]
    photograph = _photograph(seen)
    outlined = viewer.Object(composed.outline, (cx, cy))
    with toolbar:
        viewer.toolbar(
            photograph, key="viewer", on_step={"stage": step_map}, on_box=None, on_move=move_object
        )
    with numbers:
        _show_numbers(explained)
        _say_what_is_drawn(moved, composed)
    # The pictures come last: when they are there, everything is, and the object can move on.
    for (one, scores), cell in zip(explained, cells, strict=True):
        with cell:
            _show_network(one, scores, composed, Canvas(photograph, (0, 0, 1, 1), False), outlined)
    if not st.session_state["dragging"]:
        url_state.write_url("place", place_text(moved))


def _explain(model: Model, scene: Photograph, target: int | None, stage: int | None) -> Explanation:
    """One network on a scene. What is only passed while dragging is not kept."""
    if st.session_state["dragging"]:
        return explain(scene, model, target, stage)
    return results.explanation(model, scene, target, stage)


def _photograph(scene: Photograph) -> viewer.Photograph:
    picture = resized(scene.pixels, SHOWN_SIDE, SHOWN_SIDE)
    source = data_url(picture, "jpeg")
    key = f"scene {scene.id}"
    return viewer.Photograph(key, source, SHOWN_SIDE, SHOWN_SIDE, (SIDE, SIDE))


def _show_network(
    one: Explanation,
    scores: MaskScores,
    composed: Composed,
    canvas: Canvas,
    outlined: viewer.Object,
) -> None:
    st.html(_answer_bars(one.analysis, display_name(CLASSES[composed.scene.label])))
    place = "on" if scores.hit else "beside"
    model = one.analysis.model
    show_attribution(
        canvas,
        model,
        one.attribution,
        outlined=outlined,
        where=f"It is strongest {place} the object; {scores.energy:.0%} of the evidence lies on "
        "it.",
        key=f"pane {model.id.key}",
    )


def _answer_bars(analysis: Analysis, truth: str) -> str:
    """The network's name and its first answers as bars."""
    rows = "".join(
        f'<tr class="{"true" if answer.label == truth else "false"}">'
        f"<th scope=row>{html.escape(answer.label)}</th>"
        f'<td><i style="width:{100 * answer.probability:.0f}%"></i></td>'
        f"<td>{answer.probability:.0%}</td></tr>"
        for answer in analysis.predictions[:BARS]
    )
    return (
        f'<div class="answers"><b>{html.escape(analysis.model.card.title)}</b>'
        f"<table><caption>Answers</caption><tbody>{rows}</tbody></table></div>"
    )


def _show_numbers(explained: Sequence[tuple[Explanation, MaskScores]]) -> None:
    scores = [of_map for _, of_map in explained]
    st.table(
        {
            "": [f"**{one.analysis.model.card.title}**" for one, _ in explained],
            "evidence on the object": [f"{one.energy:.0%}" for one in scores],
            "a perfect map": [f"{one.upper_bound:.0%}" for one in scores],
            "strongest point": ["on the object" if one.hit else "beside it" for one in scores],
            "object covered": [f"{one.recall:.0%}" for one in scores],
            "evidence on other things": [f"{one.distractors:.0%}" for one in scores],
        },
        border="horizontal",
        width="content",
        hide_index=True,
    )


def _say_what_is_drawn(spec: SceneSpec, composed: Composed) -> None:
    seen = "never seen" if spec.vendor == UNSEEN_VENDOR else "seen"
    st.caption(
        f"Drawn by {spec.vendor}, {seen} in training. Of what lies inside the picture, "
        f"{composed.occlusion:.0%} is hidden."
    )
