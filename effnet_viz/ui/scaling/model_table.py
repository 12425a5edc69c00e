"""The tables of all models."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import streamlit as st

from effnet_viz.models import advice, checkpoints, zoo
from effnet_viz.models.published import Figure
from effnet_viz.models.weights import PackageFile, Readiness, TorchvisionFile
from effnet_viz.models.zoo import ModelEntry
from effnet_viz.ui import words
from effnet_viz.ui.inputs.model_picker import short_title
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.text import NO_BREAK

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
    with st.container(key="models"):
        st.html(f'<p class="quiet">{words.MODELS_LINE}</p>')
        for title, kind in ((words.LITE, PackageFile), (words.B0_TO_B7, TorchvisionFile)):
            group = [entry for entry in entries if isinstance(entry.weights, kind)]
            section(title, status_of(group))
            show_table(
                _HEADS, [_row(entry) for entry in group], label=title, words={len(_HEADS) - 1}
            )
        with st.expander(words.PREPROCESSING):
            _show_preprocessing(entries)


def status_of(group: Sequence[ModelEntry]) -> str:
    """What it takes to use the models of a group, in words; whose weights come the same way."""
    found: dict[Readiness, list[ModelEntry]] = {}
    for entry in group:
        found.setdefault(checkpoints.readiness(entry), []).append(entry)

    def named(readiness: Readiness) -> str:
        """Which ones, where not all are the same."""
        return f" ({_names(found[readiness])})" if len(found) > 1 else ""

    said = []
    if Readiness.READY in found:
        said.append(f"Ready{named(Readiness.READY)}.")
    if Readiness.DOWNLOADABLE in found:
        said.append(
            f"Downloaded once{named(Readiness.DOWNLOADABLE)}: choose one on the first page, "
            "and torchvision's official file is fetched."
        )
    if Readiness.UNREACHABLE in found:
        said.append(f"Not here{named(Readiness.UNREACHABLE)}: {_remedy(group[0])}.")
    return " ".join(said)


def _remedy(one: ModelEntry) -> str:
    if isinstance(one.weights, TorchvisionFile):
        return (
            "they need torchvision's official files, which this computer cannot reach now. "
            f"{advice.by_hand('them')}. Untrained, every one of them runs"
        )
    return "the packages that hold their weights are not installed on the computer of the app"


def _names(entries: Sequence[ModelEntry]) -> str:
    return ", ".join(short_title(entry.key) for entry in entries)


def _row(entry: ModelEntry) -> tuple[str, ...]:
    figure, size = _published(entry), entry.weights
    assert isinstance(size, TorchvisionFile | PackageFile)  # only variants have others
    return (
        entry.title,
        f"{entry.width:g}",
        f"{entry.depth:g}",
        f"{entry.resolution}{NO_BREAK}px",
        f"{figure.parameters / 1e6:.1f}{NO_BREAK}M",
        f"{figure.multiply_adds / 1e9:.2f}{NO_BREAK}B",
        f"{figure.top1:.1f}{NO_BREAK}%",
        "–" if isnan(figure.top5) else f"{figure.top5:.1f}{NO_BREAK}%",
        f"{size.megabytes:.0f}{NO_BREAK}MB",
        entry.recipe,
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
