"""A thousand hostile files pass; and what must not happen would be noticed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter

import numpy as np
import pytest

from effnet_viz.images.decode import decode
from effnet_viz.images.guarded import decode_guarded
from effnet_viz.images.photograph import ImageError, Photograph
from tools.fuzz import __main__, report
from tools.fuzz.bombs import BOMBS
from tools.fuzz.corpus import SHARES, Corpus
from tools.fuzz.mutations import MUTATIONS, fields
from tools.fuzz.originals import ORIGINALS, original
from tools.fuzz.runner import FAULTS, REFUSED, SHOWN, Outcome, run

FILES = 1000
PATIENCE = 60.0


def test_a_thousand_files_are_shown_or_refused() -> None:
    corpus = Corpus(seed=1)
    numbers = range(FILES)
    outcomes = list(run(corpus, decode_guarded, numbers, workers=2, patience=PATIENCE))
    text = report.markdown(outcomes, corpus)
    assert report.faults(outcomes) == [], text
    assert sorted(outcome.number for outcome in outcomes) == list(numbers)
    labels = {outcome.number: corpus.label(outcome.number) for outcome in outcomes}
    assert {label.kind for label in labels.values()} == set(SHARES)
    assert {label.subject for label in labels.values()} >= set(ORIGINALS) | set(BOMBS)
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    for outcome in outcomes:
        if labels[outcome.number].kind == "as it was":
            assert outcome.verdict == SHOWN
    assert min(verdicts.values()) > FILES // 5
    assert f"| all | {FILES:,} |" in text


# That faults are noticed ----------------------------------------------------------------------

SMALL = Corpus(seed=5)
FIRST = 10
WHAT = (*FAULTS, REFUSED, SHOWN)


def bad(content: bytes) -> Photograph:
    """Does with the first files of a corpus each of the things that must not happen."""
    numbers = range(FIRST, FIRST + len(WHAT))
    found = [what for n, what in zip(numbers, WHAT, strict=True) if SMALL.content(n) == content]
    match found:
        case ["crash"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["hang"]:
            time.sleep(PATIENCE)
        case ["foreign exception"]:
            raise KeyError("width")
        case ["foreign words"]:
            raise ImageError('Traceback (most recent call last):\n  File "decode.py".')
        case ["growth"]:
            bytearray(200_000_000).count(1)
        case ["refused"]:
            raise ImageError("This file is empty; choose another picture.")
    return decode(original("PNG"))


def test_whatever_must_not_happen_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = range(FIRST, FIRST + len(WHAT))
    outcomes = list(run(SMALL, bad, numbers, workers=2, patience=2))
    assert {outcome.number: outcome.verdict for outcome in outcomes} == dict(
        zip(numbers, WHAT, strict=True)
    )
    messages = {outcome.verdict: outcome.message for outcome in outcomes}
    assert messages["crash"] == "SIGKILL"
    assert "KeyError('width')" in messages["foreign exception"]
    assert len(report.faults(outcomes)) == len(FAULTS)
    text = report.markdown(outcomes, SMALL)
    assert f"{len(FAULTS)} faults among the files of seed 5" in text
    for number in range(FIRST, FIRST + len(FAULTS)):
        assert f"- file {number} (" in text

    monkeypatch.setattr(__main__, "run", lambda *_, **__: iter(outcomes))
    monkeypatch.setattr(sys, "argv", ["fuzz", "--files", str(len(WHAT)), "--seed", "5"])
    assert __main__.main() == 1
    assert capsys.readouterr().out == text
    monkeypatch.setattr(__main__, "run", lambda *_, **__: iter(outcomes[-2:]))
    assert __main__.main() == len(report.faults(outcomes[-2:]))


def broken(_: bytes) -> Photograph:
    os._exit(3)


def test_a_process_that_never_starts_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="exit 3"):
        list(run(SMALL, broken, range(3), workers=1, patience=30))


# The files ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_file_is_made_of_its_seed_and_number() -> None:
    numbers = range(100)
    one = [Corpus(3).content(number) for number in numbers]
    assert one == [Corpus(3).content(number) for number in numbers]
    other = [Corpus(4).content(number) for number in numbers]
    assert sum(a != b for a, b in zip(one, other, strict=True)) > 80
    assert len(set(one)) > 90


@pytest.mark.parametrize("name", ORIGINALS)
def test_headers_that_lie_differ_in_few_bytes(name: str) -> None:
    """Fields lie within the file, and their claims change it."""
    content = original(name)
    if not content.startswith(b"P"):
        found = list(fields(content))
        assert len(found) > 10
        assert all(0 <= field.start <= len(content) - field.size for field in found)
    lies = {MUTATIONS["lying header"](content, np.random.default_rng(n)) for n in range(30)}
    assert len(lies) > 10
    assert abs(len(min(lies, key=len)) - len(content)) < 200


def test_outcomes_of_one_kind_are_one_row() -> None:
    outcomes = [Outcome(0, SHOWN, 0.5, 2_000_000, "9 × 9"), Outcome(1, REFUSED, 0.1, 0, "No.")]
    row = report.markdown(outcomes, Corpus(0)).splitlines()[2]
    subject = Corpus(0).label(0).subject
    assert row == f"| as it was | 2 | 1 | 1 | 0.50 {subject} | 2 |"
