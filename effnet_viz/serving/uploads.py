"""Checkpoints that visitors have opened: one for each visitor, within a number of bytes for all.

They are in memory alone. When room is needed, the one that was used longest ago goes first; its
visitor reads that it is not open any more.
"""

from __future__ import annotations

import threading

from effnet_viz.models import held
from effnet_viz.models.held import Checkpoint
from effnet_viz.serving import models, settings, slow_methods

_opened: dict[str, Checkpoint] = {}
"""By visitor, in the order of their last use."""

_lock = threading.Lock()


def hold(visitor: str, checkpoint: Checkpoint) -> set[str]:
    """Keeps it in place of the visitor's former one; the keys of those that are open no more."""
    with _lock:
        going = [_opened.pop(visitor, None)]
        held.hold(checkpoint)
        _opened[visitor] = checkpoint
        while _nbytes() > settings.all_checkpoint_bytes() and len(_opened) > 1:
            going.append(_opened.pop(next(iter(_opened))))
        return _forget(going)


def use(visitor: str) -> Checkpoint | None:
    """The visitor's checkpoint, which others go before from now on; None where it is not open."""
    with _lock:
        checkpoint = _opened.pop(visitor, None)
        if checkpoint is not None:
            _opened[visitor] = checkpoint
        return checkpoint


def release(visitor: str) -> set[str]:
    """Lets go of the visitor's checkpoint; the keys of those that are open no more."""
    with _lock:
        return _forget([_opened.pop(visitor, None)])


def _nbytes() -> int:
    """Two visitors may have opened the same file; it is counted twice, as it came."""
    return sum(len(checkpoint.data) for checkpoint in _opened.values())


def _forget(going: list[Checkpoint | None]) -> set[str]:
    """Those of them that no visitor has open, and the networks made of them."""
    kept = {checkpoint.entry.key for checkpoint in _opened.values()}
    gone = {one.entry.key: one.entry for one in going if one and one.entry.key not in kept}
    for key, entry in gone.items():
        held.release(key)
        slow_methods.forget(key)
        # Also at twice its resolution, which measurements of methods take.
        for name in (key, f"{key}-r{2 * entry.resolution}"):
            models.forget(name)
    return set(gone)
