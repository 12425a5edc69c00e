"""A photograph and maps over it, as every page shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import Floats, Placement, Range, reduced
from effnet_viz.attribution.attribution import Attribution
from effnet_viz.engines.structure import Stage
from effnet_viz.models.model import Model
from effnet_viz.pictures.captions import (
    UNTRAINED,
    map_caption,
    model_caption,
    provenance_lines,
    stage_caption,
    where_strongest,
)
from effnet_viz.records import Crop, Prediction, Provenance
from effnet_viz.ui import results, viewer, words
from effnet_viz.ui.layout.text import percent
from effnet_viz.ui.upload import Upload

NARROWEST = 46
"""Pixels on the page that the shorter side must have to show a map on the whole photograph."""


@dataclass(frozen=True)
class Canvas:
    """What maps are drawn over: the photograph; only its middle, where it is a thin strip."""

    photograph: viewer.Photograph
    seen: viewer.Box
    strip: bool
    title: str
    """Of the photograph."""
    credits: tuple[str, ...]
    """Whose picture it is, in sentences."""

    @property
    def caption(self) -> list[str]:
        """What a saved picture says of the photograph."""
        return [f"Photograph: {self.title}", *self.credits]


def canvas_of(image: Upload, crop: Crop) -> Canvas:
    """The canvas of one network's maps: the same photograph for all networks."""
    shown = results.display_image(image)
    if min(shown.picture.shape[:2]) >= NARROWEST:
        photograph = results.sent_photograph(image)
        return Canvas(photograph, crop.box_in(1, 1), False, image.title, image.credits)
    middle = results.middle(shown.width, shown.height)

    def within(x: float, y: float) -> tuple[float, float]:
        # A crop begins at a whole pixel of the resized photograph, so it may lie beside the middle.
        across, down = (place / middle.resolution for place in middle.to_model(x, y))
        return min(max(across, 0.0), 1.0), min(max(down, 0.0), 1.0)

    left, top, right, bottom = crop.box
    photograph = results.sent_middle(image)
    seen = (*within(left, top), *within(right, bottom))
    return Canvas(photograph, seen, True, image.title, image.credits)


def presented(target: Prediction, best: Sequence[Prediction], keys: str) -> viewer.Presented:
    """What stands around pictures of one class while somebody presents: five answers at most."""
    rows = [
        viewer.Answer(one.label, percent(one.probability), one.probability, one == target)
        for one in best[:5]
    ]
    return viewer.Presented(f"{target.label}, {percent(target.probability)}", keys, rows)


def stamp_of(provenance: Provenance) -> str:
    """What stands over every picture of an untrained network; empty for others."""
    return "" if provenance.trained else UNTRAINED


def name_of(provenance: Provenance) -> str:
    """The model in the name of a file."""
    return provenance.model + ("" if provenance.trained else "-untrained")


def slug(text: str) -> str:
    """The text as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def picture_of(
    canvas: Canvas,
    model: Model,
    attribution: Attribution,
    *,
    under: viewer.Under,
    outlined: Sequence[viewer.Object] = (),
    where: str | None = None,
) -> viewer.Picture:
    """A map of the evidence for a class over the photograph; `where` says where it is strongest."""
    return _picture(
        canvas,
        None if attribution.stage is None else model.structure.stages[attribution.stage],
        attribution.values,
        attribution.placement,
        attribution.provenance,
        title=attribution.method.title,
        of=attribution.target.label,
        kind="evidence",
        shares=attribution.scale,
        where=where or where_strongest(attribution.values, attribution.placement),
        caption=map_caption(attribution),
        under=under,
        outlined=outlined,
        common=None,
    )


def channel_picture(
    canvas: Canvas, analysis: Analysis, stage: int, channel: int, *, common: Range
) -> viewer.Picture:
    """One channel of a stage, whose range is `common`."""
    title, values = f"Channel {channel}", analysis.stages[stage][channel]  # (h, w)
    built = analysis.model.structure.stages[stage]
    return _picture(
        canvas,
        built,
        values,
        built.placement,
        analysis.provenance,
        title=title,
        of="",
        kind="activation",
        shares="",
        where=where_strongest(values, built.placement),
        caption=[
            model_caption(analysis.provenance),
            f"{title}, {stage_caption(stage, values)}",
        ],
        under=viewer.Under(title, f"stage {stage}", hint=words.POINT),
        outlined=(),
        common=common,
    )


def map_of(attribution: Attribution) -> viewer.Map:
    """The map as it is sent: large ones as averages."""
    sent, placement = reduced(attribution.values, attribution.placement, viewer.MOST_CELLS)
    return viewer.Map(sent, placement, "evidence", attribution.scale)


def _picture(
    canvas: Canvas,
    stage: Stage | None,
    values: Floats,
    placed: Placement,
    provenance: Provenance,
    *,
    title: str,
    of: str,
    kind: viewer.Kind,
    shares: str,
    where: str,
    caption: Sequence[str],
    under: viewer.Under,
    outlined: Sequence[viewer.Object],
    common: Range | None,
) -> viewer.Picture:
    sent, placement = reduced(values, placed, viewer.MOST_CELLS)
    field = None
    if sent.shape == values.shape and stage is not None:
        field = viewer.ReceptiveField(
            stage.receptive_side, stage.effective_stride, stage.start, stage.resolution
        )
    elif sent.shape != values.shape:
        averages = f"shown as averages ({sent.shape[1]}×{sent.shape[0]})"
        caption = [*caption[:-1], f"{caption[-1]}, {averages}"]
    at = f"stage-{stage.number}" if stage else "pixels"
    parts = (canvas.title, of, title, at, name_of(provenance))
    return viewer.Picture(
        canvas.photograph,
        canvas.seen,
        viewer.Map(sent, placement, kind, shares, common),
        f"{title} over the photograph. {where} {'. '.join(caption)}.",
        caption=[*canvas.caption, *provenance_lines(provenance), *caption],
        under=under,
        stamp=stamp_of(provenance),
        field=field,
        outlined=outlined,
        file="-".join(slug(part) for part in parts if part) + ".png",
    )
