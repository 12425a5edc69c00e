"""The main page: explain one image."""

import streamlit as st

from effnet_viz.ui.explain.address import ADDRESS
from effnet_viz.ui.explain.explanation import show_explanation
from effnet_viz.ui.inputs.image_picker import choose_image
from effnet_viz.ui.inputs.model_picker import choose_model, load_or_explain
from effnet_viz.ui.layout import navigation

with navigation.page("Explain an image", ADDRESS):
    with st.sidebar:
        chosen = choose_model()

    st.markdown("#### What does the network look at?")
    image = choose_image()
    model = load_or_explain(chosen)
    if model is not None:
        show_explanation(model, image)
