"""Turns for the processor, and what those who wait are told."""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Condition

LOOK_AGAIN = 0.2
"""Seconds between two looks at whether a wait is over or pointless."""

_NOTIFY_EVERY = 0.5
"""Seconds between two words to a visitor who waits: telling costs more than waiting."""


@dataclass
class _Visitor:
    on_wait: Callable[[int], None]
    notify_next: float


_visitor: ContextVar[_Visitor | None] = ContextVar("visitor", default=None)


@contextmanager
def notifying(on_wait: Callable[[int], None]) -> Iterator[None]:
    """While this thread waits, `on_wait` hears its place in the queue, 1 for the next, twice a
    second; 0 means that somebody else computes the same thing right now.

    What `on_wait` raises ends the wait: so a visitor who has gone leaves the queue.
    """
    token = _visitor.set(_Visitor(on_wait, time.monotonic() + _NOTIFY_EVERY))
    try:
        yield
    finally:
        _visitor.reset(token)


def notify(place: int) -> None:
    """Tells whoever this thread works for its place in the queue; see notifying."""
    visitor = _visitor.get()
    now = time.monotonic()
    if visitor is not None and now >= visitor.notify_next:
        visitor.notify_next = now + _NOTIFY_EVERY
        visitor.on_wait(place)


@dataclass(eq=False)
class _Ticket:
    due: float
    """In seconds of the monotonic clock."""


class CapacityLimiter:
    """A queue for something that only so many may do at once; first come, first served."""

    def __init__(self, slots: int, timeout: float) -> None:
        """`slots` at once; one that takes longer than `timeout` seconds counts no more."""
        self._slots = slots
        self._timeout = timeout
        self._changed = Condition()
        self._waiting: list[_Ticket] = []
        self._running: dict[_Ticket, float] = {}

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        with self._changed:
            return len(self._waiting)

    @property
    def running(self) -> int:
        """How many have a turn, those that take too long among them."""
        with self._changed:
            return len(self._running)

    @contextmanager
    def turn(self, *, grace: float = 0.0) -> Iterator[None]:
        """Waits for a turn, has it, and ends it.

        It lets those go first who come within the next `grace` seconds and have none themselves.
        """
        ticket = _Ticket(time.monotonic() + grace)
        with self._changed:
            insort(self._waiting, ticket, key=lambda one: one.due)
        try:
            while True:
                with self._changed:  # look and wait in one: a turn that ends between is not missed
                    place = self._place(ticket)
                    if place > 0:
                        self._changed.wait(LOOK_AGAIN)
                        place = self._place(ticket)
                if place == 0:
                    break
                notify(place)
            yield
        finally:
            with self._changed:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                self._running.pop(ticket, None)
                self._changed.notify_all()

    def _place(self, ticket: _Ticket) -> int:
        """How many are before this one, itself counted; 0 when its turn has begun."""
        with self._changed:
            place = self._waiting.index(ticket) + 1
            now = time.monotonic()
            busy = sum(now - began < self._timeout for began in self._running.values())
            if place > 1 or busy >= self._slots:
                return place
            self._waiting.remove(ticket)
            self._running[ticket] = now
            self._changed.notify_all()  # the next one may fit as well
            return 0
