"""What the address of the page can hold."""

from effnet_viz.ui.lab import measures, scene_controls

ADDRESS = (
    *scene_controls.PARAMETERS,
    *measures.PARAMETERS,
)
