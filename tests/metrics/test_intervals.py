"""The interval of a share."""

from __future__ import annotations

import numpy as np
import pytest

from effnet_viz.metrics.intervals import sign_test, wilson_interval


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_that_of_newcombe(right: int, of: int, low: float, high: float) -> None:
    """Table I, method 3, of Newcombe 1998 (Statistics in Medicine 17:857)."""
    assert wilson_interval(right, of) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson_interval(of - right, of)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize(("right", "of"), [(1, 0), (-1, 3), (4, 3)])
def test_what_is_no_share(right: int, of: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson_interval(right, of)


def test_a_coin_is_tossed() -> None:
    assert sign_test(0, 0) == 1
    assert sign_test(6, 0) == 2**-6
    assert sign_test(0, 5) == 1
    tosses = np.random.default_rng(0).integers(0, 2, (200_000, 9)).sum(axis=1)
    assert sign_test(7, 2) == pytest.approx((tosses >= 7).mean(), rel=0.02)
