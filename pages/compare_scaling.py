"""One photograph and one class, networks scaled by different methods side by side."""

import streamlit as st

from effnet_viz.ui.compare.address import ADDRESS
from effnet_viz.ui.compare.comparison import show_comparison
from effnet_viz.ui.compare.measuring import afterwards
from effnet_viz.ui.inputs.image_picker import chosen_image, photographs
from effnet_viz.ui.inputs.network_picker import choose_networks
from effnet_viz.ui.layout import navigation

with (
    afterwards() as later,
    navigation.page("Compare scaling", ADDRESS, photographs=photographs) as strip,
):
    with strip:
        class_place = st.container(key="class_place", width="content")
        networks = choose_networks()
    later += show_comparison(networks, chosen_image(), class_place)
