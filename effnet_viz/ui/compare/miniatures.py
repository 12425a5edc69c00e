"""What stands for networks that nobody has trained: those of the scaling lab, on a drawn scene."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Lock

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from effnet_viz.analysis.explanation import explain
from effnet_viz.arrays import Pixels, positive_evidence, positive_range
from effnet_viz.images.photograph import resized
from effnet_viz.lab import demo, scene_editor
from effnet_viz.lab.runs import UnfinishedError
from effnet_viz.pictures import render
from effnet_viz.pictures.encode import data_url
from effnet_viz.scenes.layers import Polygon
from effnet_viz.serving import models
from effnet_viz.serving.queue import LOOK_AGAIN
from effnet_viz.ui import viewer
from effnet_viz.ui.compare.maps import slot_of
from effnet_viz.ui.inputs.network_picker import ChosenNetwork

SCENE = 11
"""Its seed: the drawing lies in the middle, and all five networks name it."""
SIDE = 240
"""Of the picture, in pixels."""
_FINER = 2
"""Outlines are drawn so much larger and shrunk, for smooth edges."""


def show_miniatures(networks: Sequence[ChosenNetwork]) -> None:
    """Fills the places of networks without weights, when everything else on the page is there.

    The first pictures after a start of the server take a while, since five networks are loaded for
    them. Meanwhile whatever a visitor does runs the page again.
    """
    place = st.empty()
    for network in networks:
        slot = slot_of(network)
        if slot.still is None:
            continue
        drawing = _drawing(network.role)
        while not drawing.done():
            place.empty()  # any write ends the wait when the visitor has chosen something else
            wait([drawing], LOOK_AGAIN)
        try:
            picture = drawing.result()
        except UnfinishedError:  # the lab says why
            return
        viewer.show_instead(replace(slot, still=replace(slot.still, source=picture)))


_starting = Lock()
_drawer = ThreadPoolExecutor(1, thread_name_prefix="miniatures")
_drawings: dict[str, Future[str]] = {}


def _drawing(scaling: str) -> Future[str]:
    """The picture of one of the lab's networks, made once; again where that has failed."""
    with _starting:
        drawing = _drawings.get(scaling)
        if drawing is None or (drawing.done() and drawing.exception() is not None):
            drawing = _drawings[scaling] = _drawer.submit(_draw, scaling)
        return drawing


def _draw(scaling: str) -> str:
    """The map of one of the lab's networks over its scene, as a data: URL."""
    model = demo.models()[scaling]
    with models.turn():
        composed = scene_editor.compose(scene_editor.chosen_by_chance(SCENE, demo.UNSEEN_VENDOR))
        seen = demo.photograph_of(composed.scene)
        found = explain(seen, model, composed.scene.label).attribution
    side = _FINER * SIDE
    drawn = render.overlay(
        resized(seen.pixels, side, side),
        positive_evidence(found.values),
        found.placement,
        (0, 0, side, side),
        positive_range(found.values),
        "magma",
        0.55,
    )
    return data_url(resized(_outlined(drawn, composed.outline), SIDE, SIDE), "jpeg")


def _outlined(picture: Pixels, outline: Sequence[Polygon]) -> Pixels:
    """A line around the object, dark below and light above, to be seen on any colour."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    side = picture.shape[0]
    for colour, width in (("#262626", 7), ("#ffffff", 4)):
        for corners in outline:
            around = [(x * side, y * side) for x, y in (*corners, corners[0])]
            draw.line(around, colour, width, joint="curve")
    return np.asarray(image)  # (H, W, 3)
