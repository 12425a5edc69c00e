"""Shared fixtures: sample photographs, one model per key, loaded once per run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from effnet_viz import Analysis, Model, analyse, load

SAMPLES = Path(__file__).parent.parent / "assets" / "samples"


@cache
def loaded(key: str, *, untrained: bool = False) -> Model:
    """load(), once per run: converting a network for its engine takes seconds."""
    return load(key, untrained=untrained)


@pytest.fixture(scope="session")
def lite0() -> Model:
    return loaded("lite0")


@pytest.fixture(scope="session")
def cat(lite0: Model) -> Analysis:
    return analyse(SAMPLES / "cat.jpg", lite0)
