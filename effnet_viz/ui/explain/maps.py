"""CAM and Grad-CAM over the photograph."""

from __future__ import annotations

import streamlit as st

from effnet_viz.arrays import Floats, largest_difference
from effnet_viz.engines import network
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.text import one_in
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import show_evidence

CAM_HELP = """
The last stage divides the image into a coarse grid, and this map shows how much the content of each
cell raised the score of the class: colours from the right end of the bar spoke for it, and in the
signed view colours from the left end against it. The average of all cells, plus a constant, *is*
the score. The map has only as many values as the grid has cells; the smooth edges come from
enlarging it.
"""

GRAD_CAM_HELP = """
Grad-CAM asks, at the stage you choose: if a channel became a little more active, how much would the
score of this class rise? It weights every channel by that number and adds the channels up, so
colours from the right end of the bar mark patterns that speak for the class. Early stages give fine
but noisy maps of edges and textures, late stages coarse maps of objects; at stage 9 it is the class
activation map.
"""


def show_cam(view: ExplainView) -> None:
    """The class activation map of the target class."""
    _show_map(view, "CAM", network.STAGES[-1], view.analysis.cam, CAM_HELP)


def show_grad_cam(view: ExplainView) -> None:
    """Grad-CAM of the target class at the chosen stage."""
    looking = f"Computing Grad-CAM at stage {view.stage} …"
    with error_boundary(view.model.entry), waiting(looking):
        values = view.grad_cam(view.stage)  # (h, w)
    _show_map(view, "Grad-CAM", view.stage, values, GRAD_CAM_HELP)


def _show_map(view: ExplainView, method: str, stage: int, values: Floats, help_text: str) -> None:
    """One map (h, w) over the photograph, with colour bar, caption and explanation."""
    show_evidence(
        view.canvas,
        view.analysis,
        method,
        stage,
        values,
        covered=view.covered,
        key=f"pane {method}",
    )
    how_to_read(help_text)


def show_same_map_line(view: ExplainView) -> None:
    """That CAM and Grad-CAM agree at the last stage, measured on this image."""
    last, cells = network.STAGES[-1], view.analysis.cam.size
    difference = largest_difference(view.analysis.cam, view.grad_cam(last))
    st.caption(
        f":material/equal: At stage {last} both methods give the same map up to scale, because "
        "the gradient there is the head's weight divided by the number of cells: on this "
        f"image, Grad-CAM times its {cells} cells differs from CAM by {one_in(difference)} of "
        "the largest value, from rounding. Both maps are shown in units of the class's score "
        "(logit), so Grad-CAM is multiplied by its number of cells at every stage."
    )
