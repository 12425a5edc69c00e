"""What the network answers, beside its maps: a sentence, the best classes, another class."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis import covered as covering
from effnet_viz.analysis import verdict
from effnet_viz.analysis.explanation import Explanation, method_at
from effnet_viz.analysis.verdict import WeakEvidence
from effnet_viz.models.model import Model
from effnet_viz.records import Prediction
from effnet_viz.ui import front_end, results, words
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.inputs.target_and_stage import choose_target
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.results import Covered

BEST = 5


@dataclass(frozen=True)
class Answers:
    """The column beside the maps, before it is known what stands in it."""

    place: DeltaGenerator
    target: str | None
    whole: DeltaGenerator
    """At its end."""


def answers(model: Model) -> Answers:
    """The column: room for the answers, and the search for another class."""
    place = st.container(key="rows_place")
    with st.container(key="search"):
        target = choose_target(model.classes)
    st.page_link("pages/compare_scaling.py", label=words.LEADS_ON, icon=":material/arrow_forward:")
    return Answers(place, target, st.container(key="whole"))


def show_answers(view: ExplainView, covered: Covered | None) -> bool:
    """The sentence and the rows; with a part covered, before and after.

    Gives whether the evidence is weak, which takes more room.
    """
    with error_boundary(view.model.card.title):
        data = _covered(view, covered) if covered else _plain(view)
    if view.stamp:
        data["note"] = words.UNTRAINED_ANSWERS

    def choose(label: Any) -> None:
        if label in view.model.classes:
            st.session_state["target"] = label

    front_end.part(
        "rows", {"label": words.EXPLAIN_A_CLASS, **data}, key="rows", hears={"class": choose}
    )
    return bool(data.get("weak"))


def shown_predictions(view: ExplainView) -> list[Prediction]:
    """The best classes, and the target where it is not among them."""
    shown = list(view.analysis.predictions[:BEST])
    target = view.analysis.target
    return shown if target in shown else [*shown, target]


def _plain(view: ExplainView) -> dict[str, Any]:
    target = view.analysis.target
    method = method_at(view.model, view.model.last_stage)
    explained = Explanation(
        view.analysis, results.attribution(view.analysis, method, view.model.last_stage)
    )
    said = results.verdict(explained)
    tenth = results.hottest_blurred(explained, view.image) if not view.stamp else None
    return {
        "headline": said.headline,
        "sentence": f"{said.guess} {said.evidence}" if said.weak is None else said.guess,
        "quiet": verdict.blurred(tenth) if tenth and said.weak is None else "",
        "weak": said.weak and _weak(view, said.weak),
        "rows": [
            _row(one, percent(one.probability), one == target) for one in shown_predictions(view)
        ],
    }


def _weak(view: ExplainView, weak: WeakEvidence) -> dict[str, Any]:
    """With the brightness that both maps would have for the network's own answer."""
    own = view.analysis.for_target(weak.own.index)
    grad_cam = results.attribution(own, view.grad_cam.method, view.stage)
    upper = max(float(grad_cam.values.max()), float(view.grad_cam.values.max()))
    if view.method is not None:
        upper = 0.0  # another method's unit is another one: its map keeps its own brightness
    return {
        "title": words.WEAK,
        "text": weak.sentence,
        "button": words.ONE_BRIGHTNESS,
        "ends": [weak.upper, weak.upper, upper],  # of the slots photograph, CAM, Grad-CAM
    }


def _row(prediction: Prediction, share: str, chosen: bool, **more: Any) -> dict[str, Any]:
    part = prediction.probability
    return {"label": prediction.label, "share": share, "part": part, "chosen": chosen, **more}


def _covered(view: ExplainView, covered: Covered) -> dict[str, Any]:
    before, after = view.analysis.predictions, covered.explanation.analysis.predictions
    said = covering.covered_verdict(before, after, view.analysis.target.index, keep=covered.keep)
    return {
        "headline": said.headline,
        "sentence": said.sentence,
        "rows": [_covered_row(row) for row in said.rows],
        "note": words.TICK,
    }


def _covered_row(row: covering.BeforeAndAfter) -> dict[str, Any]:
    before, _, after = row.change.partition(" → ")
    part = row.before.probability
    return _row(row.after, after, row.explained, before=before, before_part=part)


def show_whole(view: ExplainView, *, beside_weak: bool) -> None:
    """The whole photograph, small, with the square that the network saw.

    `beside_weak`: under weak evidence, where a small laptop has no room for it.
    """
    crop, picture = view.analysis.crop, view.picture
    left, top, right, bottom = crop.box_in(100, 100)
    place = f"left:{left:.2f}%;top:{top:.2f}%;width:{right - left:.2f}%;height:{bottom - top:.2f}%"
    seen = round(100 * crop.seen)
    said = words.SAW_ALL if seen == 100 else words.SAW_PART.format(percent=seen)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(view))
    name = "whole beside-weak" if beside_weak else "whole"
    st.html(
        f'<div class="{name}"><figure><img src="{results.overview(view.image)}" alt="'
        f'{html.escape(view.image.description, quote=True)}" title="{html.escape(view.image.title)}'
        f', {picture.width}×{picture.height} px"><i style="{place}"></i></figure>'
        f'<div><p>{said} <span class="key">{words.HOLD_H}</span></p>{notes}</div></div>'
    )


def _notes(view: ExplainView) -> Sequence[str]:
    return (*view.picture.notes, *([words.NARROW] if view.canvas.strip else []))
