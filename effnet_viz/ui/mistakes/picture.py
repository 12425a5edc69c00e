"""One picture with the maps for what it was taken for, and for what it is."""

from __future__ import annotations

import streamlit as st

from effnet_viz.analysis.explanation import method_at
from effnet_viz.analysis.mistakes import Look, Study
from effnet_viz.images.photograph import ImageError
from effnet_viz.models.validation import content_of
from effnet_viz.records import Prediction
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import canvas_of, picture_of, presented
from effnet_viz.ui.upload import Upload
from effnet_viz.ui.viewer import Slot, Under

TAKEN_FOR, INSTEAD = "taken_for", "instead"


def show_picture(study: Study, look: Look) -> None:
    """Both maps of a picture, equally bright where they are equally strong."""
    model = study.model
    try:
        content = content_of(look.picture.path)
    except ImageError as error:
        st.error(f"{look.picture.name}: {error}", icon=":material/error:")
        return
    image = Upload(look.digest, look.picture.name, f"A picture of {look.picture.label}.", content)
    try:
        with error_boundary(model.card.title), waiting(None):
            analysis = results.analysis(model, image)
            canvas = canvas_of(image, analysis.crop)
    except ImageError as error:
        st.error(f"{look.picture.name}: {error}", icon=":material/error:")
        return
    best = analysis.predictions[0]
    other = analysis.other_than(best) if look.right else look.own
    headings = {
        TAKEN_FOR: words.TAKEN_FOR_RIGHT if look.right else words.TAKEN_FOR,
        INSTEAD: words.RUNNER_UP if look.right else words.IT_IS,
    }
    viewer.deck(
        canvas.photograph,
        [Slot(TAKEN_FOR, headings[TAKEN_FOR]), Slot(INSTEAD, headings[INSTEAD])],
        layout="pair",
        scale="shared",
        presented=presented(best, analysis.predictions[:5], words.PRESENTING_SEVERAL),
        on_step={},
    )
    method = method_at(model, None)
    for slot, target in ((TAKEN_FOR, best), (INSTEAD, other)):
        made = results.attribution(analysis.for_target(target.index), method, model.last_stage)
        under = Under(headings[slot], _said(target), hint=words.POINT)
        viewer.show(slot, picture_of(canvas, model, made, under=under))


def _said(target: Prediction) -> str:
    return f"{target.label}, {percent(target.probability)}"
