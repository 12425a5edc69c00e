"""What the address of the page can hold."""

from effnet_viz.ui.mistakes import network, wall

ADDRESS = (*network.PARAMETERS, *wall.PARAMETERS)
