"""How alike the maps are, in pairs and in places."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from effnet_viz.analysis.explanation import GRID
from effnet_viz.analysis.words import decimal
from effnet_viz.arrays import Placement
from effnet_viz.pictures.captions import model_caption, where_strongest
from effnet_viz.ui import viewer, words
from effnet_viz.ui.compare.view import ComparisonView
from effnet_viz.ui.inputs.network_picker import ChosenNetwork
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.viewer import Map, Picture, Under


def show_agreement(view: ComparisonView) -> None:
    """A table of the pairs, and where the networks differ; nothing for a single network."""
    compared = view.comparison
    if len(compared.networks) < 2:
        return
    with st.container(key="agreement"):
        section(words.AGREEMENT)
        table = pairs_table(compared.rank_correlation, view.networks, words.AGREEMENT_OF)
        st.html(f'{table}<p class="quiet">{words.AGREEMENT_ENDS}</p>')
    with st.container(key="differ"):
        section(words.WHERE_THEY_DIFFER)
        _show_disagreement(view)


def pairs_table(values: NDArray[np.float64], networks: Sequence[ChosenNetwork], what: str) -> str:
    """A symmetric measure of pairs (n, n) as an HTML table whose cells are tinted by it."""
    called = [_head(network) for network in networks]
    heads = "".join(f'<th scope="col">{name}</th>' for name in called)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{_cells(values[i], i)}</tr>'
        for i, name in enumerate(called)
    )
    return (
        f'<div class="pairs" tabindex="0" role="region" aria-label="{what}"><table>'
        f'<caption class="hidden">{what}</caption><tr><td class="self"></td>{heads}</tr>{rows}'
        "</table></div>"
    )


def _head(network: ChosenNetwork) -> str:
    """The name, and in a line of its own that the network is untrained: columns are narrow."""
    name = html.escape(network.name)
    return f"{name}<br>{words.UNTRAINED}" if network.ref.untrained else name


def _cells(values: NDArray[np.float64], own: int) -> str:
    return "".join(
        '<td class="self">–</td>'
        if place == own or np.isnan(value)
        else f'<td style="--v: {max(value, 0):.2f}">{decimal(value)}</td>'
        for place, value in enumerate(values.tolist())
    )


def _show_disagreement(view: ComparisonView) -> None:
    compared = view.comparison
    attributions = [one.attribution for one in compared.explanations]
    first = attributions[0]
    width, height = first.crop.photograph
    left, top, right, bottom = compared.region
    seen = (left / width, top / height, right / width, bottom / height)
    trained = all(one.provenance.trained for one in attributions)
    placement = Placement.even(GRID)
    where = where_strongest(compared.disagreement, placement)
    picture = Picture(
        view.canvas.photograph,
        view.canvas.seen if view.canvas.strip else seen,
        Map(compared.disagreement.astype(np.float32), placement, "activation"),
        f"{words.DISAGREEMENT} {where}",
        caption=[
            *view.canvas.caption,
            *(model_caption(one.provenance) for one in attributions),
            f"standard deviation of ranks, {first.method.title}, class “{first.target.label}”, "
            f"stage {first.stage}",
        ],
        under=Under(ends=(words.ALIKE, words.APART)),
        stamp="" if trained else words.WITH_UNTRAINED,
        file="disagreement.png",
    )
    viewer.pane(picture, key="pane disagreement")
