"""What the address of the page can hold."""

from effnet_viz.ui.scaling import accuracy, rule, tables

ADDRESS = (
    *rule.PARAMETERS,
    *tables.PARAMETERS,
    *accuracy.PARAMETERS,
)
