"""The stages as a strip of pictures."""

from __future__ import annotations

import streamlit as st

from effnet_viz.pictures.captions import model_caption
from effnet_viz.ui import results
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid
from effnet_viz.ui.layout.help import how_to_read

STAGE_TILE = 102
"""Width of a stage's picture in CSS pixels."""

STAGES_HELP = """
A network is a row of stages, and each passes a smaller but richer picture on to the next. Every
tile shows where the channels of a stage are active on average, whatever the class: yellow is
strong, dark blue is weak. Early stages follow edges, late stages whole objects.
"""


def show_stages(view: ExplainView) -> None:
    """All stages as a strip of mean activations; choosing one sets the stage."""
    pictures = []
    for number, activation in view.analysis.stages.items():
        channels, height, width = activation.shape
        pictures.append(
            Picture(
                str(number),
                results.mean_tile(view.model, view.image, number),
                f"Stage {number}",
                f"{width}×{height} · {channels} ch.",
                f"Mean activation of stage {number}",
                "untrained" if view.stamp else "",
                pixelated=True,
            )
        )
    picture_grid(
        pictures,
        selected=str(view.stage),
        label="Stages of the network",
        size=STAGE_TILE,
        key="stages",
        on_choose=_choose_stage,
        scroll=True,
    )
    st.caption(
        f"{model_caption(view.analysis.provenance)}. "
        "Mean activation of all channels, the same for every class, each with its own scale."
    )
    how_to_read(STAGES_HELP)


def _choose_stage(key: str) -> None:
    st.session_state["stage"] = int(key)
