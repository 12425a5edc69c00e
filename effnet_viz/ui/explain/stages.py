"""The stages as a strip of pictures."""

from __future__ import annotations

import streamlit as st

STAGE_TILE = 102

STAGES_HELP = """
A network is a row of stages, and each passes a smaller but richer picture on to the next. Every
tile shows where the channels of a stage are active on average, whatever the class: yellow is
strong, dark blue is weak. Early stages follow edges, late stages whole objects.
"""


def stage_chosen(key: str) -> None:
    st.session_state["stage"] = int(key)
