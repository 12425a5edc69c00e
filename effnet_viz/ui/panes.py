"""A photograph and maps over it, as every page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import Floats, Range, reduced
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.engines.structure import Stage
from effnet_viz.models.model import Model
from effnet_viz.pictures.captions import (
    UNTRAINED,
    map_caption,
    model_caption,
    stage_caption,
    where_strongest,
)
from effnet_viz.records import Crop, Provenance
from effnet_viz.ui import results, viewer
from effnet_viz.ui.upload import Upload

NARROWEST = 46
"""Pixels on the page that the shorter side must have to show a map on the whole photograph."""


@dataclass(frozen=True)
class Canvas:
    """What maps are drawn over: the photograph; only its middle, where it is a thin strip."""

    photograph: viewer.Photograph
    seen: viewer.Box
    strip: bool


def canvas_of(image: Upload, crop: Crop) -> Canvas:
    """The canvas of one network's maps: the same photograph for all networks."""
    shown = results.display_image(image)
    if min(shown.picture.shape[:2]) >= NARROWEST:
        photograph = results.sent_photograph(image)
        return Canvas(photograph, crop.box_in(1, 1), strip=False)
    middle = results.middle(shown.width, shown.height)

    def within(x: float, y: float) -> tuple[float, float]:
        # A crop begins at a whole pixel of the resized photograph, so it may lie beside the middle.
        across, down = (place / middle.resolution for place in middle.to_model(x, y))
        return min(max(across, 0.0), 1.0), min(max(down, 0.0), 1.0)

    left, top, right, bottom = crop.box
    photograph = results.sent_middle(image)
    return Canvas(photograph, (*within(left, top), *within(right, bottom)), strip=True)


def stamp_of(provenance: Provenance) -> str:
    """What stands over every picture of an untrained network; empty for others."""
    return "" if provenance.trained else UNTRAINED


def name_of(provenance: Provenance) -> str:
    """The model in the name of a file."""
    return provenance.model + ("" if provenance.trained else "-untrained")


def show_attribution(
    canvas: Canvas,
    model: Model,
    attribution: Attribution,
    *,
    key: str,
    covered: viewer.Box | None = None,
    outlined: viewer.Object | None = None,
    where: str | None = None,
) -> None:
    """A map of the evidence for a class over the photograph; `where` says where it is strongest."""
    _show(
        canvas,
        model.structure.stages[attribution.stage],
        attribution.values,
        attribution.provenance,
        title=attribution.method.title,
        kind="evidence",
        where=where or where_strongest(attribution.values, attribution.placement),
        caption=map_caption(attribution),
        covered=covered,
        outlined=outlined,
        common=None,
        key=key,
    )


def show_activation(
    canvas: Canvas, analysis: Analysis, stage: int, channel: int, *, common: Range, key: str
) -> None:
    """One channel of a stage, whose range is `common`."""
    title, values = f"Channel {channel}", analysis.stages[stage][channel]  # (h, w)
    built = analysis.model.structure.stages[stage]
    _show(
        canvas,
        built,
        values,
        analysis.provenance,
        title=title,
        kind="activation",
        where=where_strongest(values, built.placement),
        caption=[
            model_caption(analysis.provenance),
            f"{title}, {stage_caption(stage, values)}",
        ],
        covered=None,
        outlined=None,
        common=common,
        key=key,
    )


def _show(
    canvas: Canvas,
    stage: Stage,
    values: Floats,
    provenance: Provenance,
    *,
    title: str,
    kind: viewer.Kind,
    where: str,
    caption: Sequence[str],
    covered: viewer.Box | None,
    outlined: viewer.Object | None,
    common: Range | None,
    key: str,
) -> None:
    sent, placement = reduced(values, stage.placement, viewer.MOST_CELLS)
    field = None
    if sent.shape == values.shape:
        field = viewer.ReceptiveField(
            stage.receptive_side, stage.effective_stride, stage.start, stage.resolution
        )
    else:
        averages = f"shown as averages ({sent.shape[1]}×{sent.shape[0]})"
        caption = [*caption[:-1], f"{caption[-1]}, {averages}"]
    viewer.pane(
        canvas.photograph,
        canvas.seen,
        sent,
        placement=placement,
        kind=kind,
        description=f"{title} over the photograph. {where} {'. '.join(caption)}.",
        caption=caption,
        stamp=stamp_of(provenance),
        field=field,
        covered=covered,
        file=f"{title}-stage-{stage.number}-{name_of(provenance)}.png".lower().replace(" ", "-"),
        key=key,
        common=common,
        outlined=outlined,
    )
