"""Five small networks, scaled in different ways, on scenes whose object is known to the pixel."""

import streamlit as st

from effnet_viz.ui import navigation
from effnet_viz.ui.scaling_lab import show_scene

navigation.open_page("Scaling lab")
st.markdown("#### Which of five networks looks at the object?")
show_scene()
