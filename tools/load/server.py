"""A server under test: started on a free loopback port, watched, ended by its process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.load.protocol import HOST

ROOT = Path(__file__).parents[2]
START_SECONDS = 180
APP = ("-m", "effnet_viz.cli", "serve")


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: int
    port: int
    log: Path
    started: float
    """When its process was, in seconds since the epoch, which browsers count from, too."""
    answered: float
    """Seconds from then until its first answer to a request."""

    def memory(self) -> int:
        """Resident bytes of the server and all its children."""
        return sum(_resident(process) for process in _family(self.process))

    def tracebacks(self) -> int:
        """How many exceptions the server has written to its log."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("Traceback (most")


def _family(process: int) -> Iterator[int]:
    yield process
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = listing.read_text().split()
        except OSError:  # the thread has ended
            continue
        for child in children:
            yield from _family(int(child))


def _resident(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:  # the process has ended
        return 0
    sizes = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")]
    return sum(sizes)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    folder: Path, program: Sequence[str] = APP, *, directory: Path = ROOT
) -> Iterator[Server]:
    """The app, or another program of Streamlit's, ready for visitors. Raises RuntimeError.

    Its log goes to the folder. It is started in the directory, where Streamlit looks for settings.
    """
    port = free_port()
    # A proxy that refuses: the server under load reaches nothing outside this machine.
    closed = f"http://{HOST}:{free_port()}"
    environment = os.environ | {"https_proxy": closed, "http_proxy": closed, "no_proxy": HOST}
    options = ["--server.port", str(port), "--server.address", HOST, "--server.headless", "true"]
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as output:
        started = time.time()
        process = subprocess.Popen(
            [sys.executable, *program, *options],
            cwd=directory,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its own process group: children end with it
        )
        try:
            _wait_until_healthy(port, process, log)
            yield Server(process.pid, port, log, started, time.time() - started)
        finally:
            _end(process)


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        try:
            direct.open(f"http://{HOST}:{port}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            continue
