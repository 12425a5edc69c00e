"""What the address of the page can hold."""

from effnet_viz.ui.scaling import accuracy, rule, stages_drawing

ADDRESS = (
    *rule.PARAMETERS,
    *stages_drawing.PARAMETERS,
    *accuracy.PARAMETERS,
)
