"""The shared cache, and the identities that its results are kept by."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import notifying
from tests.serving.threads import PATIENCE, LeftError, in_thread


def test_identical_work_is_done_once() -> None:
    cache = SharedCache(100)
    made = 0
    begun, end = threading.Event(), threading.Event()

    def make() -> str:
        nonlocal made
        made += 1
        begun.set()
        assert end.wait(PATIENCE)
        return "value"

    told = threading.Event()

    def ask() -> object:
        with notifying(lambda place: told.set() if place == 0 else None):
            return cache.get("key", make, len)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        assert begun.wait(PATIENCE)
        assert told.wait(PATIENCE)
        end.set()
        assert {future.result(PATIENCE) for future in asked} == {"value"}
    assert made == 1


def test_when_the_one_who_makes_it_leaves_the_next_one_makes_it() -> None:
    cache = SharedCache(100)
    begun, leave = threading.Event(), threading.Event()

    def make_and_leave() -> str:
        begun.set()
        assert leave.wait(PATIENCE)
        raise LeftError

    first = in_thread(lambda: cache.get("key", make_and_leave, len))
    assert begun.wait(PATIENCE)
    second = in_thread(lambda: cache.get("key", lambda: "made", len))
    leave.set()
    with pytest.raises(LeftError):
        first.result(PATIENCE)
    assert second.result(PATIENCE) == "made"


def test_the_least_recently_used_goes_first_and_never_one_in_use() -> None:
    cache = SharedCache(10)
    cache.get("a", lambda: "aaaa", len)
    cache.get("b", lambda: "bbbb", len)
    cache.get("a", lambda: "other", len)  # used again, so b is older now
    cache.get("c", lambda: "cccc", len)
    assert cache.get("a", lambda: "new", len) == "aaaa"
    assert cache.get("b", lambda: "new", len) == "new"
    assert cache.nbytes <= 10

    with cache.use("d", lambda: "d" * 8, len):
        cache.get("e", lambda: "e" * 8, len)
        assert cache.get("d", lambda: "new", len) == "d" * 8
    assert cache.nbytes <= 10


def test_room_is_made_before_a_large_value() -> None:
    cache = SharedCache(10)
    cache.get("a", lambda: "a" * 8, len)

    def make() -> str:
        assert cache.nbytes == 0
        return "b" * 9

    with cache.use("b", make, len, expected=9) as value:
        assert value == "b" * 9


def test_a_value_larger_than_the_cache_is_given_but_not_kept() -> None:
    cache = SharedCache(10)
    assert cache.get("a", lambda: "a" * 20, len) == "a" * 20
    assert cache.nbytes == 0


@dataclass(frozen=True, eq=False)
class _Thing:
    id: str
    value: int = 0


@dataclass(frozen=True, eq=False)
class _Other(_Thing):
    pass


def test_results_are_kept_by_the_identities_of_all_arguments() -> None:
    made = []

    @SharedCache(100).kept(len)
    def written(thing: _Thing, sides: tuple[int, ...], word: str | None) -> str:
        made.append((thing.id, sides, word))
        return str(thing.value)

    assert written(_Thing("a", 1), (2, 3), None) == "1"
    assert written(_Thing("a", 2), (2, 3), None) == "1"  # the same thing, by its identity
    assert made == [("a", (2, 3), None)]
    for thing, sides, word in [
        (_Thing("b", 3), (2, 3), None),
        (_Thing("a", 3), (2, 4), None),
        (_Thing("a", 3), (2, 3), "x"),
        (_Other("a", 3), (2, 3), None),  # a crop and a photograph may be called the same
    ]:
        assert written(thing, sides, word) == "3"
    assert len(made) == 5


def test_two_functions_do_not_share_results() -> None:
    cache = SharedCache(100)

    @cache.kept(len)
    def one(thing: _Thing) -> str:
        return f"one {thing.id}"

    @cache.kept(len)
    def two(thing: _Thing) -> str:
        return f"two {thing.id}"

    assert [one(_Thing("a")), two(_Thing("a"))] == ["one a", "two a"]


def test_what_has_no_identity_is_refused() -> None:
    @SharedCache(100).kept(len)
    def written(thing: object) -> str:
        return str(thing)

    for thing in ([1], object(), (1, [2])):
        with pytest.raises(TypeError, match="has no identity"):
            written(thing)
    with pytest.raises(TypeError, match="by position"):
        written(thing=_Thing("a"))
