"""What the address of the page can hold."""

from effnet_viz.ui.explain import channels, maps, view
from effnet_viz.ui.inputs import image_picker, model_picker
from effnet_viz.ui.inputs.method_picker import METHOD
from effnet_viz.ui.inputs.target_and_stage import STAGE, TARGET

ADDRESS = (
    *model_picker.PARAMETERS,
    *image_picker.PARAMETERS,
    TARGET,
    STAGE,
    METHOD,
    *view.PARAMETERS,
    *maps.PARAMETERS,
    *channels.PARAMETERS,
)
