"""Threads that wait for each other on purpose."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from effnet_viz.serving.queue import CapacityLimiter

PATIENCE = 20


class LeftError(Exception):
    """A visitor closed the tab."""


def in_thread(work: Callable[[], object]) -> Future[object]:
    """Runs the work in a thread of its own."""
    return ThreadPoolExecutor(1).submit(work)


def hold(turns: CapacityLimiter, begun: threading.Event, end: threading.Event) -> None:
    with turns.turn():
        begun.set()
        assert end.wait(PATIENCE)
