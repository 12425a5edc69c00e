"""CAM and Grad-CAM over the photograph."""

from __future__ import annotations

import streamlit as st

from effnet_viz.analysis.analysis import NoClassActivationMapError
from effnet_viz.attribution.attribution import Attribution, Method
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import show_attribution

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
but noisy maps of edges and textures, late stages coarse maps of objects; at the last stage it is
the class activation map.
"""


def show_cam(view: ExplainView) -> None:
    """The class activation map of the target class, or why there is none."""
    try:
        attribution = view.analysis.attribute(Method.CAM)
    except NoClassActivationMapError as error:
        st.info(str(error), icon=":material/info:")
    else:
        _show_map(view, attribution, CAM_HELP)


def show_grad_cam(view: ExplainView) -> None:
    """Grad-CAM of the target class at the chosen stage."""
    computing = f"Computing Grad-CAM at stage {view.stage} …"
    with error_boundary(view.model.card.title), waiting(computing):
        attribution = view.grad_cam
    _show_map(view, attribution, GRAD_CAM_HELP)


def _show_map(view: ExplainView, attribution: Attribution, help_text: str) -> None:
    """One map over the photograph, with colour bar, caption and explanation."""
    show_attribution(
        view.canvas,
        view.model,
        attribution,
        covered=view.covered,
        key=f"pane {attribution.method.title}",
    )
    how_to_read(help_text)


def show_same_map_line(view: ExplainView) -> None:
    """Why CAM and Grad-CAM agree at the last stage, and in which units both are shown."""
    if view.model.engine.head is None:
        return
    st.caption(
        f":material/equal: At stage {view.model.last_stage} both methods give the same map: the "
        "gradient there is the head's weight divided by the number of cells. Both are shown in "
        "units of the class's score (logit), so Grad-CAM is multiplied by its number of cells at "
        "every stage."
    )
