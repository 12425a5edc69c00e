"""A file is whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from effnet_viz.writing import leftovers, written_whole


def test_it_comes_with_all_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    with written_whole(path) as file:
        file.write(b"one ")
        assert not path.exists()
        assert len(leftovers(path)) == 1
        file.write(b"two")
    assert path.read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == [path]


def test_two_at_once_leave_one_of_both(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    with written_whole(path) as first, written_whole(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert path.read_bytes() == b"first"  # its block ended last
    assert list(tmp_path.iterdir()) == [path]


def write_badly(path: Path) -> None:
    with written_whole(path) as file:
        file.write(b"new")
        full(0)


def write(path: Path) -> None:
    with written_whole(path) as file:
        file.write(b"new")


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("attempt", [write_badly, write])
def test_what_fails_leaves_what_was_there(
    attempt: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        attempt(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
