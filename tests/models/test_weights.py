"""Weight files: where they are, and whether their content is the published one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from effnet_viz.models import checkpoints, weights, zoo
from effnet_viz.models.weights import Readiness
from tests.models.weight_files import CONTENT, PATIENCE, entry_with, named, place

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that is read in full to be hashed, in order."""
    read: list[Path] = []
    real = weights._sha256

    def counted(path: Path) -> str:
        read.append(path)
        return real(path)

    monkeypatch.setattr(weights, "_sha256", counted)
    return read


# Where files are


def test_the_folder_is_the_one_torch_uses(tmp_path: Path) -> None:
    assert weights.folder() == tmp_path / "torch" / "hub" / "checkpoints"


@pytest.mark.parametrize("entry", zoo.MODELS.values(), ids=lambda entry: entry.key)
def test_every_weight_file_of_the_zoo_carries_its_hash(entry: zoo.ModelEntry) -> None:
    filename = entry.weights.filename
    assert len(weights.hash_prefix(filename)) == 8
    path = weights.path_of(entry.weights)
    assert path is not None
    assert path.name == filename


# Integrity


def test_an_unchanged_file_is_read_only_once(hashings: list[Path], closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    path = place(weight, CONTENT)
    assert weights.verified(weight) == weights.verified(weight) is not None
    assert checkpoints.readiness(entry_with(weight)) is Readiness.READY
    assert hashings == [path]


def test_a_changed_file_is_noticed(hashings: list[Path], closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    path = place(weight, CONTENT)
    assert weights.verified(weight) is not None

    seconds = path.stat().st_mtime
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))  # same size, one bit
    os.utime(path, (seconds + 1, seconds + 1))
    assert weights.verified(weight) is None

    path.write_bytes(CONTENT[:-1])  # same time, other size
    os.utime(path, (seconds + 1, seconds + 1))
    assert weights.verified(weight) is None

    place(weight, CONTENT)
    assert weights.verified(weight) is not None
    path.unlink()
    assert weights.verified(weight) is None
    assert len(hashings) == 4


def test_two_threads_asking_at_once_hash_once(
    monkeypatch: pytest.MonkeyPatch, closed_url: str
) -> None:
    weight = named(closed_url, CONTENT)
    place(weight, CONTENT)
    real = weights._sha256
    hashing: list[int] = []
    second = threading.Event()

    def slow(path: Path) -> str:
        hashing.append(1)
        if len(hashing) == 2:
            second.set()
        second.wait(0.3)  # long enough for the other thread to come in, if it can
        return real(path)

    monkeypatch.setattr(weights, "_sha256", slow)
    answers: list[weights.WeightFile | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(weights.verified(weight))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(hashing) == 1
    assert len(answers) == 2
    assert answers[0] == answers[1] is not None
