"""Weight files as they lie on the disk: regular, of a known size, read once, with their hash.

Nothing is mapped into memory: a mapped file that somebody shortens or writes anew kills the process
that reads it (SIGBUS). What is hashed on the way to a network are the very bytes that are loaded.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from effnet_viz.models.weights import (
    PublishedFile,
    RefusedFileError,
    WeightFile,
    hash_prefix,
    path_of,
    published_size,
)


@dataclass(frozen=True)
class FileContent(WeightFile):
    """A file with all its bytes."""

    data: bytes = field(repr=False)


Found = TypeVar("Found", bound=WeightFile)


def read(path: Path, limit: int) -> FileContent:
    """All bytes of a regular file of at most `limit` bytes, and their hash.

    Raises RefusedFileError for anything else, and for a file that changes meanwhile.
    """
    with _opened(path, limit) as (file, before):
        data = file.read(before.st_size + 1)
        after = _state(os.fstat(file.fileno()))
    sha256 = hashlib.sha256(data).hexdigest()
    _check_unchanged(_state(before), after, len(data))
    digest = _digest_of(path)
    with digest.lock:
        digest.state, digest.sha256 = after, sha256
    return FileContent(path, sha256, data)


def identify(path: Path, limit: int) -> WeightFile:
    """The file with its hash. An unchanged file is read only once. Raises as `read` does."""
    digest = _digest_of(path)
    with digest.lock, _opened(path, limit) as (file, before):
        if digest.state != _state(before):
            sha256, count = _sha256(file, before.st_size)
            _check_unchanged(_state(before), _state(os.fstat(file.fileno())), count)
            digest.state, digest.sha256 = _state(before), sha256
        return WeightFile(path, digest.sha256)


def agreeing(path: Path, limit: int, take: Callable[[Path, int], Found]) -> Found | None:
    """What `take` finds, if its hash is the one in its name; None when absent or damaged."""
    try:
        found = take(path, limit)
    except RefusedFileError:
        return None
    return found if found.sha256.startswith(hash_prefix(path.name)) else None


def verified(weights: PublishedFile) -> WeightFile | None:
    """The published file with its hash; None when absent or damaged."""
    path = path_of(weights)
    return None if path is None else agreeing(path, published_size(weights), identify)


# Opening

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def _opened(path: Path, limit: int) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    try:
        _check_regular(path.stat())  # before opening: some devices act when they are opened
        with open(path, "rb", opener=_open_at_once) as file:
            found = os.fstat(file.fileno())  # of what was opened, whatever the path leads to now
            _check_regular(found)
            if found.st_size > limit:
                raise RefusedFileError(
                    f"is too large to be this network's weights: {_megabytes(found.st_size)} "
                    f"instead of {_megabytes(limit)} at most",
                    "Save the network's state dict alone, without the optimizer's state",
                )
            yield file, found
    except OSError as error:
        raise RefusedFileError(
            f"cannot be read ({error.strerror or error})",
            "Give the account that runs effnet-viz the right to read it, or copy it again",
        ) from error


def _open_at_once(path: str, flags: int) -> int:
    """Without waiting for whoever writes, should the path lead to a pipe by now."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # which Windows does not have


def _check_regular(found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    kind = next((words for is_kind, words in _KINDS if is_kind(found.st_mode)), "something else")
    raise RefusedFileError(
        f"is {kind}, not a regular file", "Put the checkpoint itself, or a link to it, in its place"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.1f} MB"


# Hashes

State = tuple[int, int, int, int, int]


def _state(found: os.stat_result) -> State:
    """What differs when the content does: who keeps size and time cannot keep the time of change
    (ctime), and another file has another number."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def state_of(path: Path) -> State:
    """What differs when the content of the file does. Raises OSError."""
    return _state(path.stat())


@dataclass
class _Digest:
    """What is remembered of one file; the lock makes simultaneous questions read it once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    state: State | None = None
    sha256: str = ""


_digests: dict[Path, _Digest] = {}

_digests_lock = threading.Lock()
"""Guards the dictionary, never a slow step."""

_CHUNK = 1024**2


def _digest_of(path: Path) -> _Digest:
    with _digests_lock:
        return _digests.setdefault(path, _Digest())


def _sha256(file: BinaryIO, size: int) -> tuple[str, int]:
    """The hash of the first `size` bytes, and how many there were: a growing file has an end."""
    digest, count = hashlib.sha256(), 0
    while chunk := file.read(min(_CHUNK, size - count)):
        digest.update(chunk)
        count += len(chunk)
    return digest.hexdigest(), count


def _check_unchanged(before: State, after: State, count: int) -> None:
    size = before[2]
    if before != after or count != size:
        raise RefusedFileError(
            "changed while it was being read",
            "Wait until it is completely written, then try again",
        )
