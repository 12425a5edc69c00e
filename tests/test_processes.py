"""Jobs that take too much are killed, and nothing of one job reaches another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from effnet_viz import processes
from effnet_viz.processes import ForkServer, JobError, Limit, LimitError, Limits

AMPLE = Limits(processor=20, nbytes=100 * 2**20, clock=60)

forking = pytest.mark.skipif(not processes.FORKS, reason="Only Linux bounds a forked job.")


@pytest.fixture(scope="module")
def jobs() -> Iterator[ForkServer]:
    server = ForkServer("tests.jobs")
    yield server
    server.close()


@pytest.mark.parametrize("forks", [processes.FORKS, False])
def test_a_job_answers(jobs: ForkServer, forks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FORKS", forks)
    told, made = jobs.run("reverse", {"times": 2}, b"abc\n", AMPLE)
    assert told == {"times": 2}
    assert bytes(made) == b"\ncba\ncba"
    told, made = jobs.run("reverse", {"times": 0}, b"", AMPLE)
    assert bytes(made) == b""


def test_what_comes_back_cannot_be_written(jobs: ForkServer) -> None:
    _, made = jobs.run("reverse", {"times": 1}, b"abc", AMPLE)
    assert made.readonly


@forking
def test_too_much_processor_time(jobs: ForkServer) -> None:
    began = time.monotonic()
    with pytest.raises(LimitError) as raised:
        jobs.run("spin", {}, b"", Limits(0.2, AMPLE.nbytes, AMPLE.clock))
    assert raised.value.limit is Limit.PROCESSOR
    assert time.monotonic() - began < AMPLE.clock / 2


@pytest.mark.parametrize("forks", [processes.FORKS, False])
def test_too_much_time_on_the_clock(
    jobs: ForkServer, forks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "FORKS", forks)
    file = tmp_path / "process"
    with pytest.raises(LimitError) as raised:
        jobs.run("sleep", {"file": str(file)}, b"", _seconds(2))
    assert raised.value.limit is Limit.CLOCK
    assert _ends(int(file.read_text()))


def _ends(process: int) -> bool:
    """Whether a process ends within some seconds."""
    limit = time.monotonic() + 20
    while Path(f"/proc/{process}").exists():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


@forking
def test_too_much_memory(jobs: ForkServer) -> None:
    told, _ = jobs.run("allocate", {"nbytes": 50 * 2**20}, b"", AMPLE)
    assert told == {"allocated": 50 * 2**20}
    with pytest.raises(JobError, match="MemoryError"):
        jobs.run("allocate", {"nbytes": 2 * 2**30}, b"", AMPLE)


def test_a_mistake_of_ours_is_told_with_its_place(jobs: ForkServer) -> None:
    with pytest.raises(JobError, match=r"jobs\.py.*(?s:.*)ValueError: a mistake of ours"):
        jobs.run("fail", {}, b"", AMPLE)


@forking
@pytest.mark.parametrize(("job", "name"), [("crash", "SIGSEGV"), ("end_from_outside", "SIGKILL")])
def test_a_job_that_ends_badly_ends_alone(jobs: ForkServer, job: str, name: str) -> None:
    with pytest.raises(JobError, match=name):
        jobs.run(job, {}, b"", AMPLE)
    assert jobs.run("reverse", {"times": 1}, b"abc", AMPLE)[1] == b"cba"


@forking
@pytest.mark.parametrize(
    "says", ["", "no JSON", "[" * 9999, "[]", "{}", '{"answer": 1}', '{"status": "ended"}']
)
def test_an_answer_that_makes_no_sense_is_the_jobs_failure(jobs: ForkServer, says: str) -> None:
    with pytest.raises(JobError, match=r"makes no sense|ended twice"):
        jobs.run("answer_nonsense", {"says": says}, b"", AMPLE)
    assert jobs.run("reverse", {"times": 1}, b"abc", AMPLE)[1] == b"cba"


@forking
def test_a_job_finds_nothing_of_another(jobs: ForkServer, tmp_path: Path) -> None:
    for picture in ("one", "another"):
        assert jobs.run("remember", {"left": picture}, b"", AMPLE)[0] == {"left": []}
    file = tmp_path / "other"
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(jobs.run, "sleep", {"file": str(file)}, b"picture", _seconds(1))
        while not file.exists():
            time.sleep(0.01)
        told, _ = jobs.run("open_files", {}, b"its own", AMPLE)
        assert told["files"] == ["", "/dev/null", "its own", "socket"]  # "": its answer so far
        assert isinstance(other.exception(), LimitError)


def _seconds(clock: float) -> Limits:
    return Limits(AMPLE.processor, AMPLE.nbytes, clock)


@forking
def test_a_helper_that_was_killed_is_started_anew(tmp_path: Path) -> None:
    server = ForkServer("tests.jobs")
    try:
        server.run("reverse", {"times": 1}, b"abc", AMPLE)
        _kill_helper(server)
        assert server.run("reverse", {"times": 1}, b"abc", AMPLE)[1] == b"cba"
        # In the middle of work: the job is lost with it and begins again.
        with ThreadPoolExecutor(1) as pool:
            file = tmp_path / "process"
            job = pool.submit(server.run, "sleep", {"file": str(file)}, b"", _seconds(3))
            while not file.exists():
                time.sleep(0.01)
            first = file.read_text()
            _kill_helper(server)
            assert _ends(int(first))
            assert isinstance(job.exception(), LimitError)
            assert file.read_text() != first
    finally:
        server.close()


def _kill_helper(server: ForkServer) -> None:
    helper = server._helper
    assert helper is not None
    helper.kill()


@forking
def test_the_helper_ends_with_its_server() -> None:
    server = ForkServer("tests.jobs")
    server.start()
    helper = server._helper
    assert helper is not None
    server.close()
    assert helper.returncode == 0
