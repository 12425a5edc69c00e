"""The main page: explain one image."""

import streamlit as st

from effnet_viz.models import zoo as network
from effnet_viz.ui import results
from effnet_viz.ui.explain.explanation import CAM_HELP, GRAD_CAM_HELP, Explanation, heading
from effnet_viz.ui.inputs.image_picker import choose_image
from effnet_viz.ui.inputs.model_picker import choose_model, load_or_explain
from effnet_viz.ui.inputs.target_and_stage import choose_stage, choose_target
from effnet_viz.ui.layout import navigation
from effnet_viz.ui.layout.problems import ending_in_words
from effnet_viz.ui.layout.waiting import waiting

navigation.open_page("Explain an image")
with st.sidebar:
    model = choose_model()

st.markdown("#### What does the network look at?")
image = choose_image()
loaded = load_or_explain(model)
if loaded is not None:
    looking = f"{model.entry.title} is looking at the image …"
    with ending_in_words(model.entry), waiting(looking):
        result = results.analysed(model.key, model.untrained, image.digest, image.content)
    if model.untrained:
        st.warning(
            f"**Untrained.** {model.entry.title} has random weights here: its predictions and maps "
            "mean nothing.",
            icon=":material/warning:",
        )
    toolbar = st.container()
    with st.container(key="presented"):
        photograph, predictions, cam, grad_cam = st.columns([1, 1, 1.45, 1.45], gap="medium")
    with predictions:
        heading("Predictions")
        bars = st.container()
        target = choose_target()
    with grad_cam, heading("Grad-CAM at stage"):
        stage = choose_stage()
    page = Explanation(image, model, result.for_target(target), stage)
    # What is known is shown before Grad-CAM takes its time.
    with toolbar:
        page.show_toolbar()
    with photograph:
        heading("Photograph")
        page.show_photograph()
    with cam:
        heading("Class activation map (CAM)")
        page.show_map("CAM", network.STAGES[-1], page.result.cam, CAM_HELP)
    with bars:
        page.show_predictions()
    with grad_cam:
        with ending_in_words(model.entry), waiting(f"Computing Grad-CAM at stage {stage} …"):
            page.explained(stage)
        page.show_map("Grad-CAM", stage, page.grad_cam(stage), GRAD_CAM_HELP)
    page.show_same_map_line()
    page.show_covered()

    st.markdown("#### Stage by stage")
    st.caption("Choose a stage to see its channels below and its Grad-CAM above.")
    page.show_stages()
    st.markdown(f"#### Channels of stage {stage}")
    page.show_channels()
    page.show_downloads()
