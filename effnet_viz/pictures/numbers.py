"""The numbers of one analysis as NPZ and JSON, with their provenance."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import numpy as np

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.attribution.attribution import StageExplanation


def _numbers(analysis: Analysis, explained: StageExplanation) -> dict[str, Any]:
    """Everything but the arrays, ready for JSON."""
    return {
        "provenance": analysis.provenance.as_dict(),
        "target": dataclasses.asdict(analysis.target),
        "crop": dataclasses.asdict(analysis.crop),
        "grad_cam_stage": explained.stage,
        "units": {
            "cam": "logit; mean over positions + bias = logit of the target class",
            "grad_cam": "logit / (h * w); signed, before the ReLU",
            "channel_relevance": "logit; votes at stage 9, elsewhere gradient times activation",
            "crop.box": "pixels of the upright photograph: left, top, right, bottom",
        },
    }


def as_json(analysis: Analysis, explained: StageExplanation) -> str:
    """CAM, Grad-CAM, channel relevance and all predictions, with provenance."""
    numbers = _numbers(analysis, explained)
    numbers["predictions"] = [dataclasses.asdict(p) for p in analysis.predictions]
    numbers["cam"] = analysis.cam.tolist()  # (h, w)
    numbers["grad_cam"] = explained.grad_cam.tolist()  # (h, w)
    numbers["channel_relevance"] = explained.channel_relevance.tolist()  # (C,)
    return json.dumps(numbers, indent=1)


def as_npz(analysis: Analysis, explained: StageExplanation) -> bytes:
    """The same as arrays, with the explained stage's activation; the rest as JSON in `numbers`.

    Opens with numpy.load(..., allow_pickle=False).
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        cam=analysis.cam,  # (h, w)
        grad_cam=explained.grad_cam,  # (h, w)
        channel_relevance=explained.channel_relevance,  # (C,)
        activation=analysis.stages[explained.stage],  # (C, h, w)
        logits=analysis.logits,  # (classes,)
        numbers=np.array(json.dumps(_numbers(analysis, explained))),
    )
    return buffer.getvalue()
