"""All models: what is ready here, what needs a download, and the figures published with them."""

from effnet_viz.ui.layout import navigation
from effnet_viz.ui.scaling.model_table import show_model_table

with navigation.page("Models", (), maps=False):
    show_model_table()
