"""What is said of one explanation: on maps made by hand, and on a sample photograph."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effnet_viz import Analysis, analyse
from effnet_viz.analysis import verdict
from effnet_viz.analysis.explanation import Explanation, starting_stage
from effnet_viz.analysis.faithfulness import (
    HottestBlurred,
    blur_hottest,
    deletion_insertion,
)
from effnet_viz.analysis.words import NO_BREAK
from effnet_viz.arrays import Floats, Placement
from effnet_viz.images.decode import decode
from effnet_viz.metrics.place import place
from effnet_viz.records import Prediction
from tests.conftest import SAMPLES, eager

SIDE = 64


def hill(x: float, y: float, width: float = 0.1) -> Floats:
    """A smooth hill with its top at a place in shares of the sides."""
    position = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    squares = (position[None, :] - x) ** 2 + (position[:, None] - y) ** 2
    return np.exp(-squares / (2 * width**2)).astype(np.float32)


def words_of(values: Floats) -> str | None:
    found = place(values)
    assert found is not None
    return verdict.place_in_words(found)


def with_values(explanation: Explanation, values: Floats) -> Explanation:
    """The same with another map, whose cells fill the square evenly."""
    even = Placement.even(len(values))
    attribution = dataclasses.replace(explanation.attribution, values=values, placement=even)
    return dataclasses.replace(explanation, attribution=attribution)


def spaced(text: str) -> str:
    return text.replace(NO_BREAK, " ")


@pytest.fixture
def explanation(cat: Analysis) -> Explanation:
    return Explanation(cat, cat.attribute())


# Where


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param(hill(0.5, 0.5), "in the middle", id="middle"),
        pytest.param(hill(0.53, 0.48), "in the middle", id="less off than a map can tell"),
        pytest.param(hill(0.35, 0.5), "left of the middle", id="left"),
        pytest.param(hill(0.65, 0.5), "right of the middle", id="right"),
        pytest.param(hill(0.5, 0.35), "above the middle", id="above"),
        pytest.param(hill(0.5, 0.65), "below the middle", id="below"),
        pytest.param(hill(0.35, 0.65), "left and below the middle", id="left and below"),
        pytest.param(hill(0.65, 0.35), "right and above the middle", id="right and above"),
        pytest.param(hill(0.5, 0.05), "at the top edge", id="top"),
        pytest.param(hill(0.5, 0.95), "at the bottom edge", id="bottom"),
        pytest.param(hill(0.05, 0.5), "at the left edge", id="left edge"),
        pytest.param(hill(0.95, 0.05), "in the top right corner", id="corner"),
        pytest.param(hill(0.05, 0.95), "in the bottom left corner", id="other corner"),
        pytest.param(hill(0.95, 0.65), "at the right edge, below the middle", id="edge and side"),
        pytest.param(hill(0.35, 0.05), "at the top edge, left of the middle", id="top and side"),
        pytest.param(np.eye(8, dtype=np.float32), None, id="from corner to corner"),
        pytest.param(hill(0.2, 0.5) + hill(0.8, 0.5), None, id="two regions far apart"),
        pytest.param(1.1 * hill(0.1, 0.5) + hill(0.9, 0.5), None, id="one of them stronger"),
        pytest.param(hill(0.1, 0.2) + hill(0.1, 0.8), "at the left edge", id="far apart, one side"),
        pytest.param(
            hill(0.1, 0.1) + hill(0.9, 0.1) + hill(0.1, 0.9) + hill(0.9, 0.9), None, id="corners"
        ),
        pytest.param(hill(0.45, 0.45, 2), None, id="spread out"),
        pytest.param(np.ones((7, 7), np.float32), None, id="the same everywhere"),
    ],
)
def test_place_in_words(values: Floats, words: str | None) -> None:
    assert words_of(values) == words


@given(st.integers(0, 2**32 - 1))
def test_a_place_is_true_of_two_thirds(seed: int) -> None:
    """Whatever the map: a side that is named holds two thirds of what the place is about."""
    random = np.random.default_rng(seed)
    hills = (hill(*random.uniform(0, 1, 2), random.uniform(0.03, 0.3)) for _ in range(3))
    values = sum(random.uniform(0, 1) * one for one in hills)
    found = place(values)
    assert found is not None
    words = verdict.place_in_words(found) or ""
    shares = {
        "left": found.x.first_half,
        "right": 1 - found.x.first_half,
        "top": found.y.first_half,
        "above": found.y.first_half,
        "bottom": 1 - found.y.first_half,
        "below": 1 - found.y.first_half,
    }
    for word, share in shares.items():
        if word in words:
            assert share >= 2 / 3 - 1e-6
    mirrored = words_of(values[:, ::-1]) or ""
    swapped = words.replace("left", "?").replace("right", "left").replace("?", "right")
    assert mirrored == swapped


# Sentences


def prediction(probability: float, label: str = "tiger cat") -> Prediction:
    return Prediction(0, label, probability, 0.0)


def test_headline() -> None:
    assert spaced(verdict.headline(prediction(0.388))) == "Tiger cat, 39 % sure"
    assert spaced(verdict.headline(prediction(0.9999))) == "Tiger cat, over 99 % sure"
    assert spaced(verdict.headline(prediction(0.004))) == "Tiger cat, below 1 %"
    assert spaced(verdict.headline(prediction(1e-6, "espresso"))) == "Espresso, below 0.1 %"
    untrained = verdict.headline(prediction(0.388), trained=False)
    assert untrained == "Untrained: its answers are chance"


def test_guess(cat: Analysis) -> None:
    assert verdict.guess(cat, cat.predictions[0]) == "Its first guess of 1000."
    assert verdict.guess(cat, cat.predictions[2]) == "Its third guess of 1000."
    assert verdict.guess(cat, cat.predictions[459]) == "Its 460th guess of 1000."


def test_evidence_has_the_share_of_the_concentration(explanation: Explanation) -> None:
    area = round(100 * explanation.concentration.area)
    assert spaced(verdict.evidence(explanation)) == (
        f"Half of the evidence lies on {area} % of the picture, left of the middle."
    )


def test_evidence_on_made_maps(explanation: Explanation) -> None:
    one_cell = np.zeros((7, 7), np.float32)
    one_cell[3, 3] = 1
    said = spaced(verdict.evidence(with_values(explanation, one_cell)))
    assert said.startswith("Half of the evidence lies on ")
    assert said.endswith(" % of the picture, in the middle.")
    corners = np.zeros((7, 7), np.float32)
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = 1
    assert spaced(verdict.evidence(with_values(explanation, corners))).endswith(
        " % of the picture."
    )
    slope = np.tile(np.linspace(1, 1.1, 64, dtype=np.float32), (64, 1))
    assert spaced(verdict.evidence(with_values(explanation, slope))) == (
        "Half of the evidence lies on 49 % of the picture."
    )
    fine = np.zeros((256, 256), np.float32)
    fine[8:24, 8:24] = 1
    assert spaced(verdict.evidence(with_values(explanation, fine))) == (
        "Half of the evidence lies on less than 1 % of the picture, in the top left corner."
    )


@pytest.mark.parametrize("level", [-1.0, 0.0])
def test_no_evidence(explanation: Explanation, level: float) -> None:
    against = with_values(explanation, np.full((7, 7), level, np.float32))
    assert verdict.evidence(against) == "Nothing in the picture speaks for tiger cat."


def test_next_to_no_evidence(explanation: Explanation) -> None:
    values = np.full((7, 7), -1, np.float32)
    values[0, 0] = 0.2
    assert verdict.evidence(with_values(explanation, values)).startswith("Nothing in the picture")


# Weak evidence


def test_weak_evidence_of_a_real_photograph(cat: Analysis) -> None:
    espresso = cat.attribute("cam", target="espresso")
    own = cat.attribute("cam")
    weak = verdict.weak_evidence(cat, espresso)
    assert weak is not None
    assert weak.strongest == espresso.values.max()
    assert weak.own_strongest == weak.upper == own.values.max()
    assert weak.sentence == "Strongest cell 2.0, against 19.5 for its own answer, tiger cat."
    assert verdict.weak_evidence(cat, espresso, own) == weak


def test_weak_evidence_is_not_said_where_it_would_not_help(cat: Analysis) -> None:
    espresso, own = cat.attribute("cam", target="espresso"), cat.attribute("cam")
    strong = dataclasses.replace(espresso, values=0.5 * own.values)
    almost = dataclasses.replace(espresso, values=np.float32(0.49) * own.values)
    against = dataclasses.replace(espresso, values=-np.abs(espresso.values))
    assert verdict.weak_evidence(cat, strong, own) is None
    assert verdict.weak_evidence(cat, almost, own) is not None
    assert verdict.weak_evidence(cat, against, own) is None
    assert verdict.weak_evidence(cat, own) is None
    lynx = cat.attribute("cam", target="lynx")  # 1.6 %
    weaker = dataclasses.replace(lynx, values=lynx.values / 100)
    assert verdict.weak_evidence(cat, weaker) is None


def test_random_weights_have_no_answer_of_their_own() -> None:
    untrained = analyse(
        SAMPLES / "cat.jpg", eager("b0-w0.25-d0.25-r64", untrained=True), "espresso"
    )
    assert untrained.target.probability < 0.01
    attribution = untrained.attribute()
    weak = dataclasses.replace(attribution, values=attribution.values / 1000)
    assert verdict.weak_evidence(untrained, weak) is None
    said = verdict.verdict(Explanation(untrained, attribution))
    assert said.headline == "Untrained: its answers are chance"
    assert said.weak is None


def test_all_of_it(cat: Analysis) -> None:
    said = verdict.verdict(Explanation(cat, cat.attribute("grad-cam", 8, "espresso")))
    assert spaced(said.headline) == "Espresso, below 0.1 %"
    assert said.guess == "Its 460th guess of 1000."
    assert said.evidence.startswith("Half of the evidence lies on ")
    assert said.weak is not None
    assert said.weak.own_strongest == cat.attribute("grad-cam", 8).values.max()


# Blurring the hottest tenth


def test_the_hottest_tenth_lies_on_the_curve_of_deletion(explanation: Explanation) -> None:
    photograph = decode(SAMPLES / "cat.jpg")
    change = blur_hottest(explanation, photograph)
    deletion = deletion_insertion(explanation, photograph).deletion
    at_a_tenth = deletion.probabilities[deletion.fractions.index(0.1)]
    assert change.before == explanation.analysis.target
    assert change.after.index == change.before.index
    assert change.after.probability == pytest.approx(at_a_tenth, rel=1e-6)
    assert spaced(verdict.blurred(change) or "") == "Blur the hottest tenth, and 39 % becomes 29 %."


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (0.388, 0.29, "Blur the hottest tenth, and 39 % becomes 29 %."),
        (0.388, 0.42, "Blur the hottest tenth, and 39 % becomes 42 %."),
        (0.388, 0.391, "Blur the hottest tenth, and it stays at 39 %."),
        (0.999, 0.997, "Blur the hottest tenth, and it stays at over 99 %."),
        (0.999, 0.004, "Blur the hottest tenth, and over 99 % becomes below 1 %."),
        (0.012, 0.004, "Blur the hottest tenth, and 1 % becomes below 1 %."),
        (0.004, 0.05, "Blur the hottest tenth, and below 1 % becomes 5 %."),
        (0.004, 0.0001, None),
    ],
)
def test_blurred(before: float, after: float, sentence: str | None) -> None:
    said = verdict.blurred(HottestBlurred(prediction(before), prediction(after)))
    assert (said and spaced(said)) == sentence


# Where to start


def test_only_the_starting_stage_tells_two_objects_apart() -> None:
    """Cat and espresso side by side: two thirds of either class's evidence lies on its side."""
    analysis = analyse(SAMPLES / "cat-and-espresso.jpg", eager("lite0"))
    last = analysis.model.last_stage
    apart = []
    for stage in range(3, last):
        shares = []
        for label, side in (
            ("tiger cat", np.s_[:, : SIDE // 2]),
            ("espresso", np.s_[:, SIDE // 2 :]),
        ):
            seen = Explanation(analysis, analysis.attribute("grad-cam", stage, label)).seen
            positive = np.maximum(seen, 0)  # (GRID, GRID)
            shares.append(positive[side].sum() / positive.sum())
        if min(shares) > 2 / 3:
            apart.append(stage)
    assert apart == [starting_stage(analysis.model)] == [8]
