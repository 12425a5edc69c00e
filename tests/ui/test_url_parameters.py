"""Which values each kind of query parameter allows."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from effnet_viz.ui.layout.url_parameters import (
    Choice,
    Choices,
    Flag,
    Number,
    Parameter,
    Text,
)

COST = Choice("cost", ("multiply-adds", "parameters"))
ROLES = Choices("roles", ("baseline", "depth 4", "compound"))
RACE = Flag("race")
SEED = Number("seed", 0, 9_999)
BETA = Number("beta", 1.0, 1.5, 0.01)
PAGE = Number("page", 1)
MODEL = Text("model", lambda text: text.startswith("b"))


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        (COST, ["parameters"]),
        (ROLES, ["depth 4"]),
        (ROLES, ["compound", "baseline"]),
        (ROLES, [""]),  # none of them
        (RACE, ["true"]),
        (RACE, ["False"]),
        (SEED, ["0"]),
        (SEED, ["9999"]),
        (SEED, ["11.0"]),
        (BETA, ["1"]),
        (BETA, ["1.5"]),
        (BETA, ["1.1400000000000001"]),  # as JavaScript writes one step above 1.13
        (PAGE, ["107"]),
        (MODEL, ["b0"]),
    ],
)
def test_what_a_page_writes_is_allowed(parameter: Parameter, values: Sequence[str]) -> None:
    assert parameter.allows(values)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        (COST, [""]),
        (COST, ["Parameters"]),
        (COST, ["parameters "]),
        (COST, ["parameters", "parameters"]),
        (ROLES, ["depth 4", "depth 5"]),
        (ROLES, ["depth 4", "depth 4"]),
        (ROLES, ["", ""]),
        (RACE, [""]),
        (RACE, ["1"]),
        (RACE, ["true", "false"]),
        (SEED, [""]),
        (SEED, ["-1"]),
        (SEED, ["10000"]),
        (SEED, ["11.5"]),
        (SEED, ["nan"]),
        (SEED, ["inf"]),  # an int of it is an OverflowError
        (SEED, ["1e3"]),
        (SEED, ["1_0"]),
        (SEED, ["9" * 5_000]),  # Python makes no int of so many digits
        (SEED, ["١"]),
        (SEED, ["11", "12"]),
        (BETA, ["1.505"]),
        (BETA, ["1.145"]),
        (PAGE, ["0"]),
        (PAGE, ["1.5"]),
        (MODEL, ["lite0"]),
        (MODEL, ["b0", "b1"]),
    ],
)
def test_what_no_page_writes_is_refused(parameter: Parameter, values: Sequence[str]) -> None:
    assert not parameter.allows(values)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    some.one_of(
        some.text(max_size=12),
        some.decimals(0, 2, places=3).map(str),
        some.sampled_from(["nan", "inf", "-1.2", "1.", ".5", "1..2", "1e0", "1,2"]),
        some.integers(90, 160).map(lambda hundredths: f"{hundredths / 100:g}"),
    )
)
@example("1.0E+0")
@example("+1.2")
def test_numbers_are_those_of_exact_arithmetic(text: str) -> None:
    assert BETA.allows([text]) == _exactly(text, Decimal("1"), Decimal("1.5"), Decimal("0.01"))


def _exactly(text: str, low: Decimal, high: Decimal, step: Decimal) -> bool:
    """Digits with at most one point among them, in the range and on a step."""
    digits = text.split(".")
    if len(digits) > 2 or not all(part.isascii() and part.isdigit() for part in digits):
        return False
    value = Decimal(text)
    return low <= value <= high and abs((value - low) % step) <= Decimal("1e-8")
