"""One process that keeps what it has loaded, does one job after the other, and can be ended.

Libraries that attach hooks, take a minute or never come back run there and not in the server: a
thread cannot be stopped. The process is started when the first job comes. Requests and answers are
JSON and bytes; nothing is unpickled on either side.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from effnet_viz.processes import JobError, Limit, LimitError

Progress = Callable[[float], None]
Job = Callable[[Mapping[str, Any], bytes, Progress], tuple[Mapping[str, Any], bytes]]
"""Takes a request, bytes and whom to tell how much is done, 0 to 1; gives an answer and bytes."""

_Frames = queue.SimpleQueue[tuple[dict[str, Any], bytes] | None]
"""What has come back; None at its end."""

LOOK_AGAIN = 0.2
"""Seconds between two looks at whether whoever waits has left."""
GRACE = 2.0
"""Seconds in which a job that is cancelled may end by itself; then its process is ended."""

_HEAD = struct.Struct("!II")
"""Sizes of a frame's JSON and of its bytes."""
_ROOT = Path(__file__).parents[1]


class Worker:
    """Runs the functions of one module, one at a time, in a process of its own."""

    def __init__(self, module: str, nbytes: int) -> None:
        """`module` is the full name of the one whose functions are the jobs.

        `nbytes` bounds the memory of the process on Linux, beyond what its imports take.
        """
        self._module = module
        self._nbytes = nbytes
        self._one_job = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._frames: _Frames = queue.SimpleQueue()
        atexit.register(self.close)

    @property
    def process_id(self) -> int | None:
        """Of the process, while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def run(
        self,
        job: str,
        request: Mapping[str, Any],
        content: bytes,
        *,
        seconds: float,
        progress: Progress,
    ) -> tuple[Mapping[str, Any], bytes]:
        """The answer of the module's function `job`.

        `progress` hears how much is done, 0 to 1, and several times a second even when nothing is
        new; what it raises cancels the job. Raises LimitError after so many `seconds`, MemoryError,
        and JobError where the job failed or its process was ended.
        """
        with self._one_job:
            process = self._started()
            try:
                _send(_pipe(process.stdin), {"job": job, "request": request}, content)
                return self._answer(time.monotonic() + seconds, progress)
            except BrokenPipeError:
                self._end()
                raise JobError("The process that runs slow jobs was ended. Try again.") from None
            except LimitError:
                self._end()
                raise
            except (JobError, MemoryError):
                raise
            except BaseException:  # whoever waited has left
                self._cancel()
                raise

    def close(self) -> None:
        """Ends the process, and with it a job that runs."""
        self._end()

    def _answer(self, until: float, progress: Progress) -> tuple[Mapping[str, Any], bytes]:
        done = 0.0
        while True:
            try:
                frame = self._frames.get(timeout=LOOK_AGAIN)
            except queue.Empty:
                if time.monotonic() > until:
                    raise LimitError(Limit.CLOCK) from None
                progress(done)
                continue
            if frame is None:
                self._end()
                raise JobError("The process that runs slow jobs was ended. Try again.")
            told, content = frame
            if "answer" in told:
                return told["answer"], content
            if "short" in told:
                raise MemoryError(told["short"])
            if "failed" in told:
                raise JobError(told["failed"])
            done = told["progress"]
            progress(done)
            if time.monotonic() > until:
                raise LimitError(Limit.CLOCK)

    def _cancel(self) -> None:
        """Lets the job end by itself, so that what is loaded stays; else ends the process."""
        process = self._process
        if process is None:
            return
        try:
            _send(_pipe(process.stdin), {"cancel": True}, b"")
            until = time.monotonic() + GRACE
            while (left := until - time.monotonic()) > 0:
                frame = self._frames.get(timeout=left)
                if frame is None or "progress" not in frame[0]:
                    return
        except (BrokenPipeError, queue.Empty):
            pass  # it does not answer: below
        self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
            self._process = subprocess.Popen(
                # -P: no module of the folder that the server happens to be started in.
                [sys.executable, "-P", "-m", __name__, self._module, str(self._nbytes)],
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C is for the server, whose end ends it
            )
            self._frames = queue.SimpleQueue()
            reading = (_pipe(self._process.stdout), self._frames)
            threading.Thread(target=_read_all, args=reading, daemon=True).start()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):  # what was not sent yet is of no use
                _pipe(pipe).close()


def _pipe(pipe: Any) -> BinaryIO:
    assert pipe is not None
    made: BinaryIO = pipe
    return made


def _send(pipe: BinaryIO, told: Mapping[str, Any], content: bytes) -> None:
    text = json.dumps(told).encode()
    pipe.write(_HEAD.pack(len(text), len(content)) + text + content)
    pipe.flush()


def _receive(pipe: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    text, content = _HEAD.unpack(head)
    body = pipe.read(text + content)
    if len(body) < text + content:
        return None
    told: dict[str, Any] = json.loads(body[:text])
    return told, body[text:]


def _read_all(pipe: BinaryIO, frames: _Frames) -> None:
    try:
        while (frame := _receive(pipe)) is not None:
            frames.put(frame)
    except (OSError, ValueError):  # closed while it was read
        pass
    frames.put(None)


# The process


class _Cancelled(BaseException):
    """The server waits no longer. Not an Exception: a library may catch those."""


class _Process:
    """What runs in the process: one thread reads, this one works."""

    def __init__(self, jobs: str, requests: BinaryIO, answers: BinaryIO) -> None:
        self._jobs = import_module(jobs)
        self._answers = answers
        self._cancelled = threading.Event()
        self._todo: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()

    def _read(self, requests: BinaryIO) -> NoReturn:
        while (frame := _receive(requests)) is not None:
            if "cancel" in frame[0]:
                self._cancelled.set()
            else:
                self._todo.put(frame)
        os._exit(0)  # the server has ended

    def work(self) -> NoReturn:
        while True:
            told, content = self._todo.get()
            self._cancelled.clear()
            job: Job = getattr(self._jobs, told["job"])
            try:
                answer, made = job(told["request"], content, self._progress)
            except MemoryError as error:
                _send(self._answers, {"short": str(error)}, b"")
            except _Cancelled:
                _send(self._answers, {"failed": "cancelled"}, b"")
            except Exception:  # told to the server, whose log has it
                _send(self._answers, {"failed": traceback.format_exc()[-8000:]}, b"")
            else:
                _send(self._answers, {"answer": answer}, made)

    def _progress(self, done: float) -> None:
        if self._cancelled.is_set():
            raise _Cancelled
        _send(self._answers, {"progress": done}, b"")


def _bound(nbytes: int) -> None:
    """No more private memory than it has now and these bytes."""
    if sys.platform != "linux":
        return
    import resource

    pages = Path("/proc/self/statm").read_text().split()
    now = int(pages[5]) * resource.getpagesize()  # data and stacks
    resource.setrlimit(resource.RLIMIT_DATA, (now + nbytes, now + nbytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(jobs: str, nbytes: str) -> NoReturn:
    """The whole life of the process."""
    # Libraries print: what they print must not get among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    process = _Process(jobs, sys.stdin.buffer, answers)
    _bound(int(nbytes))
    process.work()


if __name__ == "__main__":
    main(*sys.argv[1:])
