"""What a server counts of its own work, for its operator; nothing of a visitor is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effnet_viz.serving.cache import SharedCache
    from effnet_viz.serving.queue import CapacityLimiter

caches: dict[str, SharedCache] = {}
"""What is kept in memory, by what it holds."""

queues: dict[str, CapacityLimiter] = {}
"""What visitors wait for, by what it is."""

observers: list[Callable[[str, float], None]] = []
"""Hear of every result that is made: the function that made it, and the seconds it took."""


def made(result: str, seconds: float) -> None:
    """Tells the observers. Nothing happens where nobody wants to know."""
    for observe in observers:
        observe(result, seconds)
