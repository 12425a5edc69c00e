"""Scenes that the app shows beside the sample photographs. A table is data."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from effnet_viz.assets import SCENES
from effnet_viz.images.samples import Sample
from effnet_viz.scenes.editor import Scene, make


@cache
def gallery() -> dict[str, Sample]:
    """The pictures of all scenes by key, in the order of the table."""
    return {
        key: Sample(
            key, row["title"], row["description"], tuple(row["credits"]), SCENES / f"{key}.webp"
        )
        for key, row in _table().items()
    }


def scene_of(key: str) -> Scene:
    """The scene that a picture was made from, with its masks."""
    row = _table()[key]
    return make(*row["objects"], **row["made"])


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads((SCENES / "gallery.toml").read_text(encoding="utf-8"))
