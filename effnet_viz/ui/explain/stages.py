"""The stages as a strip of pictures."""

from __future__ import annotations

from effnet_viz.ui import results
from effnet_viz.ui.explain.view import ExplainView
from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid
from effnet_viz.ui.inputs.target_and_stage import choose_stage

STAGE_TILE = 96
"""Least width of a stage's picture in CSS pixels."""


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
                f"{width}×{height}, {channels} channels",
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


def _choose_stage(key: str) -> None:
    choose_stage(int(key))
