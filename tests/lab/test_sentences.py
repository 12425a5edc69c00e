"""What the lab's results say, from results made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from effnet_viz.lab import sentences
from effnet_viz.lab.results import (
    RELEVANCE,
)
from effnet_viz.lab.scalings import SCALINGS
from tests.lab.made_results import (
    EQUAL,
    FALLING,
    RISING,
    headline,
    loaded,
    made,
    spaced,
)


def test_compound_best(tmp_path: Path) -> None:
    claim, relevance, references, details = headline(tmp_path, made(RISING))
    assert "**On these scenes our numbers agree with it.**" in claim
    assert claim.endswith(
        "In evidence on the object it is clearly ahead of all four others; in how much of the "
        "object it covers, clearly ahead of all four others."
    )
    best = (
        "The highest mean is the compound network's: 70.0 %. That is clearly more than any other."
    )
    assert best in relevance
    assert best in details
    assert "outline reaches on the network's grid" in relevance
    assert "at least 20 % of its maximum" in details
    assert "a uniform map has 100 %" in details
    assert references.endswith(
        "All five networks have a higher mean than a uniform map (20.0 %). Only Wider, "
        "Higher resolution and the compound network have a higher mean than a centre Gaussian "
        "(57.0 %). Here all maps are averaged to 4 × 4 cells."
    )


def test_compound_worst(tmp_path: Path) -> None:
    claim, relevance, references, _ = headline(tmp_path, made(FALLING))
    assert "**On these scenes our numbers do not show that; some point the other way.**" in claim
    assert claim.count("clearly behind all four others") == 2
    assert "ahead of" not in claim
    assert (
        "The highest mean is the baseline's: 70.0 %. That is clearly more than any other. The "
        "compound network is number five with 50.0 %: clearly less than any other." in relevance
    )
    assert "Only the baseline, Deeper and Wider have a higher mean than a centre" in references


def test_no_difference(tmp_path: Path) -> None:
    claim, relevance, references, _ = headline(tmp_path, made(EQUAL))
    assert "**On these scenes our numbers do not show that.**" in claim
    assert claim.count("neither clearly ahead of nor clearly behind any other") == 2
    assert "That is no clear difference from any other." in relevance
    assert "a uniform map (20.0 %) and a centre Gaussian (57.0 %)" in references


def test_more_evidence_but_less_covered(tmp_path: Path) -> None:
    claim, relevance, _, details = headline(tmp_path, made(RISING, FALLING))
    assert "agree with it in part and contradict it in part" in claim
    assert claim.endswith("in how much of the object it covers, clearly behind all four others.")
    assert "The highest mean is the compound network's" in relevance
    assert "The compound network is number five with 50.0 %: clearly less than" in details


def test_between_the_others(tmp_path: Path) -> None:
    levels = RISING | {"compound": 0.61}
    _, relevance, _, _ = headline(tmp_path, made(levels))
    assert "The highest mean is that of Higher resolution: 65.0 %." in relevance
    assert (
        "The compound network is number two with 61.0 %: clearly more than the baseline and "
        "Deeper; clearly less than Higher resolution; no clear difference from Wider." in relevance
    )


def test_who_answers_right_most_often(tmp_path: Path) -> None:
    # 79 % against 70, 76, 73 and 77.5; the intervals are two points to either side.
    said = spaced(sentences.accuracy(loaded(tmp_path, made(EQUAL))))
    assert said == (
        "Wider answers right most often on the unseen vendor's drawings (79.0 %), clearly more "
        "often than the baseline, Deeper and Higher resolution. Of the 10 pairs of networks, 8 "
        "differ clearly. Whose drawings are left out matters less than the network: all networks "
        "together reach 74.1 % on Twitter's, 75.1 % on EmojiOne's and 76.1 % on Google's."
    )


def test_networks_below_every_reference(tmp_path: Path) -> None:
    _, _, references, _ = headline(tmp_path, made(dict.fromkeys(SCALINGS, 0.1)))
    assert "No network has a higher mean than a uniform map (20.0 %) and" in references


def test_convergence_by_hand(tmp_path: Path) -> None:
    """Accuracy on the unseen vendor at 3,000 and at 4,000 views: 0.3 and 0.4."""
    content = made(EQUAL)
    text = sentences.convergence(loaded(tmp_path, content))
    assert "by +10.0 (Baseline) to +10.0 (Baseline) points. None had levelled off" in text
    for name, training in content["training"].items():
        end = {"baseline": 0.29, "depth": 0.33}.get(name[:-2], 0.31)
        curve = [dict(point) for point in training["learning_curve"]]
        curve[-1]["unseen_top1"] = end
        training["learning_curve"] = curve
    text = sentences.convergence(loaded(tmp_path, content))
    assert "by −1.0 (Baseline) to +3.0 (Deeper) points" in text
    assert spaced(text).count("Not all had levelled off: Deeper gained 2 points or more") == 1
    for run in range(3):
        content["training"][f"depth-{run}"] = content["training"]["width-0"]
    assert "None gained 2 points or more" in sentences.convergence(loaded(tmp_path, content))


def test_curves_are_means_over_runs(tmp_path: Path) -> None:
    content = made(EQUAL)
    for run, end in enumerate((0.1, 0.2, 0.6)):
        content["training"][f"width-{run}"] = {
            "learning_curve": [{"views": 500, "seen_top1": 2 * end, "unseen_top1": end}]
        }
    (point,) = loaded(tmp_path, content).curves["width"]
    assert (point.views, point.seen, point.unseen) == (
        500,
        pytest.approx(0.6),
        pytest.approx(0.3),
    )


def test_most_and_least_alike(tmp_path: Path) -> None:
    text = spaced(sentences.most_and_least_alike(loaded(tmp_path, made(EQUAL))))
    assert text == (
        "Higher resolution and the compound network answer alike most often (89 % of the scenes), "
        "the baseline and Deeper least often (80 %). The maps of the baseline and Deeper are most "
        "alike (correlation 0.50), those of Higher resolution and the compound network least "
        "(0.41)."
    )


def test_limits_have_this_lab_s_numbers(tmp_path: Path) -> None:
    text = sentences.limits(loaded(tmp_path, made(EQUAL)))
    assert "0.40 to 1.70 million parameters; the paper's smallest has 5.3" in text
    assert "on three runs of each network" in text
    assert "the same 4,000 views" in text
    assert "only on the 153 of 300 scenes" in text
    assert "4 × 4 (Wider), 8 × 8 (Higher resolution) and 4 × 4 (Compound) cells" in text
    assert "\n" not in text


def test_a_pair_seen_from_either_side(tmp_path: Path) -> None:
    results = loaded(tmp_path, made(RISING))
    pair = results.against_others("baseline", RELEVANCE)[-1]
    assert (pair.one, pair.other) == ("compound", "baseline")
    assert (pair.value, pair.low, pair.high) == pytest.approx((-0.2, -0.22, -0.18))
    assert pair.clear
    assert not results.against_others("baseline", RELEVANCE)[0].seen_from("depth").high < 0
