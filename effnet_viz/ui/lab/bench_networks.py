"""Choosing the networks that look at a scene."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from effnet_viz.models import fetching, variants, zoo
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness
from effnet_viz.study.design import NETWORKS
from effnet_viz.ui import words
from effnet_viz.ui.inputs.model_picker import own_entries, short_title
from effnet_viz.ui.inputs.network_picker import ChosenNetwork, names_network
from effnet_viz.ui.lab.colours import colours_of
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.url_parameters import Text

FIRST = ("lite0", "lite0-r448", "lite1", "lite2")
"""More resolution, and more of everything, beside a baseline: what has weights of one recipe."""

MOST = 5
"""They stand in one row, and each takes its time while somebody drags."""


def choose_networks() -> list[ChosenNetwork]:
    """The networks, from a list in the strip; all that runs here at once can be ticked."""
    url_state.read_url("networks")
    state = st.session_state
    named = state.setdefault("networks", ",".join(FIRST)).split(",")
    offered = _offered(named)
    state["_networks"] = keys = [key for key in named if key in offered] or list(FIRST)

    def changed() -> None:
        state["networks"] = ",".join(state["_networks"] or FIRST)

    several = words.NETWORKS_COUNTED.format(count=len(keys))
    with dropdown(words.ONE_NETWORK if len(keys) == 1 else several, "networks"):
        st.multiselect(
            words.NETWORKS_TO_COMPARE,
            list(offered),
            key="_networks",
            on_change=changed,
            format_func=lambda key: f"{_name(offered[key])} · {offered[key].resolution} px",
            max_selections=MOST,
            help=words.BENCH_NETWORKS_HELP.format(most=MOST),
        )
    url_state.write_url("networks", None if keys == list(FIRST) else ",".join(keys))
    colours = colours_of(keys)
    return [
        ChosenNetwork(
            ModelRef(key),
            "",
            _name(offered[key]),
            f"{offered[key].resolution} px",
            colours[key],
        )
        for key in keys
    ]


def _offered(named: list[str]) -> Mapping[str, zoo.ModelEntry]:
    """What is ready, each at its own resolution and baselines at twice that, what the study has
    measured, and what is named."""
    ready = {
        key: entry
        for key, entry in zoo.MODELS.items()
        if fetching.readiness(entry) is Readiness.READY
    }
    finer = {
        entry.key: entry
        for entry in (
            variants.variant(key, resolution=2 * zoo.MODELS[key].resolution)
            for key in variants.BASELINES
            if key in ready or key in named
        )
    }
    asked = {key: variants.find(key) for key in (*NETWORKS, *named) if names_network(key)}
    return ready | finer | own_entries() | asked


def _name(entry: zoo.ModelEntry) -> str:
    """What it is called; its resolution stands beside it."""
    if entry.key in zoo.MODELS or entry.key.startswith(variants.OWN):
        return short_title(entry.key)
    return entry.title.removeprefix("EfficientNet-").removesuffix(f", {entry.resolution} px")


def _names_networks(text: str) -> bool:
    keys = text.split(",")
    return len(set(keys)) == len(keys) <= MOST and all(map(names_network, keys))


PARAMETERS = (Text("networks", _names_networks),)
