"""All that the page shows of one network and one photograph."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.models.variants import ModelRef
from effnet_viz.ui import results, words
from effnet_viz.ui.inputs.model_picker import load_or_explain
from effnet_viz.ui.inputs.target_and_stage import (
    chosen_stage,
    chosen_target,
    known,
    offer_targets,
)
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.waiting import await_photograph, waiting
from effnet_viz.ui.methods.contrast import FINER, show_contrast, show_finer
from effnet_viz.ui.methods.difference import show_difference
from effnet_viz.ui.methods.maps import open_deck, show_maps
from effnet_viz.ui.methods.sanity import show_sanity
from effnet_viz.ui.methods.table import show_table_of_methods
from effnet_viz.ui.methods.trust import show_trust
from effnet_viz.ui.methods.view import MethodsView, chosen_other, wanted
from effnet_viz.ui.panes import canvas_of
from effnet_viz.ui.upload import Upload


def show_methods(chosen: ModelRef, image: Upload | None, class_place: DeltaGenerator) -> None:
    """Every method's map, what each computes and costs, and which of them to trust.

    `class_place` is where the class is named and chosen.
    """
    if image is None:
        await_photograph()
    target = chosen_target()
    model = load_or_explain(chosen)
    if model is None:
        return
    title = model.card.title
    with error_boundary(title), waiting(words.LOOKING_AT.format(name=title)):
        analysis = results.analysis(model, image, known(target, model.classes))
    with class_place:
        offer_targets(model.classes, analysis.target.label)
    view = MethodsView(
        image,
        analysis,
        chosen_stage(model),
        chosen_other(analysis),
        wanted(),
        canvas_of(image, analysis.crop),
    )
    maps = st.container(key="methods_maps", gap=None)
    with maps:
        slots = open_deck(view)
    below = st.container(key="below")
    with below:
        measure = show_trust(view)
        scramble = show_sanity(view)
        finer = show_contrast(view)
        between = st.container()
    with maps:
        found = show_maps(view, slots)
    if FINER.key in found:
        show_finer(view, finer, found[FINER.key])
    with between:
        show_difference(view, found)
    with below:
        show_table_of_methods(view, found)
    measure()
    scramble()
