"""A scene to change, and five networks that look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from effnet_viz.analysis.explanation import Explanation, explain
from effnet_viz.analysis.words import percent
from effnet_viz.images.photograph import Photograph, resized
from effnet_viz.lab import demo, scene_editor, verdicts
from effnet_viz.lab.demo import MaskScores, display_name
from effnet_viz.lab.runs import UnfinishedError
from effnet_viz.lab.scalings import SCALINGS, Scaling
from effnet_viz.lab.scene_editor import Composed, SceneSpec
from effnet_viz.lab.scenes import SIDE
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.models.model import Model
from effnet_viz.pictures.encode import data_url
from effnet_viz.serving import models
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.lab.following import follow
from effnet_viz.ui.lab.own_background import backdrop_of
from effnet_viz.ui.lab.scene_controls import (
    METHODS,
    choose_scene,
    move_object,
    new_scene_by_key,
    place_text,
    read_place,
    step_map,
)
from effnet_viz.ui.layout import navigation
from effnet_viz.ui.layout.mistakes import mistake_boundary, with_number
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import Canvas, picture_of
from effnet_viz.ui.viewer import Found, Presented, Slot, Under

SHOWN_SIDE = 256
"""Side of the scene on the page, in pixels."""


def show_scene() -> None:
    """The scene, what can be changed of it, and what the networks make of it."""
    reason = st.session_state.pop("_unfinished_lab", None)
    if reason is not None:
        st.info(words.UNFINISHED_LAB.format(reason=reason), icon=":material/science:")
        return
    read_place()
    _chosen_scene()


@st.fragment
@mistake_boundary()
def _chosen_scene() -> None:
    """Runs by itself when a control changes: the results below stay as they are."""
    spec, method, own_answer = choose_scene()
    _five_networks(spec, method, own_answer)


@st.fragment
@mistake_boundary()
def _five_networks(spec: SceneSpec, method: str, own_answer: bool) -> None:
    """Runs by itself when the object has been dragged: the controls stay as they are."""
    if st.session_state.pop("stepped", False):
        st.rerun()  # a key has changed controls, which lie outside
    name = display_name(CLASSES[spec.label])
    if not demo.are_loaded():
        _open_deck(None, name, method)
        _load()
    with waiting(None):
        shown = _pictures(spec, method, own_answer, results.explanation)
    _open_deck(shown.photograph, name, method)
    for key, picture in shown.pictures.items():
        viewer.show(key, picture)
    navigation.fragment_address("place", {"place": place_text(st.session_state["place"])})
    # What is only passed is not kept.
    follow(lambda: _pictures(spec, method, own_answer, _explain_once), move_object)


def _explain_once(
    model: Model, seen: Photograph, target: int | None, stage: int | None
) -> Explanation:
    return explain(seen, model, target, stage)


def _pictures(
    spec: SceneSpec,
    method: str,
    own_answer: bool,
    explained: Callable[[Model, Photograph, int | None, int | None], Explanation],
) -> viewer.Shown:
    """The scene with its object where it is now, as all networks see it."""
    cx, cy = st.session_state["place"]
    with models.turn():
        composed = scene_editor.compose(replace(spec, cx=cx, cy=cy), backdrop_of(SIDE))
        seen = demo.photograph_of(composed.scene)
        target, stage = None if own_answer else composed.scene.label, demo.STAGES[method]
        found = {key: explained(model, seen, target, stage) for key, model in demo.models().items()}
    photograph = _photograph(seen)
    title = f"scene {spec.seed}, {display_name(CLASSES[spec.label])}"
    canvas = Canvas(photograph, (0, 0, 1, 1), False, title, ())
    outlined = viewer.Object(composed.outline, (cx, cy))
    return viewer.Shown(
        photograph,
        {key: _picture(key, one, composed, canvas, outlined) for key, one in found.items()},
    )


def _load() -> None:
    """The networks, while their places are there; then the page shows them, or says why not."""
    try:
        with waiting(words.LOADING_NETWORKS):
            demo.models()
    except UnfinishedError as error:
        st.session_state["_unfinished_lab"] = with_number(error)
    st.rerun()


def _open_deck(photograph: viewer.Photograph | None, name: str, method: str) -> None:
    headline = words.FINDS.format(name=name)
    viewer.deck(
        photograph,
        [
            Slot(
                key,
                title=words.NETWORKS[key],
                detail=_detail(scaling),
                colour=key,
                answered=True,
            )
            for key, scaling in SCALINGS.items()
        ],
        layout="row",
        scale="own",
        presented=Presented(
            headline if method == METHODS[0] else f"{headline} {method}",
            words.PRESENTING_LAB.format(name=name),
        ),
        on_step={"stage": step_map},
        asks={"new": words.NEW_SCENE},
        on_ask=new_scene_by_key,
        on_move=move_object,
        folded=True,
    )


def _detail(scaling: Scaling) -> str:
    """What was multiplied; of the baseline, what it sees."""
    by = {"d": scaling.depth, "w": scaling.width, "r": scaling.resolution_factor}
    factors = {letter: factor for letter, factor in by.items() if factor != 1}
    if not factors:
        return f"{scaling.resolution} px"
    sign = " = " if len(factors) == 1 else " "
    return " · ".join(f"{letter}{sign}{factor:g}" for letter, factor in factors.items())


def _photograph(scene: Photograph) -> viewer.Photograph:
    picture = resized(scene.pixels, SHOWN_SIDE, SHOWN_SIDE)
    source = data_url(picture, "jpeg")
    key = f"scene {scene.id}"
    return viewer.Photograph(key, source, SHOWN_SIDE, SHOWN_SIDE, (SIDE, SIDE))


def _picture(
    key: str,
    one: Explanation,
    composed: Composed,
    canvas: Canvas,
    outlined: viewer.Object,
) -> viewer.Picture:
    scores = demo.score(one, composed.scene)
    under = Under(words.NETWORKS[key], answer=_found(key, one, scores, composed.scene.label))
    return picture_of(
        canvas,
        one.analysis.model,
        one.attribution,
        under=under,
        outlined=[outlined],
        where=_scores_in_words(scores),
    )


def _found(key: str, one: Explanation, scores: MaskScores, label: int) -> Found:
    found = verdicts.scene_answer(one, scores, words.NETWORKS[key], label)
    short = words.ON_THE_OBJECT.format(share=percent(found.on_object))
    return Found(
        found.answer.label,
        found.sure,
        found.right,
        found.on_object,
        found.possible,
        key,
        (found.on_object_text, short, found.possible_text),
    )


def _scores_in_words(scores: MaskScores) -> str:
    place = "on" if scores.hit else "beside"
    return (
        f"It is strongest {place} the object. {percent(scores.energy)} of the evidence lies on the "
        f"object, {percent(scores.distractors)} on other things; {percent(scores.recall)} of the "
        "object is covered."
    )
