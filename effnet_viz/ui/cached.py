"""What visitors share: models, decoded photographs, analyses. Keys are all a result depends on.

Pictures are found by the hash of their bytes, so nobody reaches one that they do not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from effnet_viz import analysis, image, model, render, zoo

LONGEST_SIDE = 800
"""Longer side of a photograph on the page, in pixels."""
SEEN_SIDE = 640
"""Side of the model's crop on the page, in pixels."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A photograph as the page shows it."""

    picture: NDArray[np.uint8]
    """(H, W, 3), the longer side about SEEN_SIDE to LONGEST_SIDE."""
    width: int
    height: int
    """Of the photograph itself, in pixels."""
    notes: tuple[str, ...]


@st.cache_resource(max_entries=3, show_spinner=False)
def _decoded(digest: str, _content: bytes) -> image.Photograph:
    """Full size, up to 150 MB: kept only for the steps that follow an upload at once."""
    return image.decode(_content)


@st.cache_resource(max_entries=64, show_spinner=False)
def shown(digest: str, _content: bytes) -> Shown:
    """The photograph for the page. Raises ImageError."""
    photograph = _decoded(digest, _content)
    picture = photograph.reduced(LONGEST_SIDE)  # (H, W, 3)
    # Over an icon, a map would have too few pixels: enlarge small photographs, pixel by pixel.
    picture = render.enlarge_cells(picture, SEEN_SIDE)
    return Shown(picture, photograph.width, photograph.height, photograph.notes)


@st.cache_resource(max_entries=64, show_spinner=False)
def seen(digest: str, preprocessing: zoo.Preprocessing, _content: bytes) -> NDArray[np.uint8]:
    """The part that a model sees, (SEEN_SIDE, SEEN_SIDE, 3)."""
    photograph = _decoded(digest, _content)
    crop = image.crop_of(photograph.width, photograph.height, preprocessing)
    return photograph.cropped(crop, SEEN_SIDE)


@st.cache_resource(max_entries=6, show_spinner=False)
def loaded(key: str, untrained: bool) -> model.Model:
    """The model, once for all visitors. Raises WeightsError."""
    return model.load(key, untrained=untrained)


@st.cache_resource(max_entries=32, show_spinner=False)
def analysed(key: str, untrained: bool, digest: str, _content: bytes) -> analysis.Analysis:
    """One forward pass, explained for the most probable class."""
    return analysis.analyse(_decoded(digest, _content), loaded(key, untrained))


@st.cache_resource(max_entries=512, show_spinner=False)
def explained(
    key: str,
    untrained: bool,
    digest: str,
    stage: int,
    target: int,
    _result: analysis.Analysis,
) -> analysis.StageExplanation:
    """Grad-CAM and channel relevance at a stage for a class."""
    return _result.explain_stage(stage, target)


@st.cache_data(max_entries=512, show_spinner=False)
def overlaid(
    picture_key: str,
    values: NDArray[np.float32],
    box: render.Box,
    limits: render.Range,
    colour_map: str,
    opacity: float,
    stamp: str | None,
    _picture: NDArray[np.uint8],
) -> bytes:
    """A map over a picture as a JPEG file; `picture_key` stands for the picture."""
    drawn = render.overlay(_picture, values, box, limits, colour_map, opacity)
    return render.encode(render.stamp(drawn, stamp) if stamp else drawn, "jpeg")
