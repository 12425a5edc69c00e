"""Compound scaling: the rule, the networks it leads to, and what they achieve."""

import streamlit as st

from effnet_viz.ui.layout import navigation
from effnet_viz.ui.scaling.accuracy import show_accuracy
from effnet_viz.ui.scaling.address import ADDRESS
from effnet_viz.ui.scaling.rule import choose_rule, offer_comparison, show_result
from effnet_viz.ui.scaling.stages_drawing import show_table_1
from effnet_viz.ui.scaling.tables import show_family, show_rounding

with navigation.page("Scaling rules", ADDRESS):
    st.markdown("#### Scaling rules")
    chosen = choose_rule()
    result, rounding = st.columns([2, 3], gap="large")
    with result:
        show_result(chosen)
        offer_comparison(chosen)
    with rounding:
        show_rounding(chosen)
    st.markdown("#### The rule and the published models")
    show_family(chosen)
    st.markdown("#### Stage by stage")
    show_table_1(chosen)
    st.markdown("#### What scaling buys")
    show_accuracy(chosen)
