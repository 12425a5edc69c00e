"""Choosing the photographs of the grid pointing game."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from effnet_viz.analysis.pointing_game import CELLS
from effnet_viz.models.model import Model
from effnet_viz.records import Prediction
from effnet_viz.scenes.gallery import gallery
from effnet_viz.ui import results
from effnet_viz.ui.inputs.image_picker import images
from effnet_viz.ui.upload import Upload

_TWO_THINGS = "cat-and-espresso"
"""A sample with two classes, whose evidence has no quarter of its own."""

DOUBLED = 4
"""What twice the resolution costs, in forward passes."""


def mosaic_photographs() -> dict[str, Upload]:
    """The photographs of the game by key, two to four: those of the visitor first.

    Nothing pasted together, unless the visitor has chosen it.
    """
    there = images()
    keys: Sequence[str] | None = st.session_state.get("_tiles")
    if keys is None:
        left_out = {_TWO_THINGS, *gallery()}
        keys = [key for key in there if key not in left_out][: len(CELLS)]
    return {key: there[key] for key in keys if key in there}


def choose_mosaic(keys: Sequence[str]) -> None:
    """Play with these from now on."""
    st.session_state["_tiles"] = keys


def mosaic_classes(model: Model) -> tuple[list[tuple[Upload, Prediction]], list[str]]:
    """Photographs of different classes, as this network names them, and what is left out."""
    named_before: dict[int, str] = {}
    chosen: list[tuple[Upload, Prediction]] = []
    left_out = []
    for image in mosaic_photographs().values():
        target = results.analysis(model, image).target
        if target.index in named_before:
            left_out.append(
                f"{image.title} shows the same class as {named_before[target.index]} "
                f"({target.label}), so it is left out."
            )
            continue
        named_before[target.index] = image.title
        chosen.append((image, target))
    return chosen, left_out
