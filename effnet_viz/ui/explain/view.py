"""What the panels of the page share."""

from __future__ import annotations

import re
from dataclasses import dataclass

import streamlit as st

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.attribution import methods
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import Method
from effnet_viz.models.model import Model
from effnet_viz.ui import results, viewer
from effnet_viz.ui.inputs.method_picker import chosen_method
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.url_parameters import Text
from effnet_viz.ui.panes import Canvas, canvas_of, stamp_of
from effnet_viz.ui.results import DisplayImage
from effnet_viz.ui.upload import Upload

_BOX = re.compile(r"(?:[01](?:\.\d{1,3})?,){3}[01](?:\.\d{1,3})?")


@dataclass(frozen=True, eq=False)
class ExplainView:
    """One image, explained for one class, and what it is shown with."""

    image: Upload
    analysis: Analysis
    stage: int
    """Of Grad-CAM, or the method in its place, and of the channels."""
    method: Method | None
    """What is shown in Grad-CAM's place, if anything."""
    canvas: Canvas
    stamp: str
    """What stands over every picture of an untrained network; empty for others."""
    covered: viewer.Box | None
    """The part of the photograph that is covered, if any."""
    picture: DisplayImage

    @property
    def model(self) -> Model:
        return self.analysis.model

    @property
    def grad_cam(self) -> Attribution:
        """Grad-CAM at the stage for the target class, and what its channels add."""
        return results.attribution(self.analysis, methods.GRAD_CAM, self.stage)


def view_of(image: Upload, analysis: Analysis, stage: int) -> ExplainView:
    """The view of an analysed image; what is covered comes from the address."""
    canvas = canvas_of(image, analysis.crop)
    return ExplainView(
        image,
        analysis,
        stage,
        chosen_method(),
        canvas,
        stamp_of(analysis.provenance),
        None if canvas.strip else _read_box(),
        results.display_image(image),
    )


def cover_box(box: viewer.Box | None) -> None:
    """Cover this part of the photograph from now on; None uncovers it."""
    st.session_state["box"] = box and ",".join(f"{edge:.3f}" for edge in box)


def _read_box() -> viewer.Box | None:
    url_state.read_url("box")
    text = st.session_state.get("box")
    url_state.write_url("box", text)
    return _box_of(text)


def _box_of(text: str | None) -> viewer.Box | None:
    """Left, top, right, bottom between 0 and 1 from "0.1,0.2,0.5,0.6"; None for anything else."""
    if text is None or not _BOX.fullmatch(text):
        return None
    left, top, right, bottom = map(float, text.split(","))
    return (left, top, right, bottom) if left < right <= 1 and top < bottom <= 1 else None


PARAMETERS = (Text("box", lambda text: _box_of(text) is not None),)
