"""Five small networks, scaled in different ways, on scenes whose object is known to the pixel."""

import streamlit as st

from effnet_viz.ui.lab.address import ADDRESS
from effnet_viz.ui.lab.measures import show_measures
from effnet_viz.ui.lab.results import (
    load_results,
    offer_results,
    show_accuracy,
    show_agreement,
    show_headline,
    show_learning_curves,
    show_limits,
)
from effnet_viz.ui.lab.scene import show_introduction, show_scene
from effnet_viz.ui.layout import navigation

with navigation.page("Scaling lab", ADDRESS):
    st.markdown("#### Which network looks at the object?")
    show_introduction()
    show_scene()
    st.markdown("#### What was measured")
    results = load_results()
    if results is not None:
        show_headline(results)
        show_measures(results)
        show_accuracy(results)
        show_agreement(results)
        show_learning_curves(results)
        show_limits(results)
        offer_results(results)
