"""One photograph, one network, one class: many methods side by side, and which to trust."""

import streamlit as st

from effnet_viz.ui.inputs.image_picker import chosen_image, photographs
from effnet_viz.ui.inputs.model_picker import choose_model
from effnet_viz.ui.layout import navigation
from effnet_viz.ui.methods.address import ADDRESS
from effnet_viz.ui.methods.methods import show_methods

with navigation.page("Methods", ADDRESS, photographs=photographs) as strip:
    with strip:
        class_place = st.container(key="class_place", width="content")
        chosen = choose_model()
    show_methods(chosen, chosen_image(), class_place)
