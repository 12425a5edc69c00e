"""CapacityLimiter and the shared cache, with threads that wait for each other on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from effnet_viz import Model, analyse
from effnet_viz.engines.engine import Activations, Head
from effnet_viz.models import architectures, variants, weights
from effnet_viz.models.architectures import structure_of
from effnet_viz.models.model import of_entry
from effnet_viz.models.variants import ModelRef
from effnet_viz.serving import models, settings
from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import CapacityLimiter, notifying
from tests.browser.visitor import ROOT
from tests.conftest import SAMPLES, loaded

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


def test_limiter_come_in_the_order_of_arrival_and_places_are_told() -> None:
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


def test_a_shared_model_gives_the_same_results_and_survives_being_dropped() -> None:
    shared = models.get_model(ModelRef("lite0"))
    assert models.get_model(ModelRef("lite0")) is shared
    result = analyse(SAMPLES / "cat.jpg", shared)
    expected = analyse(SAMPLES / "cat.jpg", loaded("lite0"))
    assert np.array_equal(result.logits, expected.logits)
    models._models.clear()
    assert models._models.nbytes == 0
    assert np.array_equal(result.grad_cam(5), expected.grad_cam(5))  # loaded again
    assert result.provenance == expected.provenance


def test_many_first_visitors_load_a_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = models.load

    def counting_load(key: str, *, untrained: bool) -> object:
        loads.append(key)
        return load(key, untrained=untrained)

    monkeypatch.setattr(models, "load", counting_load)
    monkeypatch.setattr(models, "_models", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_shared", SharedCache(settings.MODEL_BYTES))
    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(models.get_model, ModelRef("lite0", untrained=True)) for _ in range(8)
        ]
        assert len({id(future.result(60)) for future in futures}) == 1
    assert loads == ["lite0"]


class _Stub:
    """An engine that gives the image back as logits."""

    name = "stub"
    head = Head(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))

    def forward(self, images: np.ndarray) -> Activations:
        return Activations(images, {}, 0.0)

    def gradient(self, activation: np.ndarray, stage: int, targets: Sequence[int]) -> np.ndarray:
        return activation * np.float32(stage + targets[0])


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A server of stubs; the keys of the models that it loads."""
    found: list[str] = []

    def load(key: str, *, untrained: bool) -> Model:
        assert untrained
        found.append(key)
        return of_entry(variants.find(key), _Stub(), None)

    monkeypatch.setattr(models, "load", load)
    monkeypatch.setattr(models, "_models", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_shared", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_limiter", CapacityLimiter(slots=1, timeout=PATIENCE))
    return found


def test_a_model_can_be_dropped_while_visitors_queue_for_it(loads: list[str]) -> None:
    engine = models.get_model(ModelRef("lite0", untrained=True)).engine
    begun, end = threading.Event(), threading.Event()
    first = in_thread(lambda: hold(models._limiter, begun, end))
    assert begun.wait(PATIENCE)
    told = [threading.Event() for _ in range(3)]

    def ask(event: threading.Event) -> object:
        with notifying(lambda _: event.set()):
            return engine.forward(np.ones(2, np.float32)).logits.tolist()

    asked = [in_thread(lambda event=event: ask(event)) for event in told]
    assert all(event.wait(PATIENCE) for event in told)  # all of them queue
    models._models.clear()
    assert models._models.nbytes == 0
    assert not any(future.done() for future in asked)
    end.set()
    first.result(PATIENCE)
    assert [future.result(PATIENCE) for future in asked] == [[1, 1]] * 3
    assert loads == ["lite0", "lite0"]  # again, but once for all three


def test_a_model_loads_while_another_one_runs(loads: list[str]) -> None:
    engine = models.get_model(ModelRef("lite0", untrained=True)).engine
    models._models.clear()
    begun, end, told = threading.Event(), threading.Event(), threading.Event()
    first = in_thread(lambda: hold(models._limiter, begun, end))
    assert begun.wait(PATIENCE)

    def ask() -> object:
        with notifying(lambda _: told.set()):
            return engine.gradient(np.ones(2, np.float32), 5, [7]).tolist()

    asked = in_thread(ask)
    assert told.wait(PATIENCE)  # it queues, and has loaded before
    assert loads == ["lite0", "lite0"]
    end.set()
    first.result(PATIENCE)
    assert asked.result(PATIENCE) == [12, 12]
    assert loads == ["lite0", "lite0"]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings._setting("NO_SUCH_THING", 7) == 7
    monkeypatch.setenv("EFFNET_VIZ_SIZE", "2.5")
    assert settings._setting("SIZE", 7) == 2.5
    for wrong in ("many", "-1", "0", "nan", "inf"):
        monkeypatch.setenv("EFFNET_VIZ_SIZE", wrong)
        with pytest.raises(ValueError, match="EFFNET_VIZ_SIZE"):
            settings._setting("SIZE", 7)


def test_a_part_of_a_slot_is_a_slot() -> None:
    code = "from effnet_viz.serving import settings; print(settings.CONCURRENT)"
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"EFFNET_VIZ_CONCURRENT": "0.5"},
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert run.stdout.strip() == "1"


def test_a_replaced_checkpoint_is_used_and_never_mixed_with_the_old_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(models, "_models", SharedCache(settings.MODEL_BYTES))
    monkeypatch.setattr(models, "_shared", SharedCache(settings.MODEL_BYTES))
    entry = variants.variant("lite0", width=0.5)
    assert isinstance(entry.weights, weights.UserCheckpoint)
    path = weights.folder() / entry.weights.filenames[1]
    path.parent.mkdir(parents=True)
    state = architectures.module_of(entry, None).state_dict()

    def put(bias: float) -> None:
        state["classifier.bias"].fill_(bias)
        torch.save(state, path)

    put(1.0)
    old = analyse(SAMPLES / "cat.jpg", models.get_model(ModelRef(entry.key)))
    put(2.0)
    new = analyse(SAMPLES / "cat.jpg", models.get_model(ModelRef(entry.key)))
    assert old.provenance.weights_sha256 != new.provenance.weights_sha256
    np.testing.assert_allclose(new.logits - old.logits, 1, atol=1e-4)
    models._models.clear()
    with pytest.raises(weights.WeightsError, match="was replaced while it was in use"):
        old.grad_cam(5)


def test_the_memory_of_a_model_is_counted() -> None:
    """By hand, from Table 1 of the paper: channels times grid of every stage at 224 pixels."""
    table = [(32, 112), (16, 112), (24, 56), (40, 28), (80, 14), (112, 14), (192, 7), (320, 7)]
    outputs = sum(channels * side**2 for channels, side in [*table, (1280, 7)])
    parameters = 5_288_548
    kept = models._KEPT_PER_OUTPUT
    assert models._nbytes(structure_of(variants.find("b0"))) == 4 * (
        2 * parameters + kept * outputs
    )
    # Twice the resolution: the same parameters, four times the outputs.
    assert models._nbytes(structure_of(variants.find("b0-r448"))) == 4 * (
        2 * parameters + kept * 4 * outputs
    )
