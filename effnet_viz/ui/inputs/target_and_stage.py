"""Choosing the class that is explained and the stage."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.analysis.explanation import starting_stage
from effnet_viz.models.classes import Classes, imagenet
from effnet_viz.models.model import Model
from effnet_viz.ui import words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.url_parameters import Choice, Number

TARGET = Choice("target", imagenet())
STAGE = Number("stage", 1)
MAP_STAGE = Number("map_stage", 1)


def choose_target(classes: Classes) -> str | None:
    """The class to explain, searched among all; None for the most probable one."""
    target: str | None = st.selectbox(
        words.ANOTHER_CLASS,
        tuple(classes),
        index=None,
        key="target",
        bind="query-params",
        placeholder=f"Another of {len(classes)} classes",
        label_visibility="collapsed",
    )
    return target


def chosen_stage(model: Model) -> int:
    """The stage of Grad-CAM and of the channels below."""
    url_state.read_url("stage")
    usual = starting_stage(model)
    stage = min(max(int(st.session_state.get("stage") or usual), 1), model.last_stage)
    st.session_state["stage"] = stage
    url_state.write_url("stage", None if stage == usual else str(stage))
    return stage


def choose_stage(stage: int) -> None:
    st.session_state["stage"] = stage


def step_stage(last: int) -> Callable[[int], None]:
    """Goes a stage further or back, 1 to `last`."""
    return lambda by: choose_stage(min(max(st.session_state["stage"] + by, 1), last))


def choose_map_stage(last: int) -> int:
    """The stage of the maps, 1 to `last`: CAM at the last, Grad-CAM before."""
    stage: int = st.slider(
        "Stage of the maps",
        1,
        last,
        last,
        key="map_stage",
        bind="query-params",
        help=f"At stage {last} the maps are class activation maps, before it Grad-CAM.",
    )
    return stage


def stepping(key: str, last: int) -> Callable[[int], None]:
    """Goes a stage further or back, 1 to `last`, on the slider of this key."""

    def step(by: int) -> None:
        st.session_state[key] = min(max(st.session_state[key] + by, 1), last)

    return step
