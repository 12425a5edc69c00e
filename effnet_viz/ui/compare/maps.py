"""The parts of the page "Compare scaling": networks, maps side by side, numbers about them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from effnet_viz.analysis import comparison
from effnet_viz.analysis.comparison import Comparison, Failure, NetworkResult
from effnet_viz.analysis.explanation import Look
from effnet_viz.models import advice, architectures, checkpoints
from effnet_viz.models.weights import Readiness, WeightsError
from effnet_viz.models.zoo import STAGES
from effnet_viz.ui import results, viewer
from effnet_viz.ui.compare.view import Shown
from effnet_viz.ui.inputs.model_picker import offer_download
from effnet_viz.ui.inputs.network_picker import WITHOUT_WEIGHTS, ChosenNetwork, link_to_lab
from effnet_viz.ui.inputs.selection import ChosenImage
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.text import percent, shortened
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import Canvas, canvas_of, show_evidence

PER_ROW = 4

MAPS_HELP = """
Every network explains the same class on the same photograph, and all pictures move together. What a
network could not see is hatched: larger networks see a slightly different square. Choose the
**shared** scale above to compare brightness; with its own scale each map uses all colours, whatever
its values are. A network can be right with an odd map, and wrong with a fine one.
"""


# Choosing


def _step(by: int) -> None:
    """The presenter's arrow keys step through the stages; all networks are there already."""
    stage = st.session_state["map_stage"] + by
    st.session_state["map_stage"] = min(max(stage, STAGES[0]), STAGES[-1])


# Maps side by side


def show_networks(
    networks: Sequence[ChosenNetwork], image: ChosenImage, target: str | None, stage: int
) -> Shown | None:
    """Every network in its own cell, as soon as it has looked; None when none could."""
    if not networks:
        st.info("Choose networks on the left to compare them.", icon=":material/arrow_back:")
        return None
    bar = st.container()
    cells = []
    with st.container(key="presented"):
        for start in range(0, len(networks), PER_ROW):
            row = networks[start : start + PER_ROW]
            columns = st.columns(max(len(row), min(len(networks), PER_ROW)), gap="medium")
            cells += [column.container() for column in columns[: len(row)]]
    looks: list[Look] = []
    worked: list[ChosenNetwork] = []
    failures: list[Failure] = []
    canvas = None
    # Trained ones first: an untrained one would name a class by chance.
    places = sorted(zip(networks, cells, strict=True), key=lambda place: place[0].untrained)
    for network, cell in places:
        with cell:
            st.markdown(f"**{network.role.capitalize() or network.entry.title}**")
            try:
                with waiting(f"{network.entry.title} is looking …"):
                    look = _look(network, image, target, stage)
            except (WeightsError, RuntimeError, MemoryError) as error:
                message = comparison.failure_message(error, network.entry)
                failures.append(Failure(network.entry.key, network.entry.title, message))
                st.warning(f"**{network.entry.title}**: {message}", icon=":material/block:")
                if network.role in WITHOUT_WEIGHTS:
                    link_to_lab("A trained one, in miniature: Scaling lab")
                if checkpoints.readiness(network.entry) is Readiness.DOWNLOADABLE:
                    offer_download(network.entry)
                continue
            # The first network that works decides the class for all.
            target = target or look.analysis.target.label
            drawn_on = canvas_of(image, look.analysis)
            if canvas is None:
                canvas = drawn_on
                with bar:
                    viewer.toolbar(
                        canvas.photograph, key="viewer", on_step={"stage": _step}, on_box=None
                    )
            looks.append(look)
            worked.append(network)
            _show_cell(look, network, drawn_on)
    if canvas is None:
        return None
    pairs = zip(worked, looks, strict=True)
    as_placed = sorted(pairs, key=lambda pair: networks.index(pair[0]))
    results = tuple(NetworkResult(look) for _, look in as_placed)
    compared = Comparison(results, tuple(failures))
    for note in compared.notes:
        st.warning(note, icon=":material/warning:")
    how_to_read(MAPS_HELP)
    return Shown(compared, tuple(network for network, _ in as_placed), image, canvas)


def _look(network: ChosenNetwork, image: ChosenImage, target: str | None, stage: int) -> Look:
    entry = network.entry
    ready = checkpoints.readiness(entry)
    if not network.untrained and ready is not Readiness.READY:
        raise WeightsError(advice.not_ready(entry.weights, ready))
    return results.looked(entry.key, network.untrained, image.digest, target, stage, image.content)


def _show_cell(look: Look, network: ChosenNetwork, canvas: Canvas) -> None:
    analysis, entry = look.analysis, network.entry
    show_evidence(
        canvas,
        analysis,
        look.method,
        look.stage,
        look.evidence,
        covered=None,
        key=f"pane {entry.key}",
    )
    crop = analysis.crop
    left, top, right, bottom = crop.box
    target = analysis.target
    best = "  \n".join(
        f"{shortened(p.label, 24)} {percent(p.probability)}" for p in analysis.predictions[:3]
    )
    built = architectures.structure_of(entry)
    st.caption(
        f"{best}  \n**{target.label}**: {percent(target.probability)}, rank "
        f"{analysis.predictions.rank(target.index)} of 1000  \n"
        f"width {entry.width:g} · depth {entry.depth:g} · {entry.resolution} px · "
        f"{built.parameters / 1e6:.1f} M parameters · {built.multiply_adds / 1e9:.2f} B "
        f"multiply-adds · {1000 * look.seconds:.0f} ms here  \n"
        f"Saw {right - left:.0f}×{bottom - top:.0f} px of the photograph, resized to "
        f"{crop.resolution}×{crop.resolution}; final grid {built.stages[9].side}×"
        f"{built.stages[9].side}"
    )
    for finding in look.findings:
        with st.popover(finding.title, icon=":material/stethoscope:", type="tertiary"):
            st.markdown(finding.text)


# Numbers
