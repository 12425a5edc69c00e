"""What the address of the page can hold."""

from effnet_viz.attribution.methods import METHODS
from effnet_viz.ui.inputs import image_picker, model_picker
from effnet_viz.ui.inputs.target_and_stage import STAGE, TARGET, names_class
from effnet_viz.ui.layout.url_parameters import Choices, Text
from effnet_viz.ui.methods import difference, sanity, trust

RUN = Choices("run", METHODS)
OTHER = Text("other", names_class)

ADDRESS = (
    *image_picker.PARAMETERS,
    *model_picker.PARAMETERS,
    STAGE,
    TARGET,
    OTHER,
    RUN,
    *sanity.PARAMETERS,
    *trust.PARAMETERS,
    *difference.PARAMETERS,
)
