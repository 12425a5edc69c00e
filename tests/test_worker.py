"""A process that keeps what it loaded, and is ended when a job does not end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from effnet_viz import worker as workers
from effnet_viz.processes import JobError, LimitError
from effnet_viz.worker import Worker

PATIENCE = 60.0


class LeftError(Exception):
    """Whoever waited has left."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker("tests.slow_jobs", 200 * 2**20)
    yield made
    made.close()


def remember(worker: Worker, content: bytes) -> tuple[int, bytes]:
    told, made = worker.run(
        "remember", {"steps": 0}, content, seconds=PATIENCE, progress=lambda _: None
    )
    return told["process"], made


def leave(_: float) -> None:
    raise LeftError


def leave_later() -> workers.Progress:
    """Leaves when it is told for the third time: then the job runs."""
    told = 0

    def count(_: float) -> None:
        nonlocal told
        told += 1
        if told == 3:
            raise LeftError

    return count


def test_one_process_does_all_jobs_and_keeps_what_it_has(worker: Worker) -> None:
    heard: list[float] = []
    told, made = worker.run(
        "remember", {"steps": 4}, b"one", seconds=PATIENCE, progress=heard.append
    )
    assert made == b"one"
    assert list(dict.fromkeys(heard))[-4:] == [0, 0.25, 0.5, 0.75]
    assert remember(worker, b"two") == (told["process"], b"one|two")
    assert worker.process_id == told["process"]


def test_a_job_that_listens_is_cancelled_and_the_process_stays(worker: Worker) -> None:
    process, _ = remember(worker, b"")
    began = time.monotonic()
    with pytest.raises(LeftError):
        worker.run("work_for_long", {}, b"", seconds=PATIENCE, progress=leave_later())
    assert time.monotonic() - began < PATIENCE / 2
    assert remember(worker, b"")[0] == process


def test_a_job_that_hangs_is_ended_with_its_process(worker: Worker) -> None:
    process, _ = remember(worker, b"")
    with pytest.raises(LeftError):
        worker.run("hang", {}, b"", seconds=PATIENCE, progress=leave)
    another, made = remember(worker, b"again")
    assert another != process
    assert made == b"again"


def test_a_job_that_takes_too_long_is_ended(worker: Worker) -> None:
    remember(worker, b"")  # started: its imports count as well
    for job in ("hang", "work_for_long"):
        with pytest.raises(LimitError, match="time on the clock"):
            worker.run(job, {}, b"", seconds=0.5, progress=lambda _: None)
        remember(worker, b"")


def test_a_mistake_is_told_with_its_place(worker: Worker) -> None:
    with pytest.raises(JobError, match=r"slow_jobs\.py.*(?s:.)*a mistake of ours"):
        worker.run("fail", {}, b"", seconds=PATIENCE, progress=lambda _: None)


def test_a_crash_is_noticed_at_once(worker: Worker) -> None:
    began = time.monotonic()
    with pytest.raises(JobError, match="was ended"):
        worker.run("crash", {}, b"", seconds=PATIENCE, progress=lambda _: None)
    assert time.monotonic() - began < PATIENCE / 2
    assert remember(worker, b"after")[1] == b"after"


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux bounds a process's memory.")
def test_memory_is_bounded(worker: Worker) -> None:
    few, many = 50 * 2**20, 400 * 2**20
    told, _ = worker.run(
        "allocate", {"nbytes": few}, b"", seconds=PATIENCE, progress=lambda _: None
    )
    assert told == {"allocated": few}
    with pytest.raises(MemoryError):
        worker.run("allocate", {"nbytes": many}, b"", seconds=PATIENCE, progress=lambda _: None)


def test_two_who_ask_at_once_get_their_own(worker: Worker) -> None:
    with ThreadPoolExecutor(4) as pool:
        contents = [str(number).encode() for number in range(8)]
        made = list(pool.map(lambda content: remember(worker, content)[1], contents))
    assert [one.rsplit(b"|", 1)[-1] for one in made] == contents


def test_no_process_and_no_thread_is_left() -> None:
    threads = threading.active_count()
    made = Worker("tests.slow_jobs", 200 * 2**20)
    assert made.process_id is None
    remember(made, b"")
    made.close()
    assert made.process_id is None
    until = time.monotonic() + PATIENCE
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == threads
