"""Choosing the class that is explained and the stage."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models import zoo as network
from effnet_viz.models.classes import labels


def choose_map_stage() -> int:
    """The stage of the maps: CAM at the last, Grad-CAM before."""
    stage: int = st.slider(
        "Stage of the maps",
        network.STAGES[0],
        network.STAGES[-1],
        network.STAGES[-1],
        key="map_stage",
        bind="query-params",
        help="At stage 9 the maps are class activation maps, before it Grad-CAM.",
    )
    return stage


DEFAULT_STAGE = 6


def choose_target() -> str | None:
    """The class to explain, searched among all; None for the most probable one."""
    target: str | None = st.selectbox(
        "Explain another class",
        labels(),
        index=None,
        key="target",
        bind="query-params",
        placeholder="Search 1000 classes",
    )
    return target


def choose_stage() -> int:
    """The stage of Grad-CAM and of the channels below."""
    stage: int = st.slider(
        "Stage",
        network.STAGES[0],
        network.STAGES[-1],
        DEFAULT_STAGE,
        key="stage",
        bind="query-params",
        label_visibility="collapsed",
    )
    return stage


def step_stage(key: str, by: int) -> None:
    """A stage further or back, for the slider of this key."""
    stage = st.session_state[key] + by
    st.session_state[key] = min(max(stage, network.STAGES[0]), network.STAGES[-1])
