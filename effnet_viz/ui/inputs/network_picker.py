"""Choosing the networks to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from effnet_viz.models import checkpoints, variants, zoo
from effnet_viz.models.architectures import structure_of
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.layout.url_parameters import Choice, Choices, Flag, Text

ONE_DIMENSION, FAMILY = "one dimension or compound", "a whole family"

ROLES = ("baseline", "depth 4", "width 2", "resolution", "compound")
"""The five networks of Table 7 (Tan & Le 2019), in the order of Figure 7's columns."""

WITHOUT_WEIGHTS = ("depth 4", "width 2")
"""Nobody has published weights for these; the scaling lab has trained its own, in miniature."""

BASELINES = {"Lite0": "lite0", "B0": "b0"}

STEP = 32
"""Of the resolution slider, in pixels."""


@dataclass(frozen=True)
class ChosenNetwork:
    """One network to compare."""

    ref: ModelRef
    role: str
    """What it stands for in the comparison; empty in a family."""

    @property
    def entry(self) -> zoo.ModelEntry:
        return self.ref.entry


def choose_networks() -> list[ChosenNetwork]:
    """The networks to compare, from the sidebar. Every choice is in the URL."""
    family = st.radio(
        "Compare",
        [ONE_DIMENSION, FAMILY],
        key="family",
        bind="query-params",
        help="One dimension or compound: the five networks behind Figure 7 of the paper. A whole "
        "family: any of the published models.",
    )
    chosen = _choose_roles() if family == ONE_DIMENSION else _choose_members()
    custom = _custom()
    if custom is not None:
        chosen.append((custom, "your scale"))
        st.button(f"Remove {custom.title}", on_click=_set_custom, args=(None,))
    chosen = _each_once(chosen)
    unready = [e for e, _ in chosen if checkpoints.readiness(e) is not Readiness.READY]
    untrained = st.toggle(
        "Run networks without weights untrained",
        key="untrained_too",
        bind="query-params",
        disabled=not unready,
        help="Their predictions and maps mean nothing, and say so; their size and time are real.",
    )
    return [ChosenNetwork(ModelRef(e.key, untrained and e in unready), role) for e, role in chosen]


def last_stage(networks: Sequence[ChosenNetwork]) -> int:
    """The last stage of the network that has most."""
    entries = [network.entry for network in networks] or [zoo.MODELS[zoo.DEFAULT]]
    return max(structure_of(entry).last for entry in entries)


def _each_once(chosen: list[tuple[zoo.ModelEntry, str]]) -> list[tuple[zoo.ModelEntry, str]]:
    """Without those that are there already, under another role; the visitor is told."""
    kept: dict[str, tuple[zoo.ModelEntry, str]] = {}
    for entry, role in chosen:
        if entry.key in kept:
            st.caption(
                f":material/info: {role.capitalize()} is {entry.title}, which is there already. It "
                "is shown once."
            )
        else:
            kept[entry.key] = (entry, role)
    return list(kept.values())


def _choose_roles() -> list[tuple[zoo.ModelEntry, str]]:
    name = st.radio(
        "Baseline", list(BASELINES), key="baseline", bind="query-params", horizontal=True
    )
    base = zoo.MODELS[BASELINES[name]]
    roles = st.multiselect(
        "Networks",
        ROLES,
        default=["baseline", "resolution", "compound"],
        key="roles",
        bind="query-params",
    )
    if set(roles) & set(WITHOUT_WEIGHTS):
        st.caption("No weights are published for depth or width alone. In miniature they are:")
        link_to_lab("Compare trained ones in the Scaling lab")
    side = st.select_slider(
        "Resolution of the resolution network, in pixels",
        _sides(base),
        2 * base.resolution,
        key="side",
        bind="query-params",
    )
    of_role = dict(zip(ROLES, variants.table_7(base.key), strict=True))
    of_role["resolution"] = variants.variant(base.key, resolution=side)
    return [(of_role[role], role) for role in ROLES if role in roles]


def _sides(base: zoo.ModelEntry) -> range:
    """The resolutions to choose from, in pixels."""
    lowest = base.resolution // 2 // STEP * STEP
    return range(lowest, 3 * base.resolution + 1, STEP)


def link_to_lab(label: str) -> None:
    st.page_link("pages/scaling_lab.py", label=label, icon=":material/science:")


def _choose_members() -> list[tuple[zoo.ModelEntry, str]]:
    url_state.read_url("members")
    named = st.session_state.setdefault("members", "lite0,lite1,lite2")
    st.session_state["_members"] = named.split(",") if named else []

    def changed() -> None:
        in_order = [key for key in zoo.MODELS if key in st.session_state["_members"]]
        st.session_state["members"] = ",".join(in_order)

    keys = st.multiselect(
        "Networks",
        list(zoo.MODELS),
        key="_members",
        on_change=changed,
        format_func=lambda key: zoo.MODELS[key].title.removeprefix("EfficientNet-"),
    )
    url_state.write_url("members", st.session_state["members"])
    return [(zoo.MODELS[key], "") for key in zoo.MODELS if key in keys]


def _names_members(text: str) -> bool:
    """Whether a text names members of the families, each once; the empty one names none."""
    keys = text.split(",") if text else []
    return len(set(keys)) == len(keys) and all(key in zoo.MODELS for key in keys)


def _names_network(text: str) -> bool:
    try:
        variants.find(text)
    except zoo.UnknownModelError:
        return False
    return True


def _custom() -> zoo.ModelEntry | None:
    """The network of one's own scale, sent from the page "Scaling rules"."""
    url_state.read_url("custom")
    key: str | None = st.session_state.get("custom")
    url_state.write_url("custom", key)
    return None if key is None else variants.find(key)


def _set_custom(key: str | None) -> None:
    st.session_state["custom"] = key


PARAMETERS = (
    Choice("family", (ONE_DIMENSION, FAMILY)),
    Choice("baseline", BASELINES),
    Choices("roles", ROLES),
    Choice("side", {str(side) for key in BASELINES.values() for side in _sides(zoo.MODELS[key])}),
    Text("members", _names_members),
    Text("custom", _names_network),
    Flag("untrained_too"),
)
