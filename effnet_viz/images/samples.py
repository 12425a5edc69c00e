"""The sample photographs: what they show, for whom they are credited. A table is data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from effnet_viz.assets import SAMPLES


@dataclass(frozen=True)
class Sample:
    """One freely licensed photograph; assets/CREDITS.md has the whole credit."""

    key: str
    title: str
    description: str
    """What it shows, for someone who cannot see it."""
    credits: tuple[str, ...]
    """Whose picture it is, in sentences: a copy of it carries them."""
    path: Path


@cache
def samples() -> dict[str, Sample]:
    """All samples by key, in the order of the table."""
    table = tomllib.loads((SAMPLES / "samples.toml").read_text(encoding="utf-8"))
    return {
        key: Sample(key, row["title"], row["description"], (row["credit"],), SAMPLES / row["file"])
        for key, row in table.items()
    }
