"""The numbers of one analysis as NPZ and JSON, with their provenance."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import numpy as np

from effnet_viz.analysis.analysis import Analysis, NoClassActivationMapError
from effnet_viz.arrays import Floats
from effnet_viz.attribution import methods
from effnet_viz.attribution.attribution import Attribution

FORMAT = 2
"""Version of both files. Before it, Grad-CAM was the textbook's: divided by h * w."""


def _numbers(analysis: Analysis, attribution: Attribution) -> dict[str, Any]:
    """Everything but the arrays, ready for JSON."""
    by_gradient = attribution.method is methods.GRAD_CAM
    textbook = "; Grad-CAM of the textbook times h * w"
    return {
        "format": FORMAT,
        "provenance": analysis.provenance.as_dict(),
        "target": dataclasses.asdict(attribution.target),
        "crop": dataclasses.asdict(analysis.crop),
        "placement": {
            name: dataclasses.asdict(one.placement)
            for name, one in _maps(analysis, attribution).items()
        },
        "stage": attribution.stage,
        "method": attribution.method.title,
        "reduction": attribution.method.reduction,
        "other": dataclasses.asdict(attribution.other) if attribution.other else None,
        "units": {
            "cam": f"{methods.CAM.unit.value}; mean over positions + bias = logit of the target "
            "class",
            "map": attribution.unit.value + (textbook if by_gradient else ""),
            "channels": "logit; exact at the last stage before a linear head, elsewhere gradient "
            "times activation",
            "crop.box": "pixels of the upright photograph: left, top, right, bottom",
            "placement": "sides of crop.box: the centre of the cell in row i and column j of that "
            "map is start + i * step below its top, start + j * step right of its left edge",
        },
    }


def _maps(analysis: Analysis, attribution: Attribution) -> dict[str, Attribution]:
    """The class activation map where there is one, and the map."""
    try:
        cam = analysis.for_target(attribution.target.index).attribute(methods.CAM)
    except NoClassActivationMapError:
        return {"map": attribution}
    return {"cam": cam, "map": attribution}


def _arrays(analysis: Analysis, attribution: Attribution) -> dict[str, Floats]:
    """The maps (h, w) and the channels (C,) of the one at a stage."""
    maps = {name: one.values for name, one in _maps(analysis, attribution).items()}
    if attribution.channels is not None:
        maps["channels"] = attribution.channels
    return maps


def as_json(analysis: Analysis, attribution: Attribution) -> str:
    """CAM, the map of a stage, its channels and all predictions, with provenance."""
    numbers = _numbers(analysis, attribution)
    numbers["predictions"] = [dataclasses.asdict(p) for p in analysis.predictions]
    arrays = _arrays(analysis, attribution).items()
    numbers |= {name: values.tolist() for name, values in arrays}
    return json.dumps(numbers, indent=1)


def as_npz(analysis: Analysis, attribution: Attribution) -> bytes:
    """The same as arrays, with the stage's activation; the rest as JSON in `numbers`.

    Opens with numpy.load(..., allow_pickle=False).
    """
    buffer = io.BytesIO()
    arrays = _arrays(analysis, attribution)
    if attribution.stage is not None:
        arrays["activation"] = analysis.stages[attribution.stage]  # (C, h, w)
    np.savez_compressed(
        buffer,
        **arrays,  # type: ignore[arg-type]
        logits=analysis.logits,  # (classes,)
        numbers=np.array(json.dumps(_numbers(analysis, attribution))),
    )
    return buffer.getvalue()
