"""What the address of the page can hold."""

from effnet_viz.ui.mistakes import folds, network, wall

ADDRESS = (*network.PARAMETERS, *wall.PARAMETERS, *folds.PARAMETERS)
