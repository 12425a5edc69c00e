"""A photograph and maps over it, as every page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.arrays import Range, reduced
from effnet_viz.models import architectures
from effnet_viz.pictures.captions import map_caption, where_strongest
from effnet_viz.ui import results, viewer
from effnet_viz.ui.inputs.selection import Upload

NARROWEST = 46
"""Pixels on the page that the shorter side must have to show a map on the whole photograph."""


@dataclass(frozen=True)
class Canvas:
    """What maps are drawn over: the photograph; only its middle, where it is a thin strip."""

    photograph: viewer.Photograph
    seen: viewer.Box
    strip: bool


def canvas_of(image: Upload, result: Analysis) -> Canvas:
    """The canvas of one network's maps: the same photograph for all networks."""
    shown = results.shown(image.id, image.content)
    if min(shown.picture.shape[:2]) >= NARROWEST:
        photograph = results.photograph(image.id, image.content)
        return Canvas(photograph, result.crop.box_in(1, 1), strip=False)
    middle = results.middle(shown.width, shown.height)

    def within(x: float, y: float) -> tuple[float, float]:
        # A crop begins at a whole pixel of the resized photograph, so it may lie beside the middle.
        across, down = (place / middle.resolution for place in middle.to_model(x, y))
        return min(max(across, 0.0), 1.0), min(max(down, 0.0), 1.0)

    left, top, right, bottom = result.crop.box
    photograph = results.middle_alone(image.id, image.content)
    return Canvas(photograph, (*within(left, top), *within(right, bottom)), strip=True)


def stamp_of(result: Analysis) -> str:
    """What stands over every picture of an untrained network."""
    return "" if result.provenance.trained else "UNTRAINED: random weights"


def name_of(result: Analysis) -> str:
    """The model in the name of a file."""
    return result.provenance.model + ("" if result.provenance.trained else "-untrained")


def show_evidence(
    canvas: Canvas,
    result: Analysis,
    method: str,
    stage: int,
    values: NDArray[np.float32],
    *,
    covered: viewer.Box | None,
    key: str,
) -> None:
    """A map (h, w) of the evidence for the target class, in units of the logit."""
    caption = map_caption(result, method, stage)
    _show(canvas, result, method, stage, values, "evidence", caption, covered, None, key)


def show_activation(
    canvas: Canvas,
    result: Analysis,
    stage: int,
    channel: int,
    *,
    common: Range,
    key: str,
) -> None:
    """One channel of a stage, whose range is `common`."""
    method = f"Channel {channel}"
    caption = map_caption(result, method, stage, target=False)
    values = result.stages[stage][channel]  # (h, w)
    _show(canvas, result, method, stage, values, "activation", caption, None, common, key)


def _show(
    canvas: Canvas,
    result: Analysis,
    method: str,
    stage: int,
    values: NDArray[np.float32],
    kind: viewer.Kind,
    caption: Sequence[str],
    covered: viewer.Box | None,
    common: Range | None,
    key: str,
) -> None:
    sent = reduced(values, viewer.MOST_CELLS)
    field = None
    if sent.shape == values.shape:
        of_stage = architectures.structure_of(result.model.entry).stages[stage]
        field = viewer.ReceptiveField(
            of_stage.receptive_side, of_stage.effective_stride, of_stage.start, of_stage.resolution
        )
    else:
        averages = f"shown as averages ({sent.shape[1]}×{sent.shape[0]})"
        caption = [*caption[:-1], f"{caption[-1]}, {averages}"]
    viewer.pane(
        canvas.photograph,
        canvas.seen,
        sent,
        kind=kind,
        description=f"{method} over the photograph. {where_strongest(values)} "
        f"{'. '.join(caption)}.",
        caption=caption,
        stamp=stamp_of(result),
        field=field,
        covered=covered,
        file=f"{method}-stage-{stage}-{name_of(result)}.png".lower().replace(" ", "-"),
        key=key,
        common=common,
    )
