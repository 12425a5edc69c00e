"""Which networks are said to agree, from correlations made by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effnet_viz import Analysis
from effnet_viz.analysis.comparison import Comparison, NetworkResult
from effnet_viz.analysis.comparison_verdict import (
    agreement_verdict,
    comparison_verdict,
    guess_among,
)
from effnet_viz.analysis.explanation import Explanation

NAMES = ("Baseline", "Deeper", "Wider", "Higher resolution", "Compound")


def matrix(*upper: float) -> np.ndarray:
    """Symmetric, from its upper triangle row by row."""
    count = int((1 + np.sqrt(1 + 8 * len(upper))) / 2)
    values = np.eye(count)
    for (i, j), value in zip(combinations(range(count), 2), upper, strict=True):
        values[i, j] = values[j, i] = value
    return values


def said(names: tuple[str, ...], *upper: float) -> str:
    verdict = agreement_verdict(matrix(*upper), names, [True] * len(names))
    assert verdict.left_out is None
    return verdict.text


@pytest.mark.parametrize(
    ("upper", "text"),
    [
        ((0.71,), "Baseline and Compound agree (0.71)."),
        ((0.696,), "Baseline and Compound agree (0.70)."),
        ((0.6,), "Baseline and Compound agree in part (0.60)."),
        ((0.5,), "Baseline and Compound differ (0.50)."),
        ((-0.2,), "Baseline and Compound differ (−0.20)."),
        ((-0.001,), "Baseline and Compound differ (0.00)."),
    ],
)
def test_two(upper: tuple[float, ...], text: str) -> None:
    assert said(("Baseline", "Compound"), *upper) == text


@pytest.mark.parametrize(
    ("upper", "text"),
    [
        ((0.22, 0.71, 0.23),
         "Baseline and Compound agree (0.71). Higher resolution differs (0.22, 0.23)."),
        ((0.62, 0.71, 0.55),
         "Baseline and Compound agree (0.71). Higher resolution agrees in part (0.62, 0.55)."),
        ((0.8, 0.71, 0.9), "All three agree (0.71 to 0.90)."),
        ((0.68, 0.9, 0.75), "All three agree (0.68 to 0.90)."),  # 0.715 on average
        ((0.1, 0.3, 0.65), "No two networks agree (0.10 to 0.65)."),
        ((0.2, 0.2, 0.2), "No two networks agree (0.20)."),
    ],
)  # fmt: skip
def test_three(upper: tuple[float, ...], text: str) -> None:
    assert said(("Baseline", "Higher resolution", "Compound"), *upper) == text


def test_two_groups() -> None:
    text = said(("A", "B", "C", "D"), 0.8, 0.1, 0.2, 0.3, 0.4, 0.75)
    assert (
        text == "A and B agree (0.80); C and D agree (0.75). The two groups differ (0.10 to 0.40)."
    )
    text = said(("A", "B", "C", "D"), 0.8, 0.5, 0.6, 0.65, 0.6, 0.75)
    assert text.endswith("The two groups agree in part (0.50 to 0.65).")


def test_some_differ_and_some_agree_in_part() -> None:
    # Deeper and Wider have nothing in common with anyone, Higher resolution a little.
    text = said(NAMES, 0.1, 0.2, 0.6, 0.8, 0.3, 0.1, 0.2, 0.15, 0.25, 0.55)
    assert text == (
        "Baseline and Compound agree (0.80). Deeper and Wider differ (0.10 to 0.30); Higher "
        "resolution agrees in part (0.10 to 0.60)."
    )


def test_what_is_left_out_is_said() -> None:
    correlations = matrix(0.9, 0.71, 0.9)
    verdict = agreement_verdict(correlations, ("A", "B", "C"), [True, False, True])
    assert verdict.text == "A and C agree (0.71)."
    assert verdict.left_out == "B is left out: random weights agree by chance."
    verdict = agreement_verdict(correlations, ("A", "B", "C"), [False, False, True])
    assert verdict.text == "It takes two trained networks to see whether maps agree."
    assert verdict.left_out == "A and B are left out: random weights agree by chance."
    verdict = agreement_verdict(correlations, ("A", "B", "C"), [False] * 3)
    assert verdict.left_out == "A, B and C are left out: random weights agree by chance."
    correlations[1] = correlations[:, 1] = np.nan
    verdict = agreement_verdict(correlations, ("A", "B", "C"), [True, True, True])
    assert verdict.text == "A and C agree (0.71)."
    assert verdict.left_out == "B is left out: the same value everywhere."
    verdict = agreement_verdict(correlations, ("A", "B", "C"), [True, True, False])
    assert verdict.left_out == (
        "C is left out: random weights agree by chance. B is left out: the same value everywhere."
    )


def test_every_network_has_a_name() -> None:
    with pytest.raises(ValueError, match="2 names for 3 networks"):
        agreement_verdict(matrix(0.1, 0.2, 0.3), ("A", "B"), [True, True, True])


@given(st.data())
def test_every_network_is_named_or_counted_and_sentences_are_two(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 8))
    pairs = count * (count - 1) // 2
    upper = data.draw(st.lists(st.floats(-1, 1), min_size=pairs, max_size=pairs))
    names = tuple("ABCDEFGH"[:count])
    text = said(names, *upper)
    assert 1 <= text.count(". ") + 1 <= 2
    assert "nan" not in text
    assert "-" not in text
    named = [name for name in names if f"{name} " in text or f"{name}," in text]
    assert named == list(names) or text.startswith(("All ", "No two "))


def test_the_order_of_networks_changes_no_group() -> None:
    upper = np.random.default_rng(0).uniform(0.3, 1, 10)
    forward, order = matrix(*upper), [4, 2, 0, 3, 1]
    turned = forward[np.ix_(order, order)]

    def groups(correlations: np.ndarray, names: list[str]) -> set[frozenset[str]]:
        text = agreement_verdict(correlations, names, [True] * 5).text.split(". ")[0]
        return {
            frozenset(part.split(" agree")[0].replace(" and ", ", ").split(", "))
            for part in text.split("; ")
        }

    names = list("ABCDE")
    assert groups(forward, names) == groups(turned, [names[i] for i in order])


def test_of_a_real_comparison(cat: Analysis) -> None:
    explanation = Explanation(cat, cat.attribute())
    twice = Comparison((NetworkResult(explanation), NetworkResult(explanation)))
    assert comparison_verdict(twice, ("One", "Other")).text == "One and Other agree (1.00)."


def test_how_a_network_ranks_the_target(cat: Analysis) -> None:
    first, second, third = (prediction.label for prediction in cat.predictions[:3])
    assert guess_among(cat.for_target(first)) == "its first guess"
    assert guess_among(cat.for_target(second)) == f"2nd, after {first}"
    assert guess_among(cat.for_target(third)) == "3rd guess"
    last = cat.predictions[-1].label
    assert guess_among(cat.for_target(last)) == "1000th guess"
