"""How much is done, where a task has parts."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Hears how much is done, 0 to 1; what it raises ends the work."""


def silent(_: float) -> None:
    """Nobody listens."""


def part(progress: Progress, first: float, last: float) -> Progress:
    """Hears how much of a part is done that goes from one share of the whole to another."""
    return lambda done: progress(first + (last - first) * done)
