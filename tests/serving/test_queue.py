"""CapacityLimiter, with threads that wait for each other on purpose."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from effnet_viz.serving.queue import CapacityLimiter, notifying
from tests.serving.threads import PATIENCE, LeftError, hold, in_thread


def test_turns_come_in_the_order_of_arrival_and_places_are_told() -> None:
    turns = CapacityLimiter(slots=1, timeout=PATIENCE)
    begun, end = threading.Event(), threading.Event()
    first = in_thread(lambda: hold(turns, begun, end))
    assert begun.wait(PATIENCE)

    order: list[int] = []
    places: dict[int, list[int]] = {1: [], 2: []}
    told = {1: threading.Event(), 2: threading.Event()}

    def visitor(number: int) -> None:
        def tell(place: int) -> None:
            places[number].append(place)
            told[number].set()

        with notifying(tell), turns.turn():
            order.append(number)

    waiting = []
    for number in (1, 2):
        waiting.append(in_thread(lambda number=number: visitor(number)))
        assert told[number].wait(PATIENCE)
    assert order == []
    assert places[1][0] == 1
    assert places[2][0] == 2
    end.set()
    for future in (first, *waiting):
        future.result(PATIENCE)
    assert order == [1, 2]


@pytest.mark.parametrize(
    ("grace", "expected"),
    [
        (PATIENCE, ["picture 1", "picture 2", "map 1", "map 2"]),
        (1e-3, ["map 1", "picture 1", "map 2", "picture 2"]),  # nobody waits for ever
    ],
)
def test_a_turn_with_grace_lets_others_go_first_for_so_long(
    grace: float, expected: list[str]
) -> None:
    turns = CapacityLimiter(slots=1, timeout=PATIENCE)
    begun, end = threading.Event(), threading.Event()
    first = in_thread(lambda: hold(turns, begun, end))
    assert begun.wait(PATIENCE)
    order: list[str] = []

    def visitor(name: str, grace: float, waits: threading.Event) -> None:
        with notifying(lambda _: waits.set()), turns.turn(grace=grace):
            order.append(name)

    waiting = []
    for name in ("map 1", "picture 1", "map 2", "picture 2"):
        waits = threading.Event()
        waiting.append(in_thread(partial(visitor, name, grace if "map" in name else 0.0, waits)))
        assert waits.wait(PATIENCE)
    end.set()
    for future in (first, *waiting):
        future.result(PATIENCE)
    assert order == expected


def test_one_who_leaves_gives_up_the_place() -> None:
    turns = CapacityLimiter(slots=1, timeout=PATIENCE)
    begun, end = threading.Event(), threading.Event()
    first = in_thread(lambda: hold(turns, begun, end))
    assert begun.wait(PATIENCE)

    def leave(_: int) -> None:
        raise LeftError

    with pytest.raises(LeftError), notifying(leave), turns.turn():
        pass
    end.set()
    first.result(PATIENCE)
    with turns.turn():  # nobody is left before this one
        pass


def test_nobody_waits_behind_a_stuck_one() -> None:
    turns = CapacityLimiter(slots=1, timeout=0.05)
    begun, end = threading.Event(), threading.Event()
    stuck = in_thread(lambda: hold(turns, begun, end))
    assert begun.wait(PATIENCE)
    with turns.turn():
        assert not stuck.done()
    end.set()
    stuck.result(PATIENCE)


def test_only_so_many_run_at_once() -> None:
    turns = CapacityLimiter(slots=2, timeout=PATIENCE)
    running, most = 0, 0
    lock = threading.Lock()
    both = threading.Barrier(2)

    def work() -> None:
        nonlocal running, most
        with turns.turn():
            with lock:
                running += 1
                most = max(most, running)
            both.wait(PATIENCE)  # two do run at the same time
            with lock:
                running -= 1

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work) for _ in range(8)]:
            future.result(PATIENCE)
    assert most == 2
