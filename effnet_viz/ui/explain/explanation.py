"""All that the main page shows of one model and one image."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models.model import Model
from effnet_viz.ui import results
from effnet_viz.ui.explain.channels import show_channels
from effnet_viz.ui.explain.downloads import show_downloads
from effnet_viz.ui.explain.maps import show_cam, show_grad_cam, show_same_map_line
from effnet_viz.ui.explain.occlusion import show_occlusion
from effnet_viz.ui.explain.photograph import show_photograph, show_toolbar
from effnet_viz.ui.explain.predictions import show_predictions
from effnet_viz.ui.explain.stages import show_stages
from effnet_viz.ui.explain.view import view_of
from effnet_viz.ui.inputs.target_and_stage import choose_stage, choose_target
from effnet_viz.ui.layout.heading import heading
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.upload import Upload


def show_explanation(model: Model, image: Upload) -> None:
    """Predictions, maps, stages and channels of any model, for a class and a stage of choice."""
    title = model.card.title
    with error_boundary(title), waiting(f"{title} is looking at the image …"):
        analysis = results.analysis(model, image)
    if not model.trained:
        st.warning(
            f"**Untrained.** {title} has random weights here: its predictions and maps mean "
            "nothing.",
            icon=":material/warning:",
        )
    toolbar = st.container()
    with st.container(key="presented"):
        photograph, predictions, cam, grad_cam = st.columns([1, 1, 1.45, 1.45], gap="medium")
    with predictions:
        heading("Predictions")
        bars = st.container()
        target = choose_target(model.classes)
    with grad_cam, heading("Grad-CAM at stage"):
        stage = choose_stage(model.last_stage)
    view = view_of(image, analysis.for_target(target), stage)
    # What is known is shown before Grad-CAM takes its time.
    with toolbar:
        show_toolbar(view)
    with photograph:
        heading("Photograph")
        show_photograph(view)
    with cam:
        heading("Class activation map (CAM)")
        show_cam(view)
    with bars:
        show_predictions(view)
    with grad_cam:
        show_grad_cam(view)
    show_same_map_line(view)
    show_occlusion(view)

    st.markdown("#### Stage by stage")
    st.caption("Choose a stage to see its channels below and its Grad-CAM above.")
    show_stages(view)
    st.markdown(f"#### Channels of stage {stage}")
    show_channels(view)
    show_downloads(view)
