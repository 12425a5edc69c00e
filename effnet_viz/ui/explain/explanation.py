"""The parts of the main page: photograph, predictions, maps, stages, channels."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import Range, full_range, largest_difference
from effnet_viz.attribution import cam
from effnet_viz.attribution.attribution import StageExplanation
from effnet_viz.models import zoo as network
from effnet_viz.pictures import numbers, render
from effnet_viz.pictures.captions import map_caption
from effnet_viz.ui import results, viewer
from effnet_viz.ui.explain.channels import (
    BY_ACTIVATION,
    BY_CLASS,
    CHANNELS_HELP,
    CHANNELS_PER_PAGE,
    channel_chosen,
    choose_channel_page,
)
from effnet_viz.ui.explain.downloads import open_to_save
from effnet_viz.ui.explain.occlusion import (
    HIDE,
    KEEP,
    cover_box,
    covered_box,
    draw_before_and_after,
)
from effnet_viz.ui.explain.predictions import bar_chosen, draw_bars
from effnet_viz.ui.explain.stages import STAGE_TILE, STAGES_HELP, stage_chosen
from effnet_viz.ui.inputs.model_picker import step_model
from effnet_viz.ui.inputs.picture_grid import Picture, picture_grid
from effnet_viz.ui.inputs.selection import ChosenImage, ChosenModel
from effnet_viz.ui.inputs.target_and_stage import step_stage
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.problems import ending_in_words
from effnet_viz.ui.layout.text import one_in, percent
from effnet_viz.ui.layout.waiting import waiting
from effnet_viz.ui.panes import canvas_of, name_of, show_activation, show_evidence, stamp_of

HEADING = 54
"""Height of a column's head in pixels."""

CAM_HELP = """
The last stage divides the image into a coarse grid, and this map shows how much the content of each
cell raised the score of the class: colours from the right end of the bar spoke for it, and in the
signed view colours from the left end against it. The average of all cells, plus a constant, *is*
the score. The map has only as many values as the grid has cells; the smooth edges come from
enlarging it.
"""

GRAD_CAM_HELP = """
Grad-CAM asks, at the stage you choose: if a channel became a little more active, how much would the
score of this class rise? It weights every channel by that number and adds the channels up, so
colours from the right end of the bar mark patterns that speak for the class. Early stages give fine
but noisy maps of edges and textures, late stages coarse maps of objects; at stage 9 it is the class
activation map.
"""

PHOTOGRAPH_HELP = """
The network never sees the whole photograph. Its shorter side is scaled to a fixed length and a
square is cut from the middle; only the bright square went in. What lies under the stripes cannot
have influenced the result.
"""

_UNTRAINED = " **Untrained: they mean nothing.**"


class Explanation:
    """One analysed image on the page: the panels share what they show it with."""

    def __init__(
        self, chosen: ChosenImage, model: ChosenModel, result: Analysis, stage: int
    ) -> None:
        self.chosen = chosen
        self.stage = stage
        self.model = model
        self.result = result
        self.shown = results.shown(chosen.digest, chosen.content)
        self.canvas = canvas_of(chosen, result)
        self.stamp = stamp_of(result)
        self.covered = None if self.canvas.strip else covered_box()

    def explained(self, stage: int) -> StageExplanation:
        """Grad-CAM and channel relevance at a stage for the target class."""
        return results.explained(
            self.model.key,
            self.model.untrained,
            self.chosen.digest,
            stage,
            self.result,
        )

    def grad_cam(self, stage: int) -> NDArray[np.float32]:
        """Grad-CAM at a stage, (h, w), in logit units like the class activation map."""
        return cam.in_logit_units(self.explained(stage).grad_cam)

    def show_toolbar(self) -> None:
        """How maps are shown; the choices stay in the browser and in the URL."""
        viewer.toolbar(
            self.canvas.photograph,
            key="viewer",
            on_step={"stage": step_stage, "model": step_model},
            on_box=None if self.canvas.strip else cover_box,
        )

    # Panels, left to right

    def show_photograph(self) -> None:
        """The photograph with what the model did not see hatched."""
        crop = self.result.crop
        left, top, right, bottom = crop.box
        size = f"{self.shown.width}×{self.shown.height} px"
        seen = f"{right - left:.0f}×{bottom - top:.0f} px ({percent(crop.seen)} of the area)"
        viewer.pane(
            self.canvas.photograph,
            self.canvas.seen,
            None,
            kind="evidence",
            description=f"{self.chosen.description} What the model did not see is hatched.",
            caption=[
                f"{self.chosen.title}, {size}. The model saw {seen}, resized to "
                f"{crop.resolution}×{crop.resolution}."
            ],
            stamp="",
            field=None,
            covered=self.covered,
            file="",
            key="pane photograph",
        )
        if self.canvas.strip:
            st.caption(":material/info: It is so narrow that only its middle is shown.")
        for note in self.shown.notes:
            st.caption(f":material/info: {note}")
        how_to_read(PHOTOGRAPH_HELP)

    def show_predictions(self) -> None:
        """The five best classes as bars that choose the target, and a search over all classes."""
        predictions = list(self.result.predictions[:5])
        if self.result.target not in predictions:
            predictions.append(self.result.target)
        # A new key after every choice: a click on the same bar must count again.
        key = f"bars {self.chosen.digest} {self.model} {self.result.target.index}"
        st.plotly_chart(
            draw_bars(predictions, self.result.target),
            key=key,
            on_select=lambda: bar_chosen(key),
            selection_mode="points",
            config={"displayModeBar": False},
            alt="The most probable classes: "
            + ", ".join(f"{p.label} {p.probability:.1%}" for p in predictions),
        )
        rank = self.result.predictions.rank(self.result.target.index)
        st.caption(
            f"The maps explain **{self.result.target.label}**: rank {rank} of 1000, probability "
            f"{percent(self.result.target.probability)}, logit {self.result.target.logit:.2f}. "
            f"Click a bar to explain another class.{_UNTRAINED if self.stamp else ''}",
            help="The logit is the score of a class before the scores of all classes are turned "
            "into probabilities.",
        )

    def show_map(
        self, method: str, stage: int, values: NDArray[np.float32], help_text: str
    ) -> None:
        """One map over the photograph, with colour bar, caption and explanation."""
        show_evidence(
            self.canvas,
            self.result,
            method,
            stage,
            values,
            covered=self.covered,
            key=f"pane {method}",
        )
        how_to_read(help_text)

    def show_covered(self) -> None:
        """How the predictions change when the drawn box is blurred, or all but the box."""
        box = self.covered
        if box is None:
            return
        st.markdown("#### With a part covered")
        numbers, saw = st.columns([2, 1], gap="medium")
        with numbers:
            keep = (
                st.segmented_control(
                    "Blur",
                    [HIDE, KEEP],
                    default=HIDE,
                    required=True,
                    key="blur",
                    bind="query-params",
                    label_visibility="collapsed",
                )
                == KEEP
            )
            with ending_in_words(self.model.entry), waiting("Looking at what is left …"):
                covered = results.covered(
                    self.model.key,
                    self.model.untrained,
                    self.chosen.digest,
                    box,
                    keep,
                    self.chosen.content,
                )
            target = self.result.target
            left = covered.predictions.of(target.index).probability
            verb = "falls" if left < target.probability else "rises"
            best = covered.predictions[0]
            st.markdown(
                f"The probability of **{target.label}** {verb} from "
                f"{percent(target.probability)} to **{percent(left)}**. The most probable class is "
                f"now **{best.label}** ({percent(best.probability)})."
                + (_UNTRAINED if self.stamp else "")
            )
            st.plotly_chart(
                draw_before_and_after(self.result.predictions, covered.predictions, target),
                config={"displayModeBar": False},
                key="covered bars",
                alt="Probabilities of the photograph as it is and with the part covered.",
            )
            st.button("Remove the box", on_click=cover_box, args=(None,))
        with saw:
            st.image(covered.picture, alt="What the model saw now.", width="stretch")
            st.caption(
                f"What {self.result.provenance.title} saw now, weights: "
                f"{self.result.provenance.weights}. A blurred part still shows its colours, and "
                "blur itself is something a model may react to."
            )

    def show_same_map_line(self) -> None:
        """That CAM and Grad-CAM agree at the last stage, measured on this image."""
        last = network.STAGES[-1]
        difference = largest_difference(self.result.cam, self.grad_cam(last))
        cells = self.result.cam.size
        st.caption(
            f":material/equal: At stage {last} both methods give the same map up to scale, because "
            "the gradient there is the head's weight divided by the number of cells: on this "
            f"image, Grad-CAM times its {cells} cells differs from CAM by {one_in(difference)} of "
            "the largest value, from rounding. Both maps are shown in units of the class's score "
            "(logit), so Grad-CAM is multiplied by its number of cells at every stage."
        )

    def show_stages(self) -> None:
        """The nine stages as a strip of mean activations; choosing one sets the stage."""
        pictures = []
        for number, activation in self.result.stages.items():
            channels, height, width = activation.shape
            key = f"{self.chosen.digest} {self.model} {number}"
            pictures.append(
                Picture(
                    str(number),
                    results.mean_tile(key, activation),
                    f"Stage {number}",
                    f"{width}×{height} · {channels} ch.",
                    f"Mean activation of stage {number}",
                    "untrained" if self.stamp else "",
                    pixelated=True,
                )
            )
        picture_grid(
            pictures,
            selected=str(self.stage),
            label="Stages of the network",
            size=STAGE_TILE,
            key="stages",
            on_choose=stage_chosen,
            scroll=True,
        )
        provenance = self.result.provenance
        st.caption(
            f"{provenance.title} at {provenance.resolution} px, weights: {provenance.weights}. "
            "Mean activation of all channels, the same for every class, each with its own scale."
        )
        how_to_read(STAGES_HELP)

    def show_channels(self) -> None:
        """The channels of the stage, ranked, in pages; choosing one enlarges it."""
        stage = self.stage
        glance = results.channels(
            self.model.key, self.model.untrained, self.chosen.digest, stage, self.result
        )
        strongest = glance.largest  # (C,)
        relevance = self.explained(stage).channel_relevance  # (C,)
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            order = st.segmented_control(
                "Sort channels by",
                [BY_ACTIVATION, BY_CLASS],
                default=BY_ACTIVATION,
                required=True,
                key="sort",
                bind="query-params",
                help="Influence on the class is gradient × activation, summed over the grid, in "
                "units of the score. At stage 9 it is exact: the channel's vote, its mean "
                "activation times the weight that the class gives to it; all votes and a constant "
                "add up to the score. At earlier stages it is an estimate.",
            )
        ranking = np.argsort(-(strongest if order == BY_ACTIVATION else relevance), kind="stable")
        pages = -(-len(ranking) // CHANNELS_PER_PAGE)
        with right:
            page = choose_channel_page(pages, (self.chosen.digest, self.model, stage, order))
        visible = ranking[(page - 1) * CHANNELS_PER_PAGE : page * CHANNELS_PER_PAGE]
        ranked = strongest if order == BY_ACTIVATION else relevance  # (C,)
        common = full_range(self.result.stages[stage])
        prefix = "max " if order == BY_ACTIVATION else ""
        viewer.channel_wall(
            [
                viewer.Tile(c, prefix + render.number(float(ranked[c])), glance.averages[c])
                for c in visible.tolist()
            ],
            glance.strongest,
            self.canvas.seen,
            stage=stage,
            common=common,
            badge="untrained" if self.stamp else "",
            label=f"Channels of stage {stage}",
            key="channels",
            on_choose=channel_chosen,
        )
        lines = map_caption(self.result, "activations", stage, target=False)
        first = (page - 1) * CHANNELS_PER_PAGE + 1
        st.caption(
            f"Channels {first} to {first + len(visible) - 1} of {len(ranking)}; choose one to see "
            f"it over the photograph.  \n{lines[0]}, {lines[1]}, scale as chosen above (fixed "
            "counts as shared)"
        )
        how_to_read(CHANNELS_HELP)
        chosen = st.session_state.pop("_channel", None)
        if chosen is not None:
            self._enlarge(stage, chosen, float(relevance[chosen]), common)

    def _enlarge(self, stage: int, channel: int, relevance: float, common: Range) -> None:
        verb = ("adds", "to") if relevance >= 0 else ("takes", "from")
        exact = "exactly" if stage == network.STAGES[-1] else "by estimate"

        @st.dialog(f"Channel {channel} of stage {stage}", width="medium")
        def show() -> None:
            show_activation(
                self.canvas, self.result, stage, channel, common=common, key="pane channel"
            )
            st.caption(
                f"It {verb[0]} {render.number(abs(relevance))} {verb[1]} the score (logit) "
                f"{render.number(self.result.target.logit)} of {self.result.target.label}, {exact}."
            )

        show()

    def show_downloads(self) -> None:
        """The numbers behind the page."""
        stage = self.stage
        explained = self.explained(stage)
        name = f"{name_of(self.result)}-stage-{stage}"
        with st.container(horizontal=True, vertical_alignment="center"):
            if save := open_to_save("Save the numbers", "numbers"):
                save.download_button(
                    "For NumPy (NPZ)",
                    numbers.as_npz(self.result, explained),
                    f"{name}.npz",
                    "application/octet-stream",
                    on_click="ignore",
                )
                save.download_button(
                    "For everything else (JSON)",
                    numbers.as_json(self.result, explained),
                    f"{name}.json",
                    "application/json",
                    on_click="ignore",
                )
            with st.popover("Where these results come from", type="tertiary"):
                st.code(json.dumps(self.result.provenance.as_dict(), indent=2), language="json")


def heading(text: str) -> DeltaGenerator:
    """The head of a column, as high in all columns; what else belongs there goes into it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", height=HEADING, border=False)
    row.markdown(f"**{text}**", width="content")
    return row
