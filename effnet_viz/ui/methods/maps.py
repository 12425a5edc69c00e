"""The maps of all methods in one deck: quick ones at once, slow ones when they are asked for."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.attribution.methods import METHODS, Method
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.inputs.model_picker import step_model
from effnet_viz.ui.inputs.target_and_stage import choose_stage, step_stage
from effnet_viz.ui.layout.problems import NO_MAP, reason_of
from effnet_viz.ui.layout.text import seconds_text, time_text
from effnet_viz.ui.method_map import care_of, progress_place, timed_map
from effnet_viz.ui.methods.view import MethodsView, offered, want, want_no_more
from effnet_viz.ui.panes import picture_of
from effnet_viz.ui.results import TimedAttribution
from effnet_viz.ui.viewer import Presented, Slot, Stages, Under

_COMPUTE, _CANCEL = "compute ", "cancel "


def open_deck(view: MethodsView) -> list[Slot]:
    """A place for every method."""
    slots = [_slot(view, method) for method in offered()]
    stages = view.model.structure.stages
    viewer.deck(
        view.canvas.photograph,
        slots,
        layout="row",
        wall=True,
        scale="own",
        presented=Presented(view.analysis.target.label, words.PRESENTING_SEVERAL),
        on_step={"stage": step_stage(view.model.last_stage), "model": step_model},
        on_ask=_answer,
        stages=Stages(
            view.stage, [f"Stage {n}, {one.side} by {one.side} cells" for n, one in stages.items()]
        ),
        on_stage=choose_stage,
    )
    return slots


def _slot(view: MethodsView, method: Method) -> Slot:
    slot = Slot(method.key, title=method.title, detail=method.library.value)
    if is_quick(method):
        return slot
    if method.key in view.wanted:
        return replace(slot, buttons=((_CANCEL + method.key, words.CANCEL),))
    seconds = results.expected_seconds(view.analysis, method, view.stage_of(method))
    text = words.COMPUTE.format(seconds=time_text(seconds))
    return replace(slot, note=method.computes, buttons=((_COMPUTE + method.key, text),))


def _answer(asked: str) -> None:
    if asked.startswith(_COMPUTE):
        want(asked.removeprefix(_COMPUTE))
    elif asked.startswith(_CANCEL):
        want_no_more(asked.removeprefix(_CANCEL))


def show_maps(view: MethodsView, slots: list[Slot]) -> dict[str, TimedAttribution]:
    """Every map that is there at once or asked for, as it comes; by the method's key."""
    bar = progress_place()
    found = {}
    for slot in slots:
        method = METHODS[slot.name]
        if not is_quick(method) and method.key not in view.wanted:
            continue
        place = st.empty()
        if not is_quick(method):  # what was there before is of another class, stage or photograph
            with place:
                viewer.show_instead(replace(slot, note=words.COMPUTING), meanwhile=True)
        try:
            other = view.other.index if method.compares else None
            made = timed_map(view.analysis, method, view.stage_of(method), other, bar)
        except NO_MAP as error:
            _say(place, slot, reason_of(error, view.model.card.title).replace("`", ""))
        else:
            found[method.key] = made
            with place:
                _show(view, method, made)
    return found


def _say(place: DeltaGenerator, slot: Slot, note: str) -> None:
    with place:
        viewer.show_instead(replace(slot, note=note, buttons=()))


def _show(view: MethodsView, method: Method, made: TimedAttribution) -> None:
    attribution = made.attribution
    text = words.METHOD_COST.format(
        runs=words.RUNS.get(method.passes, f"{method.passes:,} runs"),
        seconds=seconds_text(made.seconds),
    )
    if attribution.other is not None:
        text = f"rather than {attribution.other.label}"
    under = Under(
        text=text,
        why=f"{method.computes} {method.misleads} {method.paper}.",
        care=care_of(view.analysis, method),
    )
    viewer.show(method.key, picture_of(view.canvas, view.model, attribution, under=under))
