"""Five small networks, scaled in different ways, on scenes whose object is known to the pixel."""

import streamlit as st

from effnet_viz.ui.lab.address import ADDRESS
from effnet_viz.ui.lab.findings import show_findings
from effnet_viz.ui.lab.folds import show_folds
from effnet_viz.ui.lab.results import load_results
from effnet_viz.ui.lab.scene import show_scene
from effnet_viz.ui.lab.scene_controls import choose_backdrop
from effnet_viz.ui.layout import navigation

with navigation.page("Scaling lab", ADDRESS) as strip:
    with strip:
        choose_backdrop()
    scene, measured = st.container(key="lab"), st.container(key="measured")
    scene.html("<span></span>")  # an empty container would keep no place
    # What was measured is there at once: the networks may have to be loaded.
    with measured:
        results = load_results()
        if results is not None:
            show_findings(results)
            show_folds(results)
    with scene:
        show_scene()
