"""What the address of the page can hold."""

from effnet_viz.ui.compare import deletion, pointing
from effnet_viz.ui.inputs import image_picker, network_picker
from effnet_viz.ui.inputs.method_picker import METHOD
from effnet_viz.ui.inputs.target_and_stage import MAP_STAGE, TARGET

ADDRESS = (
    *network_picker.PARAMETERS,
    MAP_STAGE,
    METHOD,
    TARGET,
    *image_picker.PARAMETERS,
    *deletion.PARAMETERS,
    *pointing.PARAMETERS,
)
