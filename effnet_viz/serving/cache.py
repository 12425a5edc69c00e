"""What lets many visitors share one machine: turns for the processor, a cache bounded in bytes."""

from __future__ import annotations

import time
from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Condition
from typing import Any, TypeVar

Value = TypeVar("Value")

_LOOK_AGAIN = 0.2
"""Seconds between two looks at whether a wait is over or pointless."""

_TELL_EVERY = 0.5
"""Seconds between two words to a visitor who waits: telling costs more than waiting."""


@dataclass
class _Visitor:
    on_wait: Callable[[int], None]
    tell_next: float


_visitor: ContextVar[_Visitor | None] = ContextVar("visitor", default=None)


@contextmanager
def telling(on_wait: Callable[[int], None]) -> Iterator[None]:
    """While this thread waits, `on_wait` hears its place in the queue, 1 for the next, twice a
    second; 0 means that somebody else computes the same thing right now.

    What `on_wait` raises ends the wait: so a visitor who has gone leaves the queue.
    """
    token = _visitor.set(_Visitor(on_wait, time.monotonic() + _TELL_EVERY))
    try:
        yield
    finally:
        _visitor.reset(token)


def _tell(place: int) -> None:
    visitor = _visitor.get()
    now = time.monotonic()
    if visitor is not None and now >= visitor.tell_next:
        visitor.tell_next = now + _TELL_EVERY
        visitor.on_wait(place)


@dataclass(eq=False)
class _Ticket:
    due: float
    """In seconds of the monotonic clock."""


class Turns:
    """A queue for something that only so many may do at once; first come, first served."""

    def __init__(self, slots: int, stuck_after: float) -> None:
        """`slots` at once; one that takes longer than `stuck_after` seconds counts no more."""
        self._slots = slots
        self._stuck_after = stuck_after
        self._changed = Condition()
        self._waiting: list[_Ticket] = []
        self._running: dict[_Ticket, float] = {}

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
                        self._changed.wait(_LOOK_AGAIN)
                        place = self._place(ticket)
                if place == 0:
                    break
                _tell(place)
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
            busy = sum(now - began < self._stuck_after for began in self._running.values())
            if place > 1 or busy >= self._slots:
                return place
            self._waiting.remove(ticket)
            self._running[ticket] = now
            self._changed.notify_all()  # the next one may fit as well
            return 0


@dataclass
class _Entry:
    value: Any
    nbytes: int
    users: int = 0


class SharedCache:
    """Values by key, each made once however many ask at once, within a number of bytes.

    When room is needed, the value that was used longest ago goes first, and never one in use. A
    value that does not fit at all is made and given, but not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._changed = Condition()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._nbytes = 0
        self._making: set[Hashable] = set()

    @property
    def nbytes(self) -> int:
        """Bytes of all values in it."""
        with self._changed:
            return self._nbytes

    @contextmanager
    def use(
        self,
        key: Hashable,
        make: Callable[[], Value],
        size: Callable[[Value], int],
        expected: int = 0,
    ) -> Iterator[Value]:
        """The value, which stays in the cache at least as long as it is used.

        Where it is missing, one caller makes it and the others wait; if making it fails, the error
        is that caller's and the next one tries. `expected` bytes are freed before.
        """
        entry = self._claim(key)
        if entry is None:
            try:
                with self._changed:
                    self._make_room(expected)
                value = make()
                entry = _Entry(value, size(value), users=1)
                with self._changed:
                    self._make_room(entry.nbytes)
                    self._entries[key] = entry
                    self._nbytes += entry.nbytes
            finally:
                with self._changed:
                    self._making.discard(key)
                    self._changed.notify_all()
        try:
            yield entry.value
        finally:
            with self._changed:
                entry.users -= 1
                self._make_room(0)

    def get(self, key: Hashable, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
        """The value, for those who keep it themselves while they need it."""
        with self.use(key, make, size) as value:
            return value

    def clear(self) -> None:
        """Drops every value that nobody uses."""
        with self._changed:
            self._make_room(self._most_bytes)

    def _claim(self, key: Hashable) -> _Entry | None:
        """The entry, in use by the caller from now on; or None: the caller has to make it."""
        while True:
            with self._changed:
                entry = self._entries.get(key)
                if entry is not None:
                    entry.users += 1
                    self._entries.move_to_end(key)
                    return entry
                if key not in self._making:
                    self._making.add(key)
                    return None
            _tell(0)
            with self._changed:
                if key in self._making:
                    self._changed.wait(_LOOK_AGAIN)

    def _make_room(self, nbytes: int) -> None:
        """Drops values that nobody uses, oldest use first, until so many more bytes fit."""
        if self._nbytes + nbytes <= self._most_bytes:
            return
        for key, entry in list(self._entries.items()):
            if entry.users == 0:
                del self._entries[key]
                self._nbytes -= entry.nbytes
                if self._nbytes + nbytes <= self._most_bytes:
                    return
