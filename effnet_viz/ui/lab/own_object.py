"""An object of one's own for the scene: it stays in this visitor's session, and in memory alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import DeletedFile

from effnet_viz.arrays import Box, Pixels
from effnet_viz.images.photograph import ImageError
from effnet_viz.models.classes import imagenet
from effnet_viz.pictures.encode import data_url
from effnet_viz.scenes import cutting
from effnet_viz.scenes.cutting import CutOutError, Opacity, Stroke
from effnet_viz.scenes.objects import CutOut
from effnet_viz.serving import models
from effnet_viz.ui import front_end, results, visitors, words
from effnet_viz.ui.lab.bench_controls import show_own_object
from effnet_viz.ui.layout.mistakes import mistake_boundary
from effnet_viz.ui.layout.text import escape_markdown
from effnet_viz.ui.upload import MAX_MEGABYTES

MOST_LABELS = 5
"""Classes that one can say are right for an object."""
LABELS_WIDTH = 340
"""Of the field for them, in pixels."""


@dataclass(frozen=True, eq=False)
class _Draft:
    """An object that is being made."""

    rgba: NDArray[np.uint8] | None
    """The object (h, w, 4), as far as there is one."""
    photograph: Pixels | None = None
    """What it is cut out of (h, w, 3); None for a picture that is cut out already."""
    opacity: Opacity | None = None
    """Where it is in the photograph, (h, w); None until a box is drawn."""
    box: Box | None = None
    strokes: tuple[Stroke, ...] = ()


def own_object() -> CutOut | None:
    """This visitor's object, if there is one."""
    made: CutOut | None = st.session_state.get("own_object")
    return made


def offer_own_object() -> None:
    """A button, and the dialog in which an object is made."""
    st.session_state.pop("_own_object_made", None)  # the dialog is closed
    if st.button(words.OFFER_OBJECT, icon=":material/content_cut:", key="open_own_object"):
        _make()


@st.dialog(words.OFFER_OBJECT, width="medium")
@mistake_boundary()
def _make() -> None:
    state = st.session_state
    if state.pop("_own_object_made", False):
        st.rerun()  # which closes the dialog
    key = f"own_object_file_{state.setdefault('own_object_number', 0)}"
    draft: _Draft | None = state.get("_own_draft")
    if draft is None:
        st.file_uploader(
            words.OBJECT_PICTURE,
            key=key,
            on_change=_file_changed,
            args=(key,),
            max_upload_size=MAX_MEGABYTES,
            help=words.OBJECT_PICTURE_HELP,
        )
    if state.get("own_object_problem"):
        st.error(state["own_object_problem"], icon=":material/broken_image:")
    if draft is not None:
        if draft.photograph is not None:
            told = _told(draft.photograph, draft)
            front_end.part("cutter", told, key="cutter", hears=_HEARS)
        elif draft.rgba is not None:
            shown = {"source": data_url(draft.rgba, "png"), "label": words.CUT_OUT}
            front_end.part("cut", shown, key="cut")
        _finish(draft.rgba)
        return
    made = own_object()
    if made is not None:
        st.caption(words.HAVE_OBJECT.format(what=escape_markdown(", ".join(made.labels))))
        if st.button(words.REMOVE_OBJECT, icon=":material/delete:", key="remove_own_object"):
            state["own_object"] = None
            st.rerun()


def _told(photograph: Pixels, draft: _Draft) -> dict[str, object]:
    """What the cutter shows."""
    height, width = photograph.shape[:2]
    cut = ""
    if draft.opacity is not None and draft.opacity.any():
        cut = data_url(np.dstack([photograph, draft.opacity]), "png")
    return {
        "photograph": data_url(photograph, "jpeg"),
        "width": width,
        "height": height,
        "cut": cut,
        "box": draft.box,
        "undo": bool(draft.strokes),
        "label": words.CUTTER,
    }


def _finish(rgba: NDArray[np.uint8] | None) -> None:
    """What it is, and the button that puts it into the scene."""
    # The list stays open after a choice: what comes next is beside it.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        labels = st.multiselect(
            words.WHAT_IS_IT,
            tuple(imagenet()),
            key="own_object_labels",
            max_selections=MOST_LABELS,
            select_all=False,
            placeholder=words.OF_CLASSES.format(count=len(imagenet())),
            help=words.WHAT_IS_IT_HELP,
            width=LABELS_WIDTH,
        )
        ready = rgba is not None and bool(labels)
        st.button(
            words.USE_OBJECT, type="primary", disabled=not ready, key="use_own_object",
            on_click=_use_object,
        )  # fmt: skip
        st.button(words.OTHER_PICTURE, on_click=_forget_draft, key="other_object_picture")
    if rgba is not None and not labels:
        st.caption(words.SAY_WHAT_IT_IS)


def _use_object() -> None:
    """The draft becomes the first object of the scene."""
    state = st.session_state
    draft: _Draft | None = state.get("_own_draft")
    labels = state.get("own_object_labels")
    if draft is None or draft.rgba is None or not labels:
        return  # a second click, or another picture came first
    state["own_object"] = cutting.own_object(draft.rgba, labels)
    state["_own_object_made"] = True
    show_own_object()
    _forget_draft()


def _forget_draft() -> None:
    st.session_state["_own_draft"] = st.session_state["own_object_problem"] = None
    st.session_state["own_object_number"] += 1  # an upload field is emptied by a new one


def _file_changed(key: str) -> None:
    file, state = st.session_state[key], st.session_state
    if file is None or isinstance(file, DeletedFile):  # it made room for others
        return
    state["own_object_problem"] = state["_own_draft"] = None
    try:
        state["_own_draft"] = _draft_of(file.getvalue())
    except (ImageError, CutOutError) as error:
        state["own_object_problem"] = escape_markdown(f"{file.name}: {error}")
    visitors.release(file.file_id)  # what is needed of it has been taken


def _draft_of(content: bytes) -> _Draft:
    """Raises ImageError, and CutOutError for a transparent picture that shows no object."""
    colours, opacity = results.layers(content)
    if opacity is not None and cutting.is_cut_out(opacity):
        with models.turn():
            return _Draft(cutting.treated_cut(colours, opacity))
    pixels = colours if opacity is None else results.decoded(content).pixels
    return _Draft(None, cutting.working_copy(pixels).copy())  # not the whole photograph


# What is done in the photograph


def _draw_box(told: object) -> None:
    draft, box = _drawn(), _box_of(told)
    if draft is not None and box is not None:
        _keep(replace(draft, box=box))


def _draw_stroke(told: object) -> None:
    draft, stroke = _drawn(), _stroke_of(told)
    if draft is None or stroke is None or draft.box is None:
        return
    if len(draft.strokes) >= cutting.MOST_STROKES:
        st.session_state["own_object_problem"] = words.MANY_STROKES
        return
    _keep(replace(draft, strokes=(*draft.strokes, stroke)))


def _undo(_: object) -> None:
    draft = _drawn()
    if draft is not None:
        _keep(replace(draft, strokes=draft.strokes[:-1]))


def _begin_again(_: object) -> None:
    draft = _drawn()
    if draft is not None:
        _keep(replace(draft, box=None, strokes=()))


_HEARS = {"box": _draw_box, "stroke": _draw_stroke, "undo": _undo, "again": _begin_again}


def _drawn() -> _Draft | None:
    draft: _Draft | None = st.session_state.get("_own_draft")
    return draft if draft is not None and draft.photograph is not None else None


def _keep(draft: _Draft) -> None:
    """With the cut as its box and strokes have it: made once, and not at every run."""
    assert draft.photograph is not None  # see _drawn
    opacity, rgba, problem = None, None, ""
    if draft.box is not None:
        with models.turn():
            opacity = cutting.cut_out(draft.photograph, draft.box, draft.strokes)
            try:
                rgba = cutting.treated_cut(draft.photograph, opacity)
            except CutOutError as error:
                problem = str(error)
    st.session_state["own_object_problem"] = problem
    st.session_state["_own_draft"] = replace(draft, opacity=opacity, rgba=rgba)


def _box_of(told: object) -> Box | None:
    match told:
        case [int() | float(), int() | float(), int() | float(), int() | float()]:
            left, top, right, bottom = (float(edge) for edge in told)
            if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
                return left, top, right, bottom
    return None


def _stroke_of(told: object) -> Stroke | None:
    match told:
        case [bool(thing), int() | float() as radius, list(places)]:
            points = [point for place in places if (point := _point_of(place)) is not None]
            if 0 < radius <= 0.1 and 0 < len(points) <= cutting.MOST_POINTS:
                return Stroke(thing, float(radius), tuple(points))
    return None


def _point_of(told: object) -> tuple[float, float] | None:
    match told:
        case [int() | float() as x, int() | float() as y] if 0 <= x <= 1 and 0 <= y <= 1:
            return float(x), float(y)
    return None
