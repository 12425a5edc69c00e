"""One photograph and one class, networks scaled by different methods side by side."""

import streamlit as st

from effnet_viz.models.classes import imagenet
from effnet_viz.ui.compare.address import ADDRESS
from effnet_viz.ui.compare.agreement import show_agreement
from effnet_viz.ui.compare.deletion import show_deletion_insertion
from effnet_viz.ui.compare.downloads import show_downloads
from effnet_viz.ui.compare.maps import show_networks
from effnet_viz.ui.compare.pointing import show_pointing
from effnet_viz.ui.compare.table import show_table
from effnet_viz.ui.inputs.image_picker import choose_image
from effnet_viz.ui.inputs.network_picker import choose_networks, last_stage
from effnet_viz.ui.inputs.target_and_stage import choose_map_stage, choose_target
from effnet_viz.ui.layout import navigation

with navigation.page("Compare scaling", ADDRESS):
    with st.sidebar:
        networks = choose_networks()
        stage = choose_map_stage(last_stage(networks))
        target = choose_target(imagenet())

    st.markdown("#### Do networks scaled in different ways look at the same things?")
    image = choose_image()
    view = show_networks(networks, image, target, stage)
    if view is not None:
        show_table(view)
        show_agreement(view)
        view = show_deletion_insertion(view)
        view = show_pointing(view)
        show_downloads(view)
