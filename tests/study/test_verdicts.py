"""What is said of the study follows from its numbers, whichever way they fall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from effnet_viz.analysis.claims import ClaimVerdict, Status
from effnet_viz.study import results, verdicts
from effnet_viz.study.results import Estimate, MethodEstimate, MethodsMeasured, StudyResultsError
from tests.study.made_study import made, read

SHARES = {"lite0": 0.5, "lite2": 0.6, "lite0-r320": 0.55, "lite0-r448": 0.7}


def claim(folder: Path, key: str, shares: dict[str, float], **others: Any) -> ClaimVerdict:
    found = {one.key: one.verdict for one in verdicts.claims(read(folder, made(shares, **others)))}
    return found[key]


@pytest.mark.parametrize(
    ("compound", "status", "change"),
    [
        (0.6, Status.SUPPORTED, "+10.0\N{NO-BREAK SPACE}(+8.0 to +12.0)"),
        (0.4, Status.CONTRADICTED, "−10.0\N{NO-BREAK SPACE}(−12.0 to −8.0)"),
        (0.51, Status.OPEN, "+1.0\N{NO-BREAK SPACE}(−1.0 to +3.0)"),
    ],
)
@pytest.mark.parametrize("key", ["relevance", "details"])
def test_the_papers_claim(
    tmp_path: Path, key: str, compound: float, status: Status, change: str
) -> None:
    found = claim(tmp_path, key, SHARES | {"lite2": compound})
    assert found.status is status
    assert f"{change} points" in found.sentences
    assert "Lite2 has " in found.sentences
    assert "Lite0 50\N{NO-BREAK SPACE}%" in found.sentences


@pytest.mark.parametrize("key", ["relevance", "resolution"])
def test_a_finer_grid_alone_supports_nothing(tmp_path: Path, key: str) -> None:
    """More of what is possible on its own grid, and not when all have the same grid."""
    content = made(SHARES)
    for one in content["differences"]:
        if one["measure"] == "common_energy":
            one |= {"value": 0.0, "low": -0.02, "high": 0.02}
    found = {one.key: one.verdict for one in verdicts.claims(read(tmp_path, content))}
    assert found[key].status is Status.OPEN


@pytest.mark.parametrize(
    ("r320", "r448", "status"),
    [
        (0.6, 0.7, Status.SUPPORTED),
        (0.3, 0.4, Status.CONTRADICTED),
        (0.6, 0.4, Status.OPEN),
        (0.51, 0.7, Status.OPEN),
    ],
)
def test_more_pixels(tmp_path: Path, r320: float, r448: float, status: Status) -> None:
    found = claim(tmp_path, "resolution", SHARES | {"lite0-r320": r320, "lite0-r448": r448})
    assert found.status is status
    assert "448\N{NO-BREAK SPACE}px" in found.sentences


@pytest.mark.parametrize(
    ("share", "status"),
    [(0.9, Status.SUPPORTED), (0.3, Status.CONTRADICTED), (0.51, Status.OPEN)],
)
def test_a_map_follows_its_class(tmp_path: Path, share: float, status: Status) -> None:
    found = claim(tmp_path, "class", SHARES, more_on_own=share)
    assert found.status is status
    assert f"{100 * share:.0f}\N{NO-BREAK SPACE}% of the maps" in found.sentences


@pytest.mark.parametrize(
    ("stages", "status"),
    [
        ((0.2, 0.7), Status.SUPPORTED),
        ((0.7, 0.2), Status.CONTRADICTED),
        ((0.5, 0.51), Status.OPEN),
    ],
)
def test_late_against_early(tmp_path: Path, stages: tuple[float, float], status: Status) -> None:
    found = claim(tmp_path, "depth", SHARES, stages=stages)
    assert found.status is status
    assert ("best stage" in found.sentences) == (stages[0] > stages[1])


def test_a_claim_about_networks_that_are_not_measured_is_not_made(tmp_path: Path) -> None:
    found = read(tmp_path, made({"lite0": 0.5}))
    assert [one.key for one in verdicts.claims(found)] == ["class", "depth"]
    assert "the network names rightly" in verdicts.rests_on(found)
    assert "px" not in verdicts.cannot(found)


def test_the_chart_has_the_cheapest_network_first(tmp_path: Path) -> None:
    rows = verdicts.share_rows(read(tmp_path, made(SHARES)))
    assert [row.name for row in rows] == ["Lite0", "Lite2", "Lite0, 320 px", "Lite0, 448 px"]
    assert rows[1].interval == "58 to 62\N{NO-BREAK SPACE}%"


def test_a_difference_turns_round(tmp_path: Path) -> None:
    found = read(tmp_path, made(SHARES))
    one = found.difference("lite2", "lite0", "recall")
    other = found.difference("lite0", "lite2", "recall")
    assert one is not None
    assert other is not None
    assert (one.value, one.low, one.high) == (-other.value, -other.high, -other.low)
    assert found.difference("lite2", "b7", "recall") is None


def test_without_results_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StudyResultsError, match="effnet-viz lab objects"):
        results.load(tmp_path / "results.json")
    (tmp_path / "results.json").write_text('{"scenes": 3}', encoding="utf-8")
    with pytest.raises(StudyResultsError, match="another version"):
        results.load(tmp_path / "results.json")


def test_what_numbers_without_a_mask_are_worth() -> None:
    sure, turned, unsure = (Estimate(v, v - 0.3, v + 0.3) for v in (0.5, -0.5, 0.1))
    said = verdicts.agreement_in_words
    assert said({"ROAD": sure}) == "ROAD tends to rank methods as the mask does."
    assert said({"ROAD": unsure}) == "ROAD may say nothing of it: its interval includes 0."
    assert said({"ROAD": sure, "Deletion": turned, "Stability": unsure, "Sparseness": unsure}) == (
        "ROAD tends to rank methods as the mask does. Deletion tends to rank them the other way "
        "round. Stability and Sparseness may say nothing of it: their intervals include 0."
    )
    assert said({"ROAD": sure, "Stability": sure}) == (
        "ROAD and Stability tend to rank methods as the mask does."
    )


def test_methods_without_a_class_are_named() -> None:
    def measured(*keys: str) -> MethodsMeasured:
        even = Estimate(0.5, 0.4, 0.6)
        rows = tuple(MethodEstimate(key, even, even, 1, 0.1) for key in keys)
        return MethodsMeasured(30, rows, {})

    assert verdicts.classless_in_words(measured("cam", "lime")) == ""
    assert verdicts.classless_in_words(measured("cam", "fem")).startswith("FEM knows nothing")
    both = verdicts.classless_in_words(measured("eigen-cam", "fem"))
    assert both.startswith("Eigen-CAM and FEM know nothing")
