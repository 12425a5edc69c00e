"""Choosing the class that is explained and the stage."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.models.classes import Classes, imagenet
from effnet_viz.ui.layout.url_parameters import Choice, Number

DEFAULT_STAGE = 6
"""Of Grad-CAM on the main page, where there are so many."""

TARGET = Choice("target", imagenet())
STAGE = Number("stage", 1)
MAP_STAGE = Number("map_stage", 1)


def choose_target(classes: Classes) -> str | None:
    """The class to explain, searched among all; None for the most probable one."""
    target: str | None = st.selectbox(
        "Explain another class",
        tuple(classes),
        index=None,
        key="target",
        bind="query-params",
        placeholder=f"Search {len(classes)} classes",
    )
    return target


def choose_stage(last: int) -> int:
    """The stage of Grad-CAM and of the channels below, 1 to `last`."""
    stage: int = st.slider(
        "Stage",
        1,
        last,
        min(DEFAULT_STAGE, last),
        key="stage",
        bind="query-params",
        label_visibility="collapsed",
    )
    return stage


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
