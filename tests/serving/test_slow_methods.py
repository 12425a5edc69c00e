"""The process for slow methods gives what this one gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from effnet_viz import Analysis, analyse
from effnet_viz.analysis.randomization import sanity_check
from effnet_viz.models.identity import ModelId
from effnet_viz.models.weights import WeightsError
from effnet_viz.serving import slow_methods
from effnet_viz.serving.slow_methods import run_cascade_in_worker
from tests.conftest import SAMPLES, loaded

METHODS = ("cam", "grad-cam")


@pytest.fixture(scope="module", autouse=True)
def _ended() -> Iterator[None]:
    yield
    slow_methods.close()


@pytest.fixture(scope="module")
def small() -> Analysis:
    """A third of the work of 224 pixels."""
    return analyse(SAMPLES / "cat.jpg", loaded("lite0-r128"))


def test_a_sanity_check_in_the_process_is_the_one_made_here(small: Analysis) -> None:
    heard: list[float] = []
    here = sanity_check(small, METHODS, stage=5, seed=3)
    there = sanity_check(
        small, METHODS, stage=5, seed=3, progress=heard.append, runner=run_cascade_in_worker
    )
    assert slow_methods.process_id() is not None
    assert heard == sorted(heard)
    assert heard[-1] == 1
    assert len(set(heard)) > 10
    assert there.probabilities == pytest.approx(here.probabilities, rel=1e-3)
    assert list(there.methods) == list(METHODS)
    assert there.refused == here.refused == {}
    for key, check in there.methods.items():
        ours = here.methods[key]
        assert check.maps.shape == ours.maps.shape
        # Another number of threads adds up in another order.
        np.testing.assert_allclose(check.maps, ours.maps, atol=1e-3 * np.abs(ours.maps).max())
        assert check.rank_correlations == pytest.approx(ours.rank_correlations, abs=0.02)
        assert not check.maps.flags.writeable


def test_weights_that_were_replaced_are_told(cat: Analysis) -> None:
    other = replace(cat.model, id=ModelId("lite0", "0" * 64))
    with pytest.raises(WeightsError, match="was replaced"):
        sanity_check(replace(cat, model=other), METHODS, runner=run_cascade_in_worker)


def test_no_method_is_no_map(small: Analysis) -> None:
    found = sanity_check(small, [], runner=run_cascade_in_worker)
    assert not found.methods
    assert len(found.probabilities) == 11
