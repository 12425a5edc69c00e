"""All models: what is ready here, what needs a download, and the figures published with them."""

import streamlit as st

from effnet_viz.ui.layout import navigation
from effnet_viz.ui.scaling.model_table import show_model_table

with navigation.page("Models", ()):
    st.markdown("#### Models")
    show_model_table()
