"""All networks' maps of one class on one photograph, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import Target
from effnet_viz.analysis.comparison import Comparison, Failure, NetworkResult, explain_each
from effnet_viz.analysis.explanation import Explanation
from effnet_viz.images.photograph import Photograph
from effnet_viz.models import advice, checkpoints
from effnet_viz.models.model import Model
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import Readiness, WeightsError
from effnet_viz.ui import results, viewer
from effnet_viz.ui.compare.view import PER_ROW, ComparisonView
from effnet_viz.ui.inputs.model_picker import offer_download
from effnet_viz.ui.inputs.network_picker import (
    WITHOUT_WEIGHTS,
    ChosenNetwork,
    last_stage,
    link_to_lab,
)
from effnet_viz.ui.inputs.target_and_stage import stepping
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.problems import message_of
from effnet_viz.ui.layout.text import percent, truncate
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import Canvas, canvas_of, show_attribution
from effnet_viz.ui.upload import Upload

MAPS_HELP = """
Every network explains the same class on the same photograph, and all pictures move together. What a
network could not see is hatched: larger networks see a slightly different square. Choose the
**shared** scale above to compare brightness; with its own scale each map uses all colours, whatever
its values are. A network can be right with an odd map, and wrong with a fine one.
"""


def show_networks(
    networks: Sequence[ChosenNetwork], image: Upload, target: str | None, stage: int
) -> ComparisonView | None:
    """Every network in its own cell, as soon as it has looked; None when none could."""
    if not networks:
        st.info("Choose networks on the left to compare them.", icon=":material/arrow_back:")
        return None
    bar = st.container()
    cells = _cells(len(networks))
    cell_of = {network.ref: cell for network, cell in zip(networks, cells, strict=True)}
    for network, cell in zip(networks, cells, strict=True):
        cell.markdown(f"**{network.role.capitalize() or network.entry.title}**")

    def explain_in_cell(
        _: Photograph, model: str | ModelRef | Model, target: Target, stage: int | None
    ) -> Explanation:
        assert isinstance(model, ModelRef)
        with cell_of[model], waiting(f"{model.entry.title} is looking …"):
            return _explain(model, image, target, stage)

    explanations: dict[int, Explanation] = {}
    failures: dict[int, Failure] = {}
    canvas = None
    outcomes = explain_each(
        results.photograph(image),
        [network.ref for network in networks],
        target,
        stage=stage,
        explain=explain_in_cell,
    )
    for place, outcome in outcomes:
        with cells[place]:
            if isinstance(outcome, Failure):
                failures[place] = outcome
                _show_failure(outcome, networks[place])
                continue
            drawn_on = canvas_of(image, outcome.analysis.crop)
            if canvas is None:
                canvas = drawn_on
                step = stepping("map_stage", last_stage(networks))
                with bar:
                    viewer.toolbar(
                        canvas.photograph, key="viewer", on_step={"stage": step}, on_box=None
                    )
            explanations[place] = outcome
            _show_cell(outcome, drawn_on)
    if canvas is None:
        return None
    worked = sorted(explanations)
    compared = Comparison(
        tuple(NetworkResult(explanations[i]) for i in worked),
        tuple(failures[i] for i in sorted(failures)),
    )
    for note in compared.notes:
        st.warning(note, icon=":material/warning:")
    how_to_read(MAPS_HELP)
    return ComparisonView(compared, tuple(networks[i] for i in worked), image, canvas)


def _cells(count: int) -> list[DeltaGenerator]:
    """So many places in rows of PER_ROW, as wide in the last row as in the others."""
    cells: list[DeltaGenerator] = []
    with st.container(key="presented"):
        while len(cells) < count:
            columns = st.columns(min(count, PER_ROW), gap="medium")
            cells += [column.container() for column in columns]
    return cells[:count]


def _explain(ref: ModelRef, image: Upload, target: Target, stage: int | None) -> Explanation:
    ready = checkpoints.readiness(ref.entry)
    if not ref.untrained and ready is not Readiness.READY:
        raise WeightsError(advice.not_ready(ref.entry.weights, ready))
    return results.explanation(results.model(ref), image, target, stage)


def _show_failure(failure: Failure, network: ChosenNetwork) -> None:
    message = message_of(failure.error, failure.title)
    st.warning(f"**{failure.title}**: {message}", icon=":material/block:")
    if network.role in WITHOUT_WEIGHTS:
        link_to_lab("A trained one, in miniature: Scaling lab")
    if checkpoints.readiness(network.entry) is Readiness.DOWNLOADABLE:
        offer_download(network.entry)


def _show_cell(explanation: Explanation, canvas: Canvas) -> None:
    analysis, attribution = explanation.analysis, explanation.attribution
    model, target, predictions = analysis.model, attribution.target, analysis.predictions
    show_attribution(canvas, model, attribution, key=f"pane {model.id.key}")
    left, top, right, bottom = attribution.crop.box
    best = "  \n".join(f"{truncate(p.label, 24)} {percent(p.probability)}" for p in predictions[:3])
    card, built = model.card, model.structure
    final = built.stages[built.last].side
    st.caption(
        f"{best}  \n**{target.label}**: {percent(target.probability)}, rank "
        f"{predictions.rank(target.index)} of {len(predictions)}  \n"
        f"width {card.width:g} · depth {card.depth:g} · {card.resolution} px · "
        f"{built.parameters / 1e6:.1f} M parameters · {built.multiply_adds / 1e9:.2f} B "
        f"multiply-adds · {1000 * explanation.seconds:.0f} ms here  \n"
        f"Saw {right - left:.0f}×{bottom - top:.0f} px of the photograph, resized to "
        f"{card.resolution}×{card.resolution}; final grid {final}×{final}"
    )
    for caveat in explanation.caveats:
        with st.popover(caveat.title, icon=":material/stethoscope:", type="tertiary"):
            st.markdown(caveat.text)
