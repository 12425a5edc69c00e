"""Choosing the class that is explained and the stage."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effnet_viz.analysis.explanation import starting_stage
from effnet_viz.models.classes import Classes
from effnet_viz.models.model import Model
from effnet_viz.models.own import ClassLabels
from effnet_viz.ui import words
from effnet_viz.ui.inputs import checkpoint_field
from effnet_viz.ui.layout import navigation, url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.url_parameters import Number, Text

_LABELS = ClassLabels()


def names_class(text: str) -> bool:
    """Whether a text is the label of a class of any model that this visitor can choose."""
    mine = checkpoint_field.opened()
    return text in _LABELS or (mine is not None and text in (mine.labels or ()))


TARGET = Text("target", names_class)
STAGE = Number("stage", 1)
MAP_STAGE = Number("map_stage", 1)


def choose_target(classes: Classes) -> str | None:
    """The class to explain, searched among all; None for the most probable one."""
    label = st.session_state.get("target")
    if label is not None and known(label, classes) is None:
        st.session_state["target"] = None  # of a network with other classes
    target: str | None = st.selectbox(
        words.ANOTHER_CLASS,
        tuple(classes),
        index=None,
        key="target",
        bind="query-params",
        placeholder=words.ANOTHER_OF.format(count=len(classes)),
        label_visibility="collapsed",
    )
    return target


def chosen_target() -> str | None:
    """The class to explain, for a page whose list of classes comes late: see offer_targets."""
    url_state.read_url("target")
    # Set again, so that it stays when the list of another page that had it is gone.
    target: str | None = st.session_state.get("target")
    st.session_state["target"] = target
    url_state.write_url("target", target)
    return target


def known(label: str | None, classes: Classes) -> str | None:
    """The label if these are its classes: the network of before may have had others."""
    return label if label in classes else None


def offer_targets(classes: Classes, label: str) -> None:
    """A list that says which class is explained; another one is searched in it."""
    st.session_state["_target"] = known(st.session_state["target"], classes)

    def changed() -> None:
        if "_target" in st.session_state:  # or the page was left meanwhile
            st.session_state["target"] = st.session_state["_target"]

    with dropdown(label, "class"):
        st.selectbox(
            words.ANOTHER_CLASS,
            tuple(classes),
            index=None,
            key="_target",
            on_change=changed,
            placeholder=words.ANOTHER_OF.format(count=len(classes)),
        )


def chosen_stage(model: Model) -> int:
    """The stage of Grad-CAM and of the channels below."""
    came = url_state.read_url("stage")
    stage = _within("stage", model.last_stage, starting_stage(model), came=came)
    url_state.write_url("stage", None if stage == starting_stage(model) else str(stage))
    return stage


def _within(key: str, last: int, usual: int, *, came: bool) -> int:
    """The chosen stage, 1 to `last`; of an address that has just `come`, the usual one and a
    sentence where there is none such."""
    stage = int(st.session_state.get(key) or usual)
    if came and stage > last:
        navigation.refuse(key)
        stage = usual
    st.session_state[key] = stage = min(max(stage, 1), last)
    return stage


def choose_stage(stage: int) -> None:
    st.session_state["stage"] = stage


def step_stage(last: int) -> Callable[[int], None]:
    """Goes a stage further or back, 1 to `last`."""
    return lambda by: choose_stage(min(max(st.session_state["stage"] + by, 1), last))


def chosen_map_stage(last: int) -> int:
    """The stage of several networks' maps, 1 to `last`: CAM at the last, Grad-CAM before."""
    came = url_state.read_url("map_stage")
    stage = _within("map_stage", last, last, came=came)
    url_state.write_url("map_stage", None if stage == last else str(stage))
    return stage


def choose_map_stage(stage: int) -> None:
    st.session_state["map_stage"] = stage


def step_map_stage(last: int) -> Callable[[int], None]:
    """Goes a stage further or back, 1 to `last`."""
    return lambda by: choose_map_stage(min(max(st.session_state["map_stage"] + by, 1), last))
