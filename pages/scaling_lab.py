"""Networks of different scale on scenes whose objects are known to the pixel."""

import streamlit as st

from effnet_viz.ui.lab.address import ADDRESS
from effnet_viz.ui.lab.bench import show_bench
from effnet_viz.ui.lab.bench_networks import choose_networks
from effnet_viz.ui.lab.benches import choose_bench
from effnet_viz.ui.lab.findings import show_findings
from effnet_viz.ui.lab.folds import show_folds
from effnet_viz.ui.lab.own_background import choose_backdrop
from effnet_viz.ui.lab.own_object import offer_own_object, own_object
from effnet_viz.ui.lab.results import load_results
from effnet_viz.ui.lab.scene import show_scene
from effnet_viz.ui.lab.study import show_study
from effnet_viz.ui.layout import navigation

with navigation.page("Scaling lab", ADDRESS) as strip:
    with strip:
        real = choose_bench()
        networks = choose_networks() if real else []
        if real:
            offer_own_object()
        choose_backdrop()
    scene, measured = st.container(key="lab"), st.container(key="measured")
    scene.html("<span></span>")  # an empty container would keep no place
    # What was measured is there at once: the networks may have to be loaded.
    with measured:
        results = load_results()
        if real:
            show_study(results)
        if results is not None:
            show_findings(results)
            show_folds(results)
        if not real:
            show_study(results)
    with scene:
        if real:
            show_bench(networks, own_object())
        else:
            show_scene()
