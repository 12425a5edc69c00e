"""Shared fixtures: sample photographs, one network per architecture, loaded once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from effnet_viz import Analysis, Model, analyse, load

SAMPLES = Path(__file__).parent.parent / "assets" / "samples"


@pytest.fixture(scope="session")
def lite0() -> Model:
    return load("lite0")


@pytest.fixture(scope="session")
def cat(lite0: Model) -> Analysis:
    return analyse(SAMPLES / "cat.jpg", lite0)
