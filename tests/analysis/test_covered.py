"""What is said with a part covered, from predictions made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from effnet_viz.analysis.covered import covered_verdict
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.analysis.words import NO_BREAK

LABELS = ("tiger cat", "Egyptian cat", "tabby", "lynx", "screen", "cup", "pot")
REST = 1e-5


def predictions(*shares: float) -> Predictions:
    """Of the first classes of LABELS; the others share what is left in falling order."""
    left = [REST * (10 - place) for place in range(len(LABELS) - len(shares))]
    return Predictions(np.log(np.array([*shares, *left], np.float32)), LABELS)


BEFORE = predictions(0.39, 0.34, 0.18, 0.09)


def said(before: Predictions, after: Predictions, target: int = 0, keep: bool = False) -> list[str]:
    verdict = covered_verdict(before, after, target, keep=keep)
    return [text.replace(NO_BREAK, " ") for text in (verdict.headline, verdict.sentence)]


def test_another_answer() -> None:
    after = predictions(0.14, 0.37, 0.31, 0.18)
    assert said(BEFORE, after) == [
        "Without this part: Egyptian cat, 37 %",
        "Tiger cat falls from first guess to fourth, from 39 to 14 %.",
    ]
    assert said(BEFORE, after, keep=True)[0] == "Only this part: Egyptian cat, 37 %"


def test_the_same_answer() -> None:
    assert said(BEFORE, predictions(0.64, 0.2, 0.1, 0.06)) == [
        "Without this part: still tiger cat, 64 %",
        "Tiger cat stays first guess and rises from 39 to 64 %.",
    ]
    assert said(BEFORE, BEFORE, keep=True) == [
        "Only this part: still tiger cat, 39 %",
        "Tiger cat stays first guess, at 39 %.",
    ]


@pytest.mark.parametrize(
    ("after", "target", "sentence"),
    [
        ((0.3, 0.2, 0.4, 0.1), 2, "Tabby rises from third guess to first, from 18 to 40 %."),
        ((0.41, 0.5, 0.05, 0.04), 0,
         "Tiger cat falls from first guess to second, though it rises from 39 to 41 %."),
        ((0.4, 0.29, 0.2, 0.11), 1, "Egyptian cat stays second guess and falls from 34 to 29 %."),
        ((0.1, 0.33, 0.3, 0.27), 1,
         "Egyptian cat rises from second guess to first, though it falls from 34 to 33 %."),
        ((0.392, 0.5, 0.1, 0.008), 0,
         "Tiger cat falls from first guess to second and stays at 39 %."),
        ((0.9989, 0.0005, 0.0004, 0.0002), 0,
         "Tiger cat stays first guess and rises from 39 to over 99 %."),
        ((0.9989, 0.0005, 0.0004, 0.0002), 3,
         "Lynx stays fourth guess and falls from 9 to below 0.1 %."),
    ],
)  # fmt: skip
def test_the_target_class(after: tuple[float, ...], target: int, sentence: str) -> None:
    assert said(BEFORE, predictions(*after), target)[1] == sentence


def test_rows_are_the_best_after_and_the_target() -> None:
    after = predictions(0.14, 0.37, 0.31, 0.18)
    verdict = covered_verdict(BEFORE, after, 0, keep=False)
    assert [row.after.label for row in verdict.rows] == [
        "Egyptian cat", "tabby", "lynx", "tiger cat", "screen",
    ]  # fmt: skip
    assert [row.explained for row in verdict.rows] == [False, False, False, True, False]
    assert [row.change.replace(NO_BREAK, " ") for row in verdict.rows] == [
        "34 → 37 %", "18 → 31 %", "9 → 18 %", "39 → 14 %", "< 0.1 → < 0.1 %",
    ]  # fmt: skip
    for row in verdict.rows:
        assert row.before == BEFORE.of(row.after.index)


def test_a_target_below_the_best_has_a_row_of_its_own() -> None:
    verdict = covered_verdict(BEFORE, BEFORE, 6, keep=False)
    assert [row.after.label for row in verdict.rows][-1] == "pot"
    assert [row.explained for row in verdict.rows] == [False] * 5 + [True]
    assert len(covered_verdict(BEFORE, BEFORE, 4, keep=False).rows) == 5
