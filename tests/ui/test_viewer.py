"""What the viewer is told of a map."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from effnet_viz.arrays import Placement
from effnet_viz.ui.viewer import Map


@pytest.mark.parametrize("low", [-3.0, 0.0])
def test_levels_are_the_values_to_the_width_of_one(low: float) -> None:
    values = np.random.default_rng(0).uniform(low, 7, (14, 14)).astype(np.float32)
    told = Map(values, Placement.even(14), "evidence")._data(in_levels=True)
    sent = np.frombuffer(base64.b64decode(told["values"]), "<u2").reshape(14, 14)
    first, last = told["levels"]
    assert (first, last) == (float(values.min()), float(values.max()))
    assert (sent.min(), sent.max()) == (0, 65535)
    width = (last - first) / 65535
    assert np.abs(first + sent * width - values).max() <= 0.51 * width
    exact = Map(values, Placement.even(14), "evidence")._data()
    assert exact["levels"] is None
    assert np.array_equal(np.frombuffer(base64.b64decode(exact["values"]), "<f4"), values.ravel())


def test_a_flat_map_has_one_level() -> None:
    told = Map(np.full((2, 2), 4, np.float32), Placement.even(2), "evidence")._data(in_levels=True)
    assert told["levels"] == (4.0, 4.0)
    assert set(base64.b64decode(told["values"])) == {0}
