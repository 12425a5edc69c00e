"""Why this class and not that one: the difference of two maps, and the channels behind it."""

from __future__ import annotations

import html

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import NoClassActivationMapError
from effnet_viz.analysis.contrast import Contrast, contrast
from effnet_viz.analysis.words import change, decimal
from effnet_viz.attribution import methods
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.attribution.methods import METHODS
from effnet_viz.ui import viewer, words
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.methods.view import MethodsView
from effnet_viz.ui.panes import picture_of
from effnet_viz.ui.results import TimedAttribution
from effnet_viz.ui.viewer import Under

CHANNELS = 8
"""How many of the strongest channels are told."""


FINER = METHODS["finer-cam"]


def show_contrast(view: MethodsView) -> DeltaGenerator:
    """What tells the class from another one, which is chosen here; gives Finer-CAM's place."""
    one, other = view.analysis.target, view.other
    section(words.CONTRAST.format(one=one.label, other=other.label), words.CONTRAST_LINE)
    with st.container(key="contrast"):
        with st.container(key="contrast_map"):
            _choose_other(view)
            difference, finer = st.container(), st.container()
        channels = st.container(key="contrast_channels")
    try:
        found = contrast(view.analysis, one.index, other.index)
    except NoClassActivationMapError as error:
        difference.info(str(error), icon=":material/info:")
        return finer
    with difference:
        _show_map(view, found)
    with channels:
        _show_channels(found)
    return finer


def show_finer(view: MethodsView, place: DeltaGenerator, made: TimedAttribution) -> None:
    """The same question by Finer-CAM, where it has been computed among the maps."""
    under = Under(lead=FINER.title, text=words.FINER, why=f"{FINER.computes} {FINER.misleads}")
    with place:
        picture = picture_of(view.canvas, view.model, made.attribution, under=under)
        viewer.pane(picture, key="finer pane")


def _choose_other(view: MethodsView) -> None:
    st.session_state["_other"] = view.other.label

    def changed() -> None:
        st.session_state["other"] = st.session_state["_other"]

    classes = [one for one in view.model.classes if one != view.analysis.target.label]
    st.selectbox(words.RATHER_THAN, classes, key="_other", on_change=changed)


def _show_map(view: MethodsView, found: Contrast) -> None:
    attribution = Attribution(
        values=found.values,
        channels=found.contributions[0] - found.contributions[1],
        placement=found.placement,
        crop=view.analysis.crop,
        stage=view.model.last_stage,
        target=found.one,
        other=found.other,
        method=methods.CAM,
        provenance=view.analysis.provenance,
    )
    under = Under(lead=words.CAM_DIFFERENCE, text=words.CONTRAST_FOR.format(one=found.one.label))
    viewer.pane(picture_of(view.canvas, view.model, attribution, under=under), key="contrast pane")


def _show_channels(found: Contrast) -> None:
    one, other = found.one, found.other
    channels = found.contributions[0] - found.contributions[1]  # (C,)
    said = words.CONTRAST_SUM.format(
        one=one.label,
        other=other.label,
        first=decimal(one.logit),
        second=decimal(other.logit),
        difference=change(found.difference),
        channels=change(float(channels.sum())),
        bias=change(found.bias),
    )
    st.html(f"<p>{html.escape(said)}</p>")
    rows = [
        [str(each.index), *map(change, (each.one, each.other, each.difference))]
        for each in found.strongest(CHANNELS)
    ]
    heads = [words.CHANNEL, one.label, other.label, words.DIFFERENCE]
    show_table(heads, rows, label=words.CONTRAST_TABLE, strong=(3,))
