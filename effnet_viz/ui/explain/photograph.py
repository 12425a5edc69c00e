"""The photograph, and how the maps over it are shown."""

from __future__ import annotations

import streamlit as st

from effnet_viz.ui import viewer
from effnet_viz.ui.explain.view import ExplainView, cover_box
from effnet_viz.ui.inputs.model_picker import step_model
from effnet_viz.ui.inputs.target_and_stage import stepping
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import percent

PHOTOGRAPH_HELP = """
The network never sees the whole photograph. Its shorter side is scaled to a fixed length and a
square is cut from the middle; only the bright square went in. What lies under the stripes cannot
have influenced the result.
"""


def show_toolbar(view: ExplainView) -> None:
    """How maps are shown; the choices stay in the browser and in the URL."""
    viewer.toolbar(
        view.canvas.photograph,
        key="viewer",
        on_step={"stage": stepping("stage", view.model.last_stage), "model": step_model},
        on_box=None if view.canvas.strip else cover_box,
    )


def show_photograph(view: ExplainView) -> None:
    """The photograph with what the model did not see hatched."""
    crop, picture = view.analysis.crop, view.picture
    left, top, right, bottom = crop.box
    size = f"{picture.width}×{picture.height} px"
    seen = f"{right - left:.0f}×{bottom - top:.0f} px ({percent(crop.seen)} of the area)"
    viewer.pane(
        view.canvas.photograph,
        view.canvas.seen,
        None,
        placement=None,
        kind="evidence",
        description=f"{view.image.description} What the model did not see is hatched.",
        caption=[
            f"{view.image.title}, {size}. The model saw {seen}, resized to "
            f"{crop.resolution}×{crop.resolution}."
        ],
        stamp="",
        field=None,
        covered=view.covered,
        file="",
        key="pane photograph",
    )
    if view.canvas.strip:
        st.caption(":material/info: It is so narrow that only its middle is shown.")
    for note in picture.notes:
        st.caption(f":material/info: {note}")
    how_to_read(PHOTOGRAPH_HELP)
