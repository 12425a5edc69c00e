"""Choosing one of the networks of one's own whose pictures are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import streamlit as st

from effnet_viz.models import own, validation
from effnet_viz.models.own import OwnNetwork
from effnet_viz.ui import words
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.url_parameters import Choice


def measured() -> dict[str, OwnNetwork]:
    """Networks of one's own with pictures, by key."""
    return {
        key: network
        for key, network in own.networks().items()
        if network.entry is not None and validation.folder_of(network.entry) is not None
    }


class _Keys(Collection[str]):
    """Those that there are when somebody asks."""

    def __iter__(self) -> Iterator[str]:
        return iter(measured())

    def __len__(self) -> int:
        return len(measured())

    def __contains__(self, key: object) -> bool:
        return key in measured()


PARAMETERS = (Choice("network", _Keys()),)


def choose_network() -> str | None:
    """The key of the network, from a list in the strip; None when there is none."""
    url_state.read_url("network")
    there = measured()
    if not there:
        return None
    if st.session_state.get("network") not in there:
        seen_before = st.session_state.get("model")
        st.session_state["network"] = seen_before if seen_before in there else next(iter(there))
    with dropdown(there[st.session_state["network"]].title, "network"):
        key: str = st.selectbox(
            words.OWN_NETWORK,
            list(there),
            key="network",
            format_func=lambda one: f"{there[one].title} · {one}",
            persist_state="session",
        )
    url_state.write_url("network", key)
    return key
