"""The claim against results made by hand, whichever way they fall, and what a scene shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from effnet_viz import Analysis
from effnet_viz.analysis.claims import ClaimVerdict, Status
from effnet_viz.analysis.explanation import Explanation
from effnet_viz.analysis.words import NO_BREAK
from effnet_viz.lab import results as lab
from effnet_viz.lab import verdicts
from effnet_viz.lab.demo import MaskScores
from effnet_viz.lab.results import CAM, RELEVANCE, Results
from effnet_viz.lab.scalings import SCALINGS
from tests.lab.made_results import EQUAL, FALLING, RISING, loaded, made, spaced


def said(results: Results) -> list[tuple[str, str]]:
    return [(one.title, spaced(one.sentences)) for one in verdicts.claim_verdicts(results)]


def test_the_claim_has_its_source() -> None:
    assert verdicts.PAPERS_CLAIM.sentence == (
        "Tan and Le, 2019: Compound “tends to focus on more relevant regions with more object "
        "details”"
    )


def test_the_chart(tmp_path: Path) -> None:
    levels = RISING | {"depth": 0.49, "width": 0.484}
    rows = verdicts.chart_rows(loaded(tmp_path, made(levels)))
    assert [(row.name, spaced(row.value), row.change, row.by_chance) for row in rows] == [
        ("Baseline", "50 %", "the yardstick", False),
        ("Deeper", "49 %", "−1 (−3 to +1)", True),
        ("Wider", "48 %", "−2 (−4 to 0)", True),
        ("Higher resolution", "65 %", "+15 (+13 to +17)", False),
        ("Compound", "70 %", "+20 (+18 to +22)", False),
    ]
    for row in rows[1:]:
        assert row.difference is not None
        assert (row.difference.one, row.difference.other) == ("baseline", row.key)
        assert row.share == pytest.approx(rows[0].share + row.difference.value)


def test_on_how_much_the_chart_rests(tmp_path: Path) -> None:
    _, rests_on = verdicts.chart_title(loaded(tmp_path, made(EQUAL)))
    assert rests_on == "five miniatures, 153 scenes of drawings, three trainings each"


def test_supported(tmp_path: Path) -> None:
    assert said(loaded(tmp_path, made(RISING))) == [
        (
            "Supported: more relevant regions",
            "70 % of the possible evidence on the object; Baseline 50, Deeper 55, Wider 60, Higher "
            "resolution 65.",
        ),
        (
            "Supported: more object details",
            "It covers 70 % of the object; Baseline 50, Deeper 55, Wider 60, Higher resolution 65. "
            "A map that is the same everywhere covers 100 %.",
        ),
        (
            "Open: would it happen again?",
            "In all three trainings Compound has more evidence on the object than Baseline. Three "
            "trainings cannot say what a fourth would change.",
        ),
    ]


def test_contradicted(tmp_path: Path) -> None:
    relevance, details, again = said(loaded(tmp_path, made(FALLING)))
    assert relevance == (
        "Contradicted: more relevant regions",
        "50 % of the possible evidence on the object; Baseline 70, Deeper 65, Wider 60, Higher "
        "resolution 55.",
    )
    assert details[0] == "Contradicted: more object details"
    assert again[1].startswith("In all three trainings Compound has less evidence on the object")


def test_open(tmp_path: Path) -> None:
    relevance, *_ = said(loaded(tmp_path, made(EQUAL)))
    assert relevance == (
        "Open: more relevant regions",
        "60 % of the possible evidence on the object. Baseline, Deeper, Wider and Higher "
        "resolution are level within chance: 60, 60, 60 and 60.",
    )


@pytest.mark.parametrize(
    ("levels", "title", "second"),
    [
        ({"resolution": 0.8}, "Supported", "Higher resolution has more still: 80."),
        (
            {"resolution": 0.8, "width": 0.71},
            "Supported",
            "Higher resolution has more still: 80; Wider is level within chance: 71.",
        ),
        (
            {"resolution": 0.8, "width": 0.9},
            "Open",
            "Wider and Higher resolution have more: 90 and 80; Baseline and Deeper have less: 50 "
            "and 55.",
        ),
        (
            {"baseline": 0.71},
            "Open",
            "Deeper, Wider and Higher resolution have less: 55, 60 and 65; Baseline is level "
            "within chance: 71.",
        ),
        (
            {"baseline": 0.8, "width": 0.9},
            "Open",
            "Baseline and Wider have more: 80 and 90; Deeper and Higher resolution have less: 55 "
            "and 65.",
        ),
        ({"baseline": 0.8, "width": 0.9, "depth": 0.9}, "Contradicted",
         "Higher resolution has less still: 65."),
    ],
)  # fmt: skip
def test_networks_that_do_not_fit_are_named(
    levels: dict[str, float], title: str, second: str, tmp_path: Path
) -> None:
    (found, sentences), *_ = said(loaded(tmp_path, made(RISING | levels)))
    assert found == f"{title}: more relevant regions"
    assert sentences.split(". ", 1)[1] == second


def of_runs(tmp_path: Path, compound: list[float], baseline: list[float]) -> ClaimVerdict:
    """The third verdict, with these values of as many runs."""
    content = made(RISING)
    for key, values in (("compound", compound), ("baseline", baseline)):
        content["networks"][key][CAM]["all"][RELEVANCE]["runs"] = values
    results = loaded(tmp_path, content)
    runs = (results.runs[0],) * len(compound)
    return verdicts.claim_verdicts(dataclasses.replace(results, runs=runs))[2]


def test_whether_it_would_happen_again(tmp_path: Path) -> None:
    mixed = of_runs(tmp_path, [0.7, 0.6, 0.7], [0.5, 0.65, 0.6])
    assert mixed.status is Status.OPEN
    assert mixed.sentences.startswith("In two of three trainings Compound has more evidence")
    tied = of_runs(tmp_path, [0.7, 0.6, 0.7], [0.7, 0.65, 0.8])
    assert tied.sentences.startswith("In two of three trainings Compound has less evidence")
    same = of_runs(tmp_path, [0.7] * 6, [0.7] * 6)
    assert same.sentences.startswith("In none of six trainings Compound has more evidence")
    single = of_runs(tmp_path, [0.7], [0.5])
    assert single.sentences == (
        "In the only training Compound has more evidence on the object than Baseline. One "
        "training cannot say what a second would change."
    )
    five, six = (of_runs(tmp_path, [0.7] * runs, [0.5] * runs) for runs in (5, 6))
    assert five.status is Status.OPEN
    assert six.title == "Supported: it happens again"
    assert six.sentences == (
        "In all six trainings Compound has more evidence on the object than Baseline."
    )
    assert of_runs(tmp_path, [0.7] * 6, [0.5] * 5 + [0.7]).status is Status.OPEN


def test_what_the_shipped_results_say() -> None:
    """The page's three verdicts as they stand; another measurement may change them."""
    relevance, details, again = verdicts.claim_verdicts(lab.load())
    assert [one.status for one in (relevance, details, again)] == [
        Status.OPEN, Status.CONTRADICTED, Status.OPEN,
    ]  # fmt: skip
    share = f"{100 * lab.load().cam('compound', RELEVANCE).mean:.0f} %"
    told = relevance.sentences.replace(NO_BREAK, " ")
    assert told.startswith(f"{share} of the possible evidence")
    assert "Wider and Higher resolution have more" in told
    assert "Baseline and Deeper are level within chance" in told


def test_names_without_factors() -> None:
    assert [scaling.name for scaling in SCALINGS.values()] == [
        "Baseline", "Deeper", "Wider", "Higher resolution", "Compound",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("energy", "bound", "possible"), [(0.44, 0.48, "possible 48 %"), (0.5, 0.48, "possible 50 %")]
)
def test_a_live_scene(cat: Analysis, energy: float, bound: float, possible: str) -> None:
    scores = MaskScores(energy, bound, True, 0.9, 0.1)
    explanation = Explanation(cat, cat.attribute())
    best = cat.predictions[0].index
    right = verdicts.scene_answer(explanation, scores, "Wider", best)
    assert (right.name, right.right, right.answer) == ("Wider", True, cat.predictions[0])
    assert spaced(right.sure) == "39 %"
    assert spaced(right.on_object_text) == f"Evidence on the object {np.rint(100 * energy):.0f} %"
    assert spaced(right.possible_text) == possible
    assert not verdicts.scene_answer(explanation, scores, "Wider", best + 1).right
