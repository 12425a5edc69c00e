"""Checkpoints that visitors have opened: in memory alone, found by nobody but by key.

Who has opened what, and how much all may take, is `serving.uploads`'s.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from effnet_viz.models.advice import display_name
from effnet_viz.models.weights import HeldFile, WeightsError
from effnet_viz.models.zoo import ModelEntry, UnknownModelError

PREFIX = "upload-"
"""What the keys of opened checkpoints begin with."""


class NotHeldError(UnknownModelError, WeightsError):
    """A checkpoint that is open no longer; the message says what to do."""


class Checkpoint(NamedTuple):
    """A network and the file that it came in."""

    entry: ModelEntry
    data: bytes


_held: dict[str, Checkpoint] = {}

_lock = threading.Lock()


def hold(checkpoint: Checkpoint) -> None:
    """Keeps it under its key. One that is there under this key is the same, and stays."""
    with _lock:
        _held.setdefault(checkpoint.entry.key, checkpoint)


def release(key: str) -> None:
    """Lets go of it. Nothing happens where there is none."""
    with _lock:
        _held.pop(key, None)


def find(key: str) -> Checkpoint:
    """Raises NotHeldError."""
    with _lock:
        found = _held.get(key)
    if found is None:
        raise NotHeldError(
            f"The checkpoint {display_name(key)} is not open any more. Open its file again, or "
            "choose another model."
        )
    return found


def release_all() -> None:
    """Lets go of every one."""
    with _lock:
        _held.clear()


def is_held(key: str) -> bool:
    """Whether it is open."""
    with _lock:
        return key in _held


def content(weights: HeldFile) -> bytes | None:
    """The bytes of the file; None where nobody has it open any more."""
    with _lock:
        found = (one.data for one in _held.values() if one.entry.weights == weights)
        return next(found, None)
