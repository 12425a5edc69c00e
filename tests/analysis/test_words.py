"""Numbers as sentences write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effnet_viz.analysis import words
from effnet_viz.analysis.words import NO_BREAK


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0, "0 %"),
        (1e-9, "below 0.1 %"),
        (0.00099, "below 0.1 %"),
        (0.001, "below 1 %"),
        (0.0099, "below 1 %"),
        (0.01, "1 %"),
        (0.388, "39 %"),
        (0.9949, "99 %"),
        (0.996, "over 99 %"),
        (1 - 1e-12, "over 99 %"),
        (1, "100 %"),
    ],
)
def test_percent(share: float, written: str) -> None:
    assert words.percent(share).replace(NO_BREAK, " ") == written


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_percent_is_never_all_nor_nothing_and_never_half_a_point_off(share: float) -> None:
    written = words.percent(share)
    bound, number = re.fullmatch(rf"(below |over )?([\d.]+){NO_BREAK}%", written).groups()  # type: ignore[union-attr]
    if bound == "below ":
        assert 100 * share < float(number) <= 1
    elif bound == "over ":
        assert 100 * share > float(number) == 99
    else:
        assert 1 <= float(number) <= 99
        assert abs(float(number) - 100 * share) <= 0.5 + 1e-9


def test_two_percents_have_one_sign() -> None:
    assert words.percents(0.39, 0.14, "to") == f"39 to 14{NO_BREAK}%"
    assert words.percents(0.999, 0.0001, "to") == f"over 99 to below 0.1{NO_BREAK}%"
    assert words.percents(0.004, 0.02, "→", below="<", over=">") == f"< 1 → 2{NO_BREAK}%"


def test_ordinals() -> None:
    places = (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 23, 101, 111, 112, 113, 460, 1000)
    assert [words.ordinal(place) for place in places] == [
        "1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "22nd", "23rd",
        "101st", "111th", "112th", "113th", "460th", "1000th",
    ]  # fmt: skip
    assert [words.ordinal_word(place) for place in (1, 3, 10, 11, 460)] == [
        "first", "third", "tenth", "11th", "460th",
    ]  # fmt: skip


def test_lists_and_numbers() -> None:
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b"]) == "a and b"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert [words.number_word(count) for count in (0, 8, 11)] == ["no", "eight", "11"]


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("tiger cat", "Tiger cat"),
        ("Egyptian cat", "Egyptian cat"),
        ("jack-o'-lantern", "Jack-o'-lantern"),
        ("iPod", "iPod"),
        ("king Charles", "King Charles"),
        ("", ""),
    ],
)
def test_a_label_begins_a_sentence(label: str, written: str) -> None:
    assert words.capitalised(label) == written


def test_values_of_a_map() -> None:
    values = [19.46, 2.0, 0.96, 0.251, 0.04, 0.001, 0]
    assert [words.evidence_value(value) for value in values] == [
        "19.5", "2.0", "1.0", "0.25", "0.04", "below 0.01", "below 0.01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "digits", "plain", "signed"),
    [
        (0.34, 2, "0.34", "+0.34"),
        (-0.061, 2, "−0.06", "−0.06"),
        (-0.004, 2, "0.00", "0.00"),
        (0.0, 1, "0.0", "0.0"),
        (0.004, 2, "0.00", "0.00"),
        (6.6, 0, "7", "+7"),
        (-0.4, 0, "0", "0"),
        (-2.0, 0, "−2", "−2"),
    ],
)
def test_minus_is_a_minus_and_nothing_has_no_sign(
    value: float, digits: int, plain: str, signed: str
) -> None:
    assert (words.decimal(value, digits), words.change(value, digits)) == (plain, signed)
