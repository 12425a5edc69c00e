"""All that the page shows of some networks and one photograph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.ui.compare import deletion, measuring, pointing
from effnet_viz.ui.compare.agreement import show_agreement
from effnet_viz.ui.compare.details import show_details
from effnet_viz.ui.compare.maps import show_networks, show_stages
from effnet_viz.ui.compare.measuring import Card
from effnet_viz.ui.compare.miniatures import show_miniatures
from effnet_viz.ui.compare.table import show_numbers
from effnet_viz.ui.compare.view import ComparisonView
from effnet_viz.ui.inputs.network_picker import ChosenNetwork
from effnet_viz.ui.upload import Upload


def show_comparison(
    networks: Sequence[ChosenNetwork], image: Upload | None, class_place: DeltaGenerator
) -> list[Callable[[], None]]:
    """The maps, how alike they are, what can be measured of them, and their numbers.

    `class_place` is where the class is named and chosen. Gives what takes long, to be done when
    the whole page is there.
    """
    view = show_networks(networks, image, class_place)
    later: list[Callable[[], None]] = []
    if view is not None:
        if view.stages_of:
            later.append(partial(show_stages, view))
        later += (partial(measuring.run, card) for card in _show_below(view))
    return [*later, partial(show_miniatures, networks)]


def _show_below(view: ComparisonView) -> list[Card]:
    """What is said of the maps; gives the cards of what can be measured."""
    with st.container(key="lower"):
        show_agreement(view)
        with st.container(key="cards"):
            race, game = deletion.show_deletion(view), pointing.show_pointing(view)
    show_numbers(view)
    deletion.show_closely(race)
    pointing.show_closely(game)
    found = view.having("deletion_insertion", race.found)
    show_details(found.having("pointing", pointing.games(game.found)))
    return [race, game]
