"""What the address of the page can hold."""

from effnet_viz.ui.lab import folds, measures, scene_controls
from effnet_viz.ui.layout.url_parameters import Parameter

ADDRESS: tuple[Parameter, ...] = (
    *scene_controls.PARAMETERS,
    *measures.PARAMETERS,
    *folds.PARAMETERS,
)
