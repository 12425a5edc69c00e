"""Compound scaling: the rule, the networks it leads to, and what they achieve."""

import streamlit as st

from effnet_viz.ui.layout import navigation
from effnet_viz.ui.scaling.accuracy import show_accuracy
from effnet_viz.ui.scaling.address import ADDRESS
from effnet_viz.ui.scaling.rule import choose_rule, offer_comparison, show_result
from effnet_viz.ui.scaling.stages_drawing import show_growth
from effnet_viz.ui.scaling.tables import show_family, show_rounding, show_table_1

with navigation.page("Scaling rules", ADDRESS, maps=False):
    with st.container(key="growing"):
        grown = st.container(key="grown")
        with st.container(key="rule"):
            chosen = choose_rule()
        with grown:
            show_growth(chosen)
    with st.container(key="tables"):
        result, rounding = st.columns([5, 6], gap="medium")
        with result:
            show_result(chosen)
            offer_comparison(chosen)
        with rounding:
            show_rounding(chosen)
        family, stages = st.columns([5, 6], gap="medium")
        with family:
            show_family(chosen)
        with stages:
            show_table_1(chosen)
        show_accuracy(chosen)
