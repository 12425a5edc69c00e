"""Weight files on the disk: regular, bounded, read once, known by their hash."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from effnet_viz.models import fetching, files, weights
from effnet_viz.models.weights import Readiness, RefusedFileError
from tests.models.weight_files import CONTENT, PATIENCE, entry_with, named, place

pytestmark = pytest.mark.usefixtures("own_folder")

LIMIT = len(CONTENT)


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of every file that is read in full only to be hashed, in order."""
    read: list[int] = []
    real = files._sha256

    def counted(file: BinaryIO, size: int) -> tuple[str, int]:
        read.append(size)
        return real(file, size)

    monkeypatch.setattr(files, "_sha256", counted)
    return read


# Hashes


def test_an_unchanged_file_is_read_only_once(hashings: list[int], closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    place(weight, CONTENT)
    assert files.verified(weight) == files.verified(weight) is not None
    assert fetching.readiness(entry_with(weight)) is Readiness.READY
    assert hashings == [LIMIT]


def test_a_changed_file_is_noticed(hashings: list[int], closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    path = place(weight, CONTENT)
    assert files.verified(weight) is not None

    path.write_bytes(CONTENT[:-1])
    assert files.verified(weight) is None
    place(weight, CONTENT)
    assert files.verified(weight) is not None
    path.unlink()
    assert files.verified(weight) is None
    assert hashings == [LIMIT, LIMIT - 1, LIMIT]


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "by another file"])
def test_other_content_of_the_same_size_and_time_is_noticed(
    in_place: bool, closed_url: str, tmp_path: Path
) -> None:
    weight = named(closed_url, CONTENT)
    path = place(weight, CONTENT)
    assert files.verified(weight) is not None
    before = path.stat()
    time.sleep(0.02)  # the clock of the file system is as coarse as 10 ms
    other = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    if in_place:
        path.write_bytes(other)
    else:
        (tmp_path / "other").write_bytes(other)
        (tmp_path / "other").replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert files.verified(weight) is None


def test_two_threads_asking_at_once_hash_once(
    monkeypatch: pytest.MonkeyPatch, closed_url: str
) -> None:
    weight = named(closed_url, CONTENT)
    place(weight, CONTENT)
    real = files._sha256
    hashing: list[int] = []
    second = threading.Event()

    def slow(file: BinaryIO, size: int) -> tuple[str, int]:
        hashing.append(1)
        if len(hashing) == 2:
            second.set()
        second.wait(0.3)  # long enough for the other thread to come in, if it can
        return real(file, size)

    monkeypatch.setattr(files, "_sha256", slow)
    answers: list[weights.WeightFile | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(files.verified(weight))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(hashing) == 1
    assert len(answers) == 2
    assert answers[0] == answers[1] is not None


def test_what_is_read_is_what_is_hashed(hashings: list[int], tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(CONTENT)
    found = files.read(path, LIMIT)
    assert found.data == CONTENT
    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert files.identify(path, LIMIT).sha256 == found.sha256
    assert hashings == []  # remembered since it was read


# What is not read


def test_a_file_larger_than_the_limit_is_not_read(hashings: list[int], tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 10**12)  # a hole
    for take in (files.read, files.identify):
        with pytest.raises(RefusedFileError, match=r"953,674\.3 MB instead of 0\.2 MB at most"):
            take(path, LIMIT)
    assert hashings == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("take", [files.read, files.identify])
def test_only_regular_files_are_read_and_nobody_waits(
    take: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(take)
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most a hundred characters
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("zeros").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for name, kind in (
            ("folder", "a folder"), ("pipe", "a named pipe"), ("zeros", "a device"),
            ("socket", "a socket"),
        ):  # fmt: skip
            with pytest.raises(RefusedFileError, match=f"is {kind}, not a regular file"):
                take(Path(name), LIMIT)
    Path("nowhere").symlink_to("absent")
    with pytest.raises(RefusedFileError, match=r"cannot be read \(No such file or directory\)"):
        take(Path("nowhere"), LIMIT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_put_there_after_the_first_look_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular, pipe = tmp_path / "regular", tmp_path / "pipe"
    regular.touch()
    os.mkfifo(pipe)
    looked = regular.stat()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", lambda _: looked)
        with pytest.raises(RefusedFileError, match="is a named pipe"):
            files.read(pipe, LIMIT)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(CONTENT)
    (tmp_path / "link").symlink_to("there")
    assert files.read(tmp_path / "link", LIMIT).data == CONTENT


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(CONTENT[:-1])
    real = files._sha256

    def slow(file: BinaryIO, size: int) -> tuple[str, int]:
        path.write_bytes(CONTENT)
        return real(file, size)

    monkeypatch.setattr(files, "_sha256", slow)
    with pytest.raises(RefusedFileError, match="changed while it was being read"):
        files.identify(path, LIMIT)
    monkeypatch.setattr(files, "_sha256", real)
    assert files.identify(path, LIMIT).sha256 == hashlib.sha256(CONTENT).hexdigest()
