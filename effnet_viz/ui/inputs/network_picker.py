"""Choosing the networks to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from effnet_viz.models import fetching, held, variants, zoo
from effnet_viz.models.structures import structure_of
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness
from effnet_viz.ui import words
from effnet_viz.ui.inputs import checkpoint_field
from effnet_viz.ui.inputs.model_picker import own_entries, short_title
from effnet_viz.ui.layout import theme, url_state
from effnet_viz.ui.layout.dropdown import dropdown
from effnet_viz.ui.layout.url_parameters import Choice, Choices, Flag, Text

ONE_DIMENSION, FAMILY = "one dimension or compound", "a whole family"

ROLES = {
    "baseline": "baseline",
    "depth 4": "depth",
    "width 2": "width",
    "resolution": "resolution",
    "compound": "compound",
}
"""The five networks of Table 7 (Tan & Le 2019), in the order of Figure 7's columns: what links say,
and the key of their names and colours."""

WITHOUT_WEIGHTS = ("depth", "width")
"""Nobody has published weights for B0 and Lite0 scaled so; the scaling lab has trained its own, in
miniature."""

BASELINES = {"Lite0": "lite0", "B0": "b0", words.RESNET_50: "resnet50"}

_SLIDER_BASES = ("lite0", "b0")
"""The baselines whose resolution is chosen freely; ResNet-50's is that of equal cost."""

STEP = 32
"""Of the resolution slider, in pixels."""

CUSTOM = "custom"
"""The role of a network of one's own scale."""


@dataclass(frozen=True)
class ChosenNetwork:
    """One network to compare."""

    ref: ModelRef
    role: str
    """What it stands for in the comparison: a value of ROLES, CUSTOM, or empty in a family."""
    name: str
    """What it is called on the page."""
    detail: str
    """Its architecture and scale, in a few letters."""
    colour: str
    """A name of theme.NETWORKS."""

    @property
    def entry(self) -> zoo.ModelEntry:
        return self.ref.entry

    @property
    def full_name(self) -> str:
        """The name, which says when the network is untrained."""
        return f"{self.name} ({words.UNTRAINED})" if self.ref.untrained else self.name


@dataclass(frozen=True)
class _Member:
    """A network before it is known whether it has weights."""

    entry: zoo.ModelEntry
    role: str
    name: str
    detail: str


def choose_networks() -> list[ChosenNetwork]:
    """The networks to compare, from a list in the strip. Every choice is in the address."""
    with dropdown(_label(), "networks"):
        family = st.radio(
            words.COMPARE,
            [ONE_DIMENSION, FAMILY],
            key="family",
            persist_state="session",
            help=words.COMPARE_HELP,
        )
        url_state.write_url("family", None if family == ONE_DIMENSION else family)
        chosen = _choose_roles() if family == ONE_DIMENSION else _choose_members()
        custom = _custom()
        if custom is not None:
            detail = custom.title.removeprefix("EfficientNet-")
            chosen.append(_Member(custom, CUSTOM, words.NETWORKS[CUSTOM], detail))
            st.button(
                words.REMOVE_NETWORK.format(name=custom.title), on_click=_set_custom, args=(None,)
            )
        chosen = _each_once(chosen)
        unready = {
            one.entry.key for one in chosen if fetching.readiness(one.entry) is not Readiness.READY
        }
        untrained = st.toggle(
            words.UNTRAINED_TOO,
            key="untrained_too",
            bind="query-params",
            disabled=not unready,
            help=words.UNTRAINED_TOO_HELP,
        )
    return [
        ChosenNetwork(
            ModelRef(one.entry.key, untrained and one.entry.key in unready),
            one.role,
            one.name,
            one.detail,
            _colour(one.role, place),
        )
        for place, one in enumerate(chosen)
    ]


def run_untrained() -> None:
    """From now on, networks without weights run untrained."""
    st.session_state["untrained_too"] = True


def last_stage(networks: Sequence[ChosenNetwork]) -> int:
    """The last stage of the network that has most."""
    entries = [network.entry for network in networks] or [zoo.MODELS[zoo.DEFAULT]]
    # Scaling changes no number of stages, and what is listed has its structure on disk.
    listed = (zoo.MODELS.get(entry.base or "", entry) for entry in entries)
    return max(structure_of(entry).last for entry in listed)


def _colour(role: str, place: int) -> str:
    """A role has one colour on every page; members of a family take them in order."""
    if role in ROLES.values():
        return role
    first = len(ROLES) if role == CUSTOM else 0
    return theme.NETWORKS[max(place, first) % len(theme.NETWORKS)]


def _label() -> str:
    """What is compared, in a few letters."""
    for name in ("family", "baseline", "members"):
        url_state.read_url(name)
    state = st.session_state
    if state.setdefault("family", ONE_DIMENSION) == ONE_DIMENSION:
        return f"{state.setdefault('baseline', next(iter(BASELINES)))}, {words.SCALED}"
    keys = _members()
    if len(keys) in (1, 2, 3):
        return ", ".join(map(short_title, keys))
    return words.NETWORKS_COUNTED.format(count=len(keys) or "No")


def _each_once(chosen: list[_Member]) -> list[_Member]:
    """Without those that are there already, under another role; the visitor is told."""
    kept: dict[str, _Member] = {}
    for one in chosen:
        if one.entry.key in kept:
            st.caption(
                f":material/info: {one.name} is {one.entry.title}, which is there already. It is "
                "shown once."
            )
        else:
            kept[one.entry.key] = one
    return list(kept.values())


def _choose_roles() -> list[_Member]:
    name = st.radio(
        words.NETWORKS["baseline"],
        list(BASELINES),
        key="baseline",
        persist_state="session",
        horizontal=True,
    )
    url_state.write_url("baseline", None if name == next(iter(BASELINES)) else name)
    base = zoo.MODELS[BASELINES[name]]
    roles = _chosen_roles()
    of_role = _scaled_resnets() if name == words.RESNET_50 else _scaled(base)
    return [
        _Member(entry, role, words.NETWORKS[role], detail)
        for role, (entry, detail) in of_role.items()
        if role in roles
    ]


def _scaled_resnets() -> dict[str, tuple[zoo.ModelEntry, str]]:
    """By role, with their details."""
    st.caption(words.RESNET_SCALED)
    found = variants.scaled_resnets()
    return {
        role: (
            entry,
            f"r = {entry.resolution / found['baseline'].resolution:.3g}, {entry.resolution} px, "
            f"{words.NOT_RETRAINED}"
            if role == "resolution"
            else f"{short_title(entry.key)}, {entry.resolution} px",
        )
        for role, entry in found.items()
    }


def _scaled(base: zoo.ModelEntry) -> dict[str, tuple[zoo.ModelEntry, str]]:
    """By role, with their details; the side of the higher resolution is chosen here."""
    side = st.select_slider(
        words.SIDE,
        _sides(base),
        2 * base.resolution,
        key="side",
        bind="query-params",
    )
    depth, width = (variants.table_7(base.key)[place] for place in (1, 2))
    compound = variants.table_7(base.key)[-1]
    finer = variants.variant(base.key, resolution=side)
    return {
        "baseline": (base, f"{short_title(base.key)}, {base.resolution} px"),
        "depth": (depth, f"d = {depth.depth:g}"),
        "width": (width, f"w = {width.width:g}"),
        "resolution": (finer, f"r = {side / base.resolution:.3g}, {side} px"),
        "compound": (compound, f"{short_title(compound.key)}, {compound.resolution} px"),
    }


def _chosen_roles() -> list[str]:
    """Of ROLES.values(). Links have a parameter for each, in words of their own."""
    url_state.read_url_list("roles")
    named: list[str] = st.session_state.setdefault("roles", list(ROLES))
    st.session_state["_roles"] = [ROLES[one] for one in named]

    def changed() -> None:
        picked = st.session_state["_roles"]
        st.session_state["roles"] = [one for one, role in ROLES.items() if role in picked]

    chosen: list[str] = st.multiselect(
        words.NETWORKS_TO_COMPARE,
        list(ROLES.values()),
        key="_roles",
        on_change=changed,
        format_func=words.NETWORKS.__getitem__,
    )
    url_state.write_url("roles", None if named == list(ROLES) else named)
    return chosen


def _sides(base: zoo.ModelEntry) -> range:
    """The resolutions to choose from, in pixels."""
    lowest = base.resolution // 2 // STEP * STEP
    return range(lowest, 3 * base.resolution + 1, STEP)


def _offered() -> dict[str, zoo.ModelEntry]:
    """What a whole family can have: published models, then networks of one's own."""
    return {**zoo.MODELS, **own_entries()}


def _members() -> list[str]:
    """Those that are there: a network of one's own may be gone, and the visitor is told."""
    named: str = st.session_state.setdefault("members", "lite0,lite1,lite2")
    offered = _offered()
    there = []
    for key in named.split(",") if named else []:
        if key in offered:
            there.append(key)
        else:
            _say_gone(key)
    st.session_state["members"] = ",".join(there)
    return there


def _say_gone(key: str) -> None:
    told = words.NETWORK_NOT_OPEN if key.startswith(held.PREFIX) else words.NETWORK_GONE
    st.toast(told.format(name=short_title(key)), duration="long")


def _choose_members() -> list[_Member]:
    st.session_state["_members"] = _members()
    offered = _offered()

    def changed() -> None:
        in_order = [key for key in offered if key in st.session_state["_members"]]
        st.session_state["members"] = ",".join(in_order)

    keys = st.multiselect(
        words.NETWORKS_TO_COMPARE,
        list(offered),
        key="_members",
        on_change=changed,
        format_func=short_title,
    )
    url_state.write_url("members", st.session_state["members"])
    entries = [entry for key, entry in offered.items() if key in keys]
    return [_Member(one, "", short_title(one.key), f"{one.resolution} px") for one in entries]


def _names_members(text: str) -> bool:
    """Whether a text names models, each once; the empty one names none."""
    keys, offered = text.split(",") if text else [], _offered()
    return len(set(keys)) == len(keys) and all(
        key in offered or checkpoint_field.is_key(key) for key in keys
    )


def names_network(text: str) -> bool:
    """Whether a text names a network that this visitor can use."""
    if text.startswith(held.PREFIX):  # of another visitor's nothing is said
        return text in own_entries()
    try:
        variants.find(text)
    except zoo.UnknownModelError:
        return False
    return True


def _custom() -> zoo.ModelEntry | None:
    """The network of one's own scale, sent from the page "Scaling rules"."""
    url_state.read_url("custom")
    key: str | None = st.session_state.get("custom")
    if key is not None and not names_network(key):  # it was there when it was chosen
        _say_gone(key)
        key = st.session_state["custom"] = None
    url_state.write_url("custom", key)
    return None if key is None else variants.find(key)


def _set_custom(key: str | None) -> None:
    st.session_state["custom"] = key


PARAMETERS = (
    Choice("family", (ONE_DIMENSION, FAMILY)),
    Choice("baseline", BASELINES),
    Choices("roles", ROLES),
    Choice("side", {str(side) for key in _SLIDER_BASES for side in _sides(zoo.MODELS[key])}),
    Text("members", _names_members),
    Text("custom", names_network),
    Flag("untrained_too"),
)
