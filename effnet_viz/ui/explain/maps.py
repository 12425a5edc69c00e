"""CAM and Grad-CAM over the photograph, and what is left of them with a part covered."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

import streamlit as st

from effnet_viz.analysis.analysis import NoClassActivationMapError
from effnet_viz.analysis.words import percents
from effnet_viz.attribution import methods
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import Method
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.explain.answers import shown_predictions
from effnet_viz.ui.explain.details import DETAILS, ask_for_details
from effnet_viz.ui.explain.view import ExplainView, cover_box
from effnet_viz.ui.inputs.method_picker import USUAL, choose_method, is_quick, offered_methods
from effnet_viz.ui.inputs.model_picker import step_model
from effnet_viz.ui.inputs.target_and_stage import choose_stage, step_stage
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.problems import NO_MAP, error_boundary, reason_of
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.layout.url_parameters import Choice
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.method_map import care_of, progress_place, timed_map
from effnet_viz.ui.panes import map_of, picture_of, presented
from effnet_viz.ui.results import Covered
from effnet_viz.ui.viewer import Slot, Stages, Under

PHOTOGRAPH, CAM, GRAD_CAM = "photograph", "cam", "grad_cam"
_CANCEL = "cancel"

HIDE, KEEP = "hide the part", "keep only the part"

PARAMETERS = (Choice("blur", (HIDE, KEEP)),)


def open_deck(view: ExplainView) -> None:
    """The places of the pictures, and how they are shown."""
    target = view.analysis.target
    built = view.model.structure.stages
    no_cam = ""
    try:
        view.analysis.attribute(methods.CAM)
    except NoClassActivationMapError as error:
        no_cam = str(error)
    cover = None
    if not view.canvas.strip:
        cover = viewer.Cover(
            view.covered, _keep(), cover_box, lambda: cover_box(None), _choose_what_to_blur
        )
    viewer.deck(
        view.canvas.photograph,
        [
            Slot(PHOTOGRAPH, words.PHOTOGRAPH, when="covering"),
            Slot(CAM, methods.CAM.title, note=no_cam),
            _second(view),
        ],
        layout="pair",
        scale="own",
        presented=presented(target, shown_predictions(view), words.PRESENTING_ONE),
        on_step={"stage": step_stage(view.model.last_stage), "model": step_model},
        asks={DETAILS: words.DETAILS},
        on_ask=_answer,
        stages=Stages(
            view.stage,
            [f"Stage {n}, {one.side} by {one.side} cells" for n, one in built.items()],
            GRAD_CAM,
            "" if view.method else _stages_of(view),
        ),
        on_stage=choose_stage,
        methods=offered_methods(view.method, methods.GRAD_CAM.title, partial(_expected, view)),
        on_method=choose_method,
        cover=cover,
    )


def _second(view: ExplainView) -> Slot:
    """The place of Grad-CAM, or of the method that takes it."""
    slot = Slot(GRAD_CAM, (view.method or methods.GRAD_CAM).title, when="looking")
    if view.method is None or is_quick(view.method):
        return slot
    return replace(slot, note=words.COMPUTING, buttons=((_CANCEL, words.CANCEL),))


def _answer(asked: str) -> None:
    if asked == _CANCEL:
        choose_method(USUAL)
    else:
        ask_for_details(asked)


def _expected(view: ExplainView, method: Method) -> float:
    at = method.stage_of(view.stage, view.model.last_stage)
    return results.expected_seconds(view.analysis, method, at)


def _keep() -> bool:
    url_state.read_url("blur")
    chosen = st.session_state.get("blur")
    url_state.write_url("blur", chosen)
    return chosen == KEEP


def _choose_what_to_blur(keep: bool) -> None:
    st.session_state["blur"] = KEEP if keep else None


def show_cam(view: ExplainView) -> None:
    """The class activation map of the target class, where there is one; and the photograph."""
    if view.covered is None:
        _show_photograph(view, None)
        if view.model.engine.head is not None:
            label = view.analysis.target.label
            attribution = view.analysis.attribute(methods.CAM)
            under = Under(methods.CAM.title, label, hint=words.POINT)
            viewer.show(CAM, picture_of(view.canvas, view.model, attribution, under=under))


def show_covered(view: ExplainView) -> Covered:
    """The photograph with the part covered, and the map that is left."""
    assert view.covered is not None
    label = view.analysis.target.label
    with error_boundary(view.model.card.title), waiting(None):
        covered = results.covered(
            view.model, view.image, view.covered, _keep(), view.analysis.target.index
        )
    _show_photograph(view, covered)
    now = covered.explanation.attribution
    if view.model.engine.head is not None:
        picture = picture_of(
            view.canvas,
            view.model,
            now,
            under=Under(f"{now.method.title} now", label, hint=words.HOLD_B),
        )
        before = map_of(view.analysis.attribute(now.method))
        viewer.show(CAM, viewer.with_before(picture, before, covered.picture))
    return covered


def _show_photograph(view: ExplainView, covered: Covered | None) -> None:
    crop, target = view.analysis.crop, view.analysis.target
    live, text = None, ""
    if covered is not None and view.covered is not None:
        after = covered.explanation.analysis.predictions.of(target.index)
        change = percents(target.probability, after.probability, "→", below="<", over=">")
        live = (target.label, change)
        text = words.BLURRED.format(percent=round(100 * crop_share(view, covered.keep)))
    viewer.show(
        PHOTOGRAPH,
        viewer.Picture(
            view.canvas.photograph,
            view.canvas.seen,
            None,
            f"{view.image.description} The model saw {percent(crop.seen)} of it.",
            under=Under(words.PHOTOGRAPH, text, scale=False, hint=words.ANSWER_FOLLOWS),
            stamp=view.stamp if covered else "",
            changed=covered.picture if covered else "",
            boxed=not view.canvas.strip,
            live=live,
        ),
    )


def crop_share(view: ExplainView, keep: bool) -> float:
    """The share of what the model saw that is blurred, 0 to 1."""
    assert view.covered is not None
    seen, box = view.canvas.seen, view.covered
    sides = [
        max(0.0, min(box[i + 2], seen[i + 2]) - max(box[i], seen[i])) / (seen[i + 2] - seen[i])
        for i in (0, 1)
    ]
    inside = sides[0] * sides[1]
    return 1 - inside if keep else inside


def show_second(view: ExplainView) -> None:
    """Grad-CAM of the target class at the chosen stage, or the method that takes its place."""
    if view.method is None:
        _show_grad_cam(view)
        return
    method, analysis = view.method, view.analysis
    at = method.stage_of(view.stage, view.model.last_stage)
    try:
        made = timed_map(analysis, method, at, None, progress_place()).attribution
    except NO_MAP as error:
        reason = reason_of(error, view.model.card.title).replace("`", "")
        viewer.show_instead(replace(_second(view), note=reason, buttons=()))
        return
    stage = words.PIXELS if made.stage is None else f"stage {made.stage}"
    label = made.target.label
    under = Under(
        method.title,
        f"{label}, {stage}" if made.other is None else f"{label} rather than {made.other.label}",
        tag=stage,
        why=f"{method.computes} {method.misleads}",
        care=care_of(analysis, method),
    )
    viewer.show(GRAD_CAM, picture_of(view.canvas, view.model, made, under=under))


def _show_grad_cam(view: ExplainView) -> None:
    """Of the chosen stage; where one run gives all, those of the others follow."""
    computing = f"Computing Grad-CAM at stage {view.stage} …"
    with error_boundary(view.model.card.title), waiting(computing):
        attribution = view.grad_cam
        at_once = view.analysis.explained_at_once()
    viewer.show(GRAD_CAM, _grad_cam_picture(view, attribution))
    if at_once:
        maps = [
            results.attribution(view.analysis, methods.GRAD_CAM, stage)
            for stage in view.model.structure.stages
        ]
        pictures = [_grad_cam_picture(view, attribution) for attribution in maps]
        viewer.show_stages(GRAD_CAM, _stages_of(view), pictures)


def _stages_of(view: ExplainView) -> str:
    """What stands for network, photograph and class in the browser."""
    return hashlib.sha256(repr(view.analysis.id).encode()).hexdigest()[:16]


def _grad_cam_picture(view: ExplainView, attribution: Attribution) -> viewer.Picture:
    same = attribution.stage == view.model.last_stage and view.model.engine.head is not None
    stage, label = f"stage {attribution.stage}", view.analysis.target.label
    under = Under(
        methods.GRAD_CAM.title,
        words.SAME_MAP.format(label=label) if same else f"{label}, {stage}",
        tag=stage,
        why=words.WHY_SAME_MAP if same else "",
    )
    return picture_of(view.canvas, view.model, attribution, under=under)
