"""What lets many visitors share one machine: turns for the processor, a cache bounded in bytes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from threading import Condition
from typing import Any, ParamSpec, TypeVar

from effnet_viz.serving import telemetry
from effnet_viz.serving.queue import LOOK_AGAIN, notify

Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")


@dataclass
class _Entry:
    value: Any
    nbytes: int
    users: int = 0


def identity(argument: object) -> Hashable:
    """What stands for an argument in a key: plain values for themselves, others by their `id`.

    Raises TypeError for an argument that has none: a result that depends on it could not be found
    again, or would be another visitor's.
    """
    if argument is None or isinstance(argument, str | int | float | Enum):
        return argument
    if isinstance(argument, tuple) and not hasattr(argument, "id"):
        return tuple(map(identity, argument))
    if not hasattr(argument, "id"):
        raise TypeError(
            f"A {type(argument).__name__} has no identity, so nothing can be kept by it."
        )
    return type(argument).__name__, argument.id


def key_of(function: Callable[..., object], *arguments: object) -> Hashable:
    """The key of a function's result: the function and the identity of every argument."""
    return function.__qualname__, *map(identity, arguments)


def _depends(key: Hashable, identity: str) -> bool:
    if isinstance(key, tuple):
        return any(_depends(part, identity) for part in key)
    return key == identity


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

    def __len__(self) -> int:
        """How many values are in it."""
        with self._changed:
            return len(self._entries)

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

    def kept(
        self, size: Callable[[Any], int]
    ) -> Callable[[Callable[Arguments, Value]], Callable[Arguments, Value]]:
        """A function whose results are kept here, by the identities of its arguments.

        `size` is that of a result in bytes. Arguments are given by position.
        """

        def keep(function: Callable[Arguments, Value]) -> Callable[Arguments, Value]:
            @wraps(function)
            def found(*arguments: Arguments.args, **named: Arguments.kwargs) -> Value:
                if named:
                    raise TypeError("Arguments of a kept result are given by position.")

                def make() -> Value:
                    began = time.perf_counter()
                    made = function(*arguments, **named)
                    telemetry.made(function.__name__.lstrip("_"), time.perf_counter() - began)
                    return made

                value: Value = self.get(key_of(function, *arguments), make, size)
                return value

            return found

        return keep

    def forget(self, identity: str) -> None:
        """Drops every value that depends on what has this identity, unless it is in use."""
        with self._changed:
            for key, entry in list(self._entries.items()):
                if entry.users == 0 and _depends(key, identity):
                    self._drop(key)

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
            notify(0)
            with self._changed:
                if key in self._making:
                    self._changed.wait(LOOK_AGAIN)

    def _make_room(self, nbytes: int) -> None:
        """Drops values that nobody uses, oldest use first, until so many more bytes fit."""
        if self._nbytes + nbytes <= self._most_bytes:
            return
        for key, entry in list(self._entries.items()):
            if entry.users == 0:
                self._drop(key)
                if self._nbytes + nbytes <= self._most_bytes:
                    return

    def _drop(self, key: Hashable) -> None:
        self._nbytes -= self._entries.pop(key).nbytes
