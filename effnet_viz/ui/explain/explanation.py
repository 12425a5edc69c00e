"""All that the main page shows of one model and one image."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models.variants import ModelRef
from effnet_viz.ui import results, words
from effnet_viz.ui.explain.answers import answers, show_answers, show_whole
from effnet_viz.ui.explain.channels import show_channels
from effnet_viz.ui.explain.details import show_details
from effnet_viz.ui.explain.maps import open_deck, show_cam, show_covered, show_second
from effnet_viz.ui.explain.stages import show_stages
from effnet_viz.ui.explain.view import view_of
from effnet_viz.ui.inputs.model_picker import load_or_explain
from effnet_viz.ui.inputs.target_and_stage import chosen_stage
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.waiting import await_photograph, waiting
from effnet_viz.ui.upload import Upload


def show_explanation(chosen: ModelRef, image: Upload | None) -> None:
    """Answers, maps, stages and channels of any model, for a class and a stage of choice."""
    page = st.container(key="explain")
    with page:
        beside, right = st.container(key="answers"), st.container(gap=None)
    if image is None:
        with right:
            await_photograph()
    with right:
        model = load_or_explain(chosen)
    if model is None:
        return
    title = model.card.title
    with right, error_boundary(title), waiting(words.LOOKING_AT.format(name=title)):
        analysis = results.analysis(model, image)
    with beside:
        left = answers(model)
    stage = chosen_stage(model)
    view = view_of(image, analysis.for_target(left.target), stage)
    # What is known is shown before Grad-CAM takes its time.
    with right:
        open_deck(view)
    with st.container(key="maps", gap=None):  # what is below keeps its place among all elements
        show_cam(view)
        covered = show_covered(view) if view.covered else None
    with left.place:
        weak = show_answers(view, covered)
    with left.whole:
        show_whole(view, beside_weak=weak)
    with right:
        show_second(view)
    with st.container(key="below"):
        section(words.STAGES, words.STAGES_LINE)
        show_stages(view)
        section(words.CHANNELS.format(stage=stage), words.CHANNELS_LINE)
        show_channels(view)
    show_details(view)
