"""The caveats, on maps made to have it and on maps made not to have it."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from numpy.typing import NDArray

from effnet_viz import Analysis, Model, analyse
from effnet_viz.analysis import caveats
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Method
from tests.choices import one_of_many
from tests.conftest import SAMPLES, eager

Floats = NDArray[np.float32]

Y, X = np.mgrid[:14, :14].astype(np.float32)
BLOB = np.exp(-((X - 6) ** 2 + (Y - 7) ** 2) / 12).astype(np.float32)
"""What a map of an object looks like: one smooth hill."""
SIGNS = np.where((X + Y) % 2 == 0, 1, -1).astype(np.float32)
NOISE = np.random.default_rng(0).normal(size=(14, 14)).astype(np.float32)


def found(cat: Analysis, evidence: Floats) -> set[str]:
    """Keys of the caveats about a map, as if it were the cat's."""
    return {caveat.key for caveat in caveats_of(cat, evidence, 5, methods.GRAD_CAM)}


def caveats_of(
    analysis: Analysis, values: Floats, stage: int = 9, method: Method = methods.CAM
) -> tuple[caveats.Caveat, ...]:
    """Caveats about a map, as if it were the analysis's own."""
    attribution = dataclasses.replace(
        analysis.attribute(), values=values, stage=stage, method=method
    )
    return caveats.caveats(analysis, attribution)


def peaks(*places: tuple[int, int]) -> Floats:
    evidence = np.zeros((14, 14), np.float32)
    for row, column in places:
        evidence[row : row + 2, column : column + 2] = 1
    return evidence


def frame() -> Floats:
    """Left, right and upper border, hottest away from the corners."""
    evidence = ((X < 2) | (X > 11) | (Y < 2)).astype(np.float32)
    return evidence - 0.5 * peaks((0, 0), (0, 12), (12, 0), (12, 12))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        pytest.param(BLOB, set(), id="an object"),
        pytest.param(BLOB - 0.5, set(), id="an object and what speaks against it"),
        pytest.param(BLOB[:7, :7], set(), id="an object in the corner of a small map"),
        pytest.param(peaks((6, 6)), set(), id="one sharp peak"),
        pytest.param(NOISE, set(), id="noise"),
        pytest.param(BLOB + 0.5 * SIGNS, {"checkerboard"}, id="checkerboard over an object"),
        pytest.param(SIGNS[:7, :7], {"checkerboard"}, id="nothing but a checkerboard"),
        pytest.param(
            BLOB + 0.5 * np.where(X % 2 == 0, 1, -1).astype(np.float32),
            {"checkerboard"},
            id="stripes down",
        ),
        pytest.param(
            BLOB + 0.5 * np.where(Y % 2 == 0, 1, -1).astype(np.float32),
            {"checkerboard"},
            id="stripes across",
        ),
        pytest.param(BLOB + 0.02 * SIGNS, set(), id="a checkerboard that nobody sees"),
        pytest.param(peaks((0, 0), (0, 12), (12, 0)), {"corners"}, id="three corners"),
        pytest.param(peaks((0, 0), (0, 12), (12, 0), (12, 12)), {"corners"}, id="four corners"),
        pytest.param(peaks((0, 0), (0, 12)), set(), id="two corners"),
        pytest.param(
            0.05 * BLOB + frame(),
            {"borders"},
            id="three borders",
        ),
        pytest.param(BLOB + (X < 2).astype(np.float32), set(), id="an object along one side"),
        pytest.param(-BLOB, {"negative"}, id="everything against the class"),
        pytest.param(BLOB - 1.2, {"negative"}, id="an object that speaks against it least"),
        pytest.param(np.full((7, 7), 3.0, np.float32), {"flat"}, id="the same everywhere"),
        pytest.param(100 + NOISE / 20, {"flat"}, id="nearly the same everywhere"),
        pytest.param(100 + NOISE, set(), id="a little different everywhere"),
        pytest.param(np.zeros((7, 7), np.float32), {"flat", "negative"}, id="zeros"),
        pytest.param(SIGNS[:2, :2], set(), id="too few cells to tell"),
    ],
)
def test_findings_about_a_map(cat: Analysis, evidence: Floats, expected: set[str]) -> None:
    assert found(cat, evidence.astype(np.float32)) == expected


def test_a_finding_has_a_title_and_two_sentences(cat: Analysis) -> None:
    findings = [
        *caveats_of(cat, SIGNS, 5, methods.GRAD_CAM),
        *caveats_of(cat, peaks((0, 0), (0, 12), (12, 0)), 5, methods.GRAD_CAM),
        *caveats_of(cat, np.zeros((7, 7), np.float32)),
        *caveats_of(cat.for_target("espresso"), BLOB),
        *caveats_of(analyse(SAMPLES / "cat.jpg", untrained()), BLOB),
        *caveats_of(analyse(SAMPLES / "cat.jpg", eager("lite0-r96")), BLOB),
    ]
    assert len({finding.key for finding in findings}) == 7
    for finding in findings:
        assert len(re.findall(r"[a-z)]\.(?: |$)", finding.text)) == 2, finding.text
        assert len(finding.title.split()) <= 8
    assert "Grad-CAM at stage 5" in findings[0].text


def untrained() -> Model:
    return eager("lite0", untrained=True)


def test_an_improbable_class(cat: Analysis) -> None:
    assert "improbable" not in found(cat, BLOB)
    espresso = cat.for_target("espresso")
    assert espresso.target.probability < caveats.IMPROBABLE
    (finding,) = caveats_of(espresso, BLOB)
    assert finding.key == "improbable"
    assert "espresso" in finding.text


def test_untrained_weights() -> None:
    result = analyse(SAMPLES / "cat.jpg", untrained())
    assert "untrained" in {f.key for f in caveats_of(result, BLOB)}


def test_another_resolution_than_the_weights_own(cat: Analysis) -> None:
    assert "resolution" not in found(cat, BLOB)
    small = analyse(SAMPLES / "cat.jpg", eager("lite0-r96"))
    (finding,) = [f for f in caveats_of(small, BLOB) if f.key == "resolution"]
    assert "224 px" in finding.text
    assert "96 px" in finding.text
    # Random weights have no resolution of their own.
    blank = analyse(SAMPLES / "cat.jpg", eager("lite0-r96", untrained=True))
    assert "resolution" not in {f.key for f in caveats_of(blank, BLOB)}


@pytest.mark.parametrize("key", one_of_many(["lite0", "lite1", "lite2"], ["lite0"]))
@pytest.mark.parametrize("sample", ["cat", "espresso", "palace"])
def test_nothing_is_wrong_with_the_samples_at_the_last_stage(key: str, sample: str) -> None:
    result = analyse(SAMPLES / f"{sample}.jpg", eager(key))
    assert caveats_of(result, result.cam) == ()


def test_a_real_map_has_no_checkerboard_at_earlier_stages(cat: Analysis) -> None:
    for stage in (4, 6, 8):
        assert "checkerboard" not in found(cat, cat.grad_cam(stage))
