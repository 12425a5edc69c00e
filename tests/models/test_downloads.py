"""Downloads and questions to servers. The only server is a small one on this machine."""

from __future__ import annotations

import errno
import multiprocessing
import os
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from effnet_viz.models import downloads, fetching, files, weights
from effnet_viz.models.weights import Readiness, RemoteFile, WeightsError
from tests.models.weight_files import (
    CONTENT,
    HALF,
    PATIENCE,
    InTwoParts,
    Server,
    entry_with,
    first_half_only,
    place,
    status,
    until,
    whole,
)

pytestmark = pytest.mark.usefixtures("own_folder")


def parts() -> list[Path]:
    return list(weights.folder().glob(".*.part"))


# Reachability


def test_a_refused_connection_is_known_without_waiting(
    monkeypatch: pytest.MonkeyPatch, closed_url: str
) -> None:
    waits: list[bool] = []
    real = threading.Event.wait

    def recorded(event: threading.Event, timeout: float | None = None) -> bool:
        answered = real(event, timeout)
        waits.append(answered)
        return answered

    server = downloads._Server(first_asked=time.monotonic())
    downloads._ask(closed_url, server)
    assert server.answered.is_set()
    monkeypatch.setattr(downloads, "FIRST_ANSWER", PATIENCE)
    monkeypatch.setattr(threading.Event, "wait", recorded)
    assert not downloads.reachable(closed_url)
    assert all(waits)  # the answer ended the wait, not the clock


@pytest.mark.parametrize(
    ("code", "expected"), [(200, True), (204, True), (302, True), (404, False), (503, False)]
)
def test_only_success_or_a_redirection_counts(server: Server, code: int, expected: bool) -> None:
    server.on_head = status(code, ("Location", "/elsewhere"))
    assert downloads.reachable(f"{server.url}/file") is expected
    assert server.requests == ["HEAD"]  # a redirection is not followed


def test_a_connection_without_an_answer_does_not_count(server: Server) -> None:
    server.on_head = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
    assert not downloads.reachable(f"{server.url}/file")


def test_an_answer_is_remembered_for_the_whole_server(server: Server) -> None:
    assert all(downloads.reachable(f"{server.url}/{number}") for number in range(5))
    until(lambda: not any(known.asking for known in downloads._servers.values()))
    assert server.requests == ["HEAD"]


def test_an_old_answer_is_returned_and_renewed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{server.url}/file"
    go_on = threading.Event()
    assert downloads.reachable(url)

    def later(handler: BaseHTTPRequestHandler) -> None:
        go_on.wait(PATIENCE)
        status(503)(handler)

    server.on_head = later
    monkeypatch.setattr(downloads, "ANSWER_LIFETIME", 0.0)
    assert downloads.reachable(url)  # old, while the server is being asked again
    assert downloads.reachable(url)
    until(lambda: len(server.requests) >= 2)
    assert server.requests == ["HEAD", "HEAD"]  # one question at a time
    go_on.set()
    until(lambda: not downloads.reachable(url))
    server.on_head = status(200)
    until(lambda: downloads.reachable(url))


def test_a_slow_server_counts_as_unreachable_until_it_answers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{server.url}/file"
    go_on = threading.Event()

    def later(handler: BaseHTTPRequestHandler) -> None:
        go_on.wait(PATIENCE)
        status(200)(handler)

    server.on_head = later
    monkeypatch.setattr(downloads, "FIRST_ANSWER", 0.05)
    assert not downloads.reachable(url)
    assert not downloads.reachable(url)
    go_on.set()
    until(lambda: downloads.reachable(url))
    assert server.requests == ["HEAD"]


# Downloads


def test_a_name_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="does not carry a hash"):
        downloads.download(RemoteFile("http://127.0.0.1/efficientnet_b0.pth", 1.0))


def test_progress_moves_and_the_file_appears_only_when_complete(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.on_get = in_two = InTwoParts()
    path = weights.folder() / weight.filename
    download = downloads.download(weight)
    until(lambda: download.received == HALF)
    assert download.fraction() == 0.5
    assert download.total == len(CONTENT)
    assert not download.finished
    download.wait(0.01)  # still under way: neither an error nor the end
    assert not path.exists()
    (part,) = parts()
    assert part.name.startswith(f".{weight.filename}.")
    assert fetching.readiness(entry_with(weight)) is Readiness.DOWNLOADABLE

    in_two.go_on.set()
    download.wait(PATIENCE)
    assert download.finished
    assert download.fraction() == 1.0
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert fetching.readiness(entry_with(weight)) is Readiness.READY
    downloads.download(weight).wait(PATIENCE)
    assert server.requests.count("GET") == 1  # a good file is not fetched again


def test_without_a_stated_size_the_published_one_gives_the_progress(server: Server) -> None:
    weight = server.offers(CONTENT)
    go_on = threading.Event()

    def unsized(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        status(200)(handler)
        handler.wfile.write(content[:HALF])
        go_on.wait(PATIENCE)
        handler.wfile.write(content[HALF:])

    server.on_get = unsized
    download = downloads.download(weight)
    until(lambda: download.fraction() == 0.5)
    go_on.set()
    download.wait(PATIENCE)
    assert files.verified(weight) is not None


def test_everyone_joins_one_download(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.on_get = in_two = InTwoParts()
    everyone = threading.Barrier(8)
    joined: list[downloads.Download] = []

    def student() -> None:
        everyone.wait(PATIENCE)
        joined.append(downloads.download(weight))

    threads = [threading.Thread(target=student) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    in_two.go_on.set()
    assert len(joined) == 8
    assert len(set(map(id, joined))) == 1
    joined[0].wait(PATIENCE)
    assert server.requests == ["GET"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork")
def test_two_processes_racing_both_end_with_a_good_file(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.on_get = in_two = InTwoParts()
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=lambda: downloads.download(weight).wait(PATIENCE), daemon=True)
        for _ in "ab"
    ]
    for process in processes:
        process.start()
    until(lambda: len(parts()) == 2)  # both under way, each in a file of its own
    in_two.go_on.set()
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0, 0]
    assert server.requests == ["GET", "GET"]
    assert parts() == []
    assert files.verified(weight) is not None


def test_a_broken_connection_leaves_nothing_and_the_next_try_succeeds(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.on_get = first_half_only
    failed = downloads.download(weight)
    with pytest.raises(WeightsError, match=f"broke after {HALF} of {len(CONTENT)} bytes") as caught:
        failed.wait(PATIENCE)
    assert weight.filename in str(caught.value)
    assert str(weights.folder()) not in str(caught.value)
    assert failed.finished
    assert failed.error is not None
    assert failed.fraction() < 1
    assert list(weights.folder().iterdir()) == []

    server.on_get = whole
    again = downloads.download(weight)
    assert again is not failed
    again.wait(PATIENCE)
    assert again.error is None
    assert files.verified(weight) is not None


def test_a_server_that_never_ends_is_left_before_the_disk_is_full(server: Server) -> None:
    def endless(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        status(200)(handler)
        with suppress(OSError):
            while True:
                handler.wfile.write(content)

    weight = server.offers(CONTENT)
    server.on_get = endless
    download = downloads.download(weight)
    with pytest.raises(WeightsError, match=r"sent more than the 0\.2 MB of the official file"):
        download.wait(PATIENCE)
    assert download.received < 2 * len(CONTENT)
    assert list(weights.folder().iterdir()) == []


def test_each_waiting_thread_gets_an_error_of_its_own(server: Server) -> None:
    server.on_get = first_half_only
    download = downloads.download(server.offers(CONTENT))
    errors = []
    for _ in range(2):
        with pytest.raises(WeightsError) as caught:
            download.wait(PATIENCE)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])


def test_a_refusal_of_the_server_is_named(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.on_get = lambda handler, _: handler.send_error(404)
    with pytest.raises(WeightsError, match="answered 404 Not Found"):
        downloads.download(weight).wait(PATIENCE)


def test_a_stalled_server_ends_in_an_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = server.offers(CONTENT)
    server.on_get = in_two = InTwoParts()
    monkeypatch.setattr(downloads, "READ_TIMEOUT", 0.2)
    with pytest.raises(WeightsError, match=r"silent for 0\.2 seconds"):
        downloads.download(weight).wait(PATIENCE)
    in_two.go_on.set()
    assert list(weights.folder().iterdir()) == []


def test_a_file_placed_by_hand_during_a_failing_download_counts(server: Server) -> None:
    weight = server.offers(CONTENT)

    def placed_meanwhile(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        place(weight, content)
        first_half_only(handler, content)

    server.on_get = placed_meanwhile
    downloads.download(weight).wait(PATIENCE)
    assert files.verified(weight) is not None


def test_a_full_disk_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    weight = server.offers(CONTENT)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match=r"The disk is full: .* needs 0\.2 MB in") as caught:
        downloads.download(weight).wait(PATIENCE)
    assert str(weights.folder()) not in str(caught.value)
    assert str(weights.folder()) in caplog.text
    assert list(weights.folder().iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "torch").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match=r"could not be saved in .* set TORCH_HOME"):
        downloads.download(server.offers(CONTENT)).wait(PATIENCE)
    assert server.requests == []


def test_an_unforeseen_error_still_ends_the_wait_and_stands_in_the_log(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unforeseen(_: downloads.Download) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(downloads.Download, "_fetch", unforeseen)
    with pytest.raises(WeightsError, match="by a mistake of this app, which") as caught:
        downloads.download(server.offers(CONTENT)).wait(PATIENCE)
    assert "surprise" not in str(caught.value)
    [record] = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "'surprise'"


def test_old_leftovers_of_the_same_file_are_removed(server: Server) -> None:
    weight = server.offers(CONTENT)
    folder = place(weight, b"").parent
    old = folder / f".{weight.filename}.old.part"
    young = folder / f".{weight.filename}.young.part"
    other = folder / ".another-01234567.pth.old.part"
    two_days_ago = time.time() - 2 * 24 * 3600
    for leftover in (old, young, other):
        leftover.write_bytes(b"half")
        if leftover is not young:
            os.utime(leftover, (two_days_ago, two_days_ago))
    downloads.download(weight).wait(PATIENCE)
    assert set(parts()) == {young, other}
