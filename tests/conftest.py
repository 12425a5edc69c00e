"""Shared fixtures: sample photographs, one model per key, loaded once per run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from effnet_viz import Analysis, Model, analyse, load, network, weights, zoo
from effnet_viz.engine import TorchEngine

SAMPLES = Path(__file__).parent.parent / "assets" / "samples"


@cache
def loaded(key: str, *, untrained: bool = False) -> Model:
    """load(), once per run: converting a network for its engine takes seconds."""
    return load(key, untrained=untrained)


@cache
def eager(key: str, *, untrained: bool = False) -> Model:
    """The same on PyTorch alone, which converts nothing."""
    entry = zoo.find(key)
    state, file = (None, None) if untrained else weights.load_state_dict(entry.weights)
    return Model(entry, TorchEngine(network.build(entry, state)), file)


@pytest.fixture(scope="session")
def lite0() -> Model:
    return loaded("lite0")


@pytest.fixture(scope="session")
def cat(lite0: Model) -> Analysis:
    return analyse(SAMPLES / "cat.jpg", lite0)
