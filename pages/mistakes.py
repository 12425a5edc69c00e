"""A network of one's own on the pictures that it was measured on: what it goes by, and errs in."""

from effnet_viz.ui.layout import navigation
from effnet_viz.ui.mistakes.address import ADDRESS
from effnet_viz.ui.mistakes.mistakes import show_mistakes
from effnet_viz.ui.mistakes.network import choose_network

with navigation.page("Mistakes", ADDRESS) as strip:
    with strip:
        chosen = choose_network()
    show_mistakes(chosen)
