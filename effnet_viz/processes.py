"""Jobs in processes of their own, bounded in processor time, in memory and on the clock.

A C library cannot be stopped from inside, so what may never end, or may take all memory, runs in a
child process that can be killed. On Linux a helper imports once what the jobs need and forks for
each of them: a few milliseconds, limits of the kernel that count from zero, and a clean state that
no earlier job has touched. The helper is started as a program, so it has none of the server's
threads. Data go both ways as files in memory, what comes back is sealed before it is looked at, and
nothing that comes back is ever unpickled.

Elsewhere every job is a program of its own, some tenths of a second, bounded on the clock alone.
"""

from __future__ import annotations

import atexit
import ctypes
import io
import json
import math
import mmap
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

Content = bytes | memoryview
Job = Callable[[Mapping[str, Any], memoryview, BinaryIO], Mapping[str, Any]]
"""Takes a request and bytes, gives an answer and writes bytes; request and answer are JSON."""

FORKS = sys.platform == "linux"
"""Whether jobs are forked and bounded by the kernel; elsewhere only the clock bounds them."""

_MOST_MESSAGE = 64 * 1024
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_ROOT = Path(__file__).parents[1]

# One thread of each library, none of which would survive a fork, and one heap for all threads: each
# further one reserves 64 MB of addresses, which would count against a job's memory.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_THREAD_STACKS = 8 * 2**20 * (os.cpu_count() or 1)
"""Addresses that a decoder's own threads reserve."""


@dataclass(frozen=True)
class Limits:
    """What a job may take before it is killed."""

    processor: float
    """Seconds of processor time, all threads together."""
    nbytes: int
    """Memory above what the process has before it begins."""
    clock: float
    """Seconds."""


class Limit(Enum):
    """What a job exceeded."""

    PROCESSOR = "processor time"
    CLOCK = "time on the clock"


class JobError(RuntimeError):
    """A job that ended without an answer: killed from outside, crashed, or our mistake."""


class LimitError(JobError):
    """A job that was killed because it exceeded a limit."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"A job took too much {limit.value}.")
        self.limit = limit


class ForkServer:
    """Runs the jobs of one module, each in a process of its own, many at once if asked to."""

    def __init__(self, module: str) -> None:
        """`module` is the full name of the one whose functions are the jobs.

        Its function `prepare`, where it has one, is called once, before all jobs.
        """
        self._module = module
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        atexit.register(self.close)

    def start(self) -> None:
        """Starts the helper, which then imports the module by itself; else the first job does."""
        if FORKS:
            with self._lock:
                self._started()

    def run(
        self, job: str, request: Mapping[str, Any], content: Content, limits: Limits
    ) -> tuple[Mapping[str, Any], memoryview]:
        """The answer of the module's function `job`.

        Raises LimitError or JobError. A helper that was killed is started anew, once.
        """
        if not FORKS:
            return _run_program(self._module, job, request, content, limits)
        message = json.dumps({"job": job, "request": request, "limits": vars(limits)}).encode()
        with _new_file() as file:
            _write(file, content)
            _seal(file)
            for _ in range(2):
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with ours:
                    with theirs:
                        self._send(message, [file.fileno(), theirs.fileno()])
                    ours.settimeout(limits.clock)
                    try:
                        # Closing our end, here or for whatever reason, makes the helper kill it.
                        answer = _answer(ours)
                    except TimeoutError:
                        raise LimitError(Limit.CLOCK) from None
                if answer is not None:
                    return answer
        raise JobError("The process that jobs are started from was ended twice.")

    def close(self) -> None:
        """Ends the helper and with it all jobs."""
        with self._lock:
            if self._control is not None and self._helper is not None:
                self._control.close()
                self._helper.wait()
                self._control = self._helper = None

    def _started(self) -> socket.socket:
        if self._helper is not None and self._helper.poll() is not None and self._control:
            self._control.close()
            self._control = self._helper = None
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._helper = subprocess.Popen(
                    _program(self._module, str(theirs.fileno())),
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl+C is for the server, whose end ends the helper
                )
        return self._control

    def _send(self, message: bytes, files: list[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._started(), [message], files)
            except OSError:  # it was killed between two jobs: the next one starts it anew
                assert self._helper is not None
                self._helper.wait()
                socket.send_fds(self._started(), [message], files)


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return os.environ | _ENVIRONMENT | {"PYTHONPATH": path}


def _program(*arguments: str) -> list[str]:
    # -P: no module of the folder that the server happens to be started in.
    return [sys.executable, "-P", "-m", __name__, *arguments]


# What comes back


def _answer(ours: socket.socket) -> tuple[Mapping[str, Any], memoryview] | None:
    """What a job answers; None where the helper has ended. Raises JobError."""
    data, files, _, _ = socket.recv_fds(ours, _MOST_MESSAGE, 1, socket.MSG_CMSG_CLOEXEC)
    with _closing(files):
        if not data:
            return None
        try:
            told: dict[str, Any] = json.loads(data)
            if "answer" in told:
                return told["answer"], _sealed(files[0])
            if "status" in told:
                raise _ended(told["status"])
            failed: str = told["failed"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise JobError("A job's answer makes no sense.") from error
        raise JobError(failed)


def _ended(status: int) -> JobError:
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGPROF, -signal.SIGXCPU):
        return LimitError(Limit.PROCESSOR)
    return JobError(
        f"A job was ended by {signal.Signals(-code).name}." if code < 0 else f"Exit code {code}."
    )


def _sealed(file: int) -> memoryview:
    """The content of a file in memory that nobody can shorten: whoever read it would be ended."""
    import fcntl

    seals = fcntl.fcntl(file, fcntl.F_GET_SEALS)
    if not seals & fcntl.F_SEAL_SHRINK or not seals & fcntl.F_SEAL_WRITE:
        raise JobError("A job answered with a file that can still change.")
    size = os.fstat(file).st_size
    if size == 0:
        return memoryview(b"")
    flags = mmap.MAP_PRIVATE | mmap.MAP_POPULATE
    return memoryview(mmap.mmap(file, size, flags=flags, prot=mmap.PROT_READ))


def _new_file() -> BinaryIO:
    """A file in memory: no disk, and no limit of a shared folder."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    return os.fdopen(os.memfd_create("job", flags), "wb", buffering=0)


def _write(file: BinaryIO, content: Content) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _seal(file: BinaryIO) -> None:
    """From now on nobody can change it."""
    import fcntl

    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)


@contextmanager
def _closing(files: list[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for file in files:
            os.close(file)


# The helper


class _Helper:
    """Forks for every request; ends with the server, and its jobs with it."""

    def __init__(self, module: str, control: socket.socket) -> None:
        self._jobs_of = import_module(module)
        if prepare := getattr(self._jobs_of, "prepare", None):
            prepare()
        self._control = control
        self._running: dict[socket.socket, int] = {}
        """Process id by the socket that the server reads its answer from."""
        self._selector = selectors.DefaultSelector()
        self._woken, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    message, files, _, _ = socket.recv_fds(
                        self._control, _MOST_MESSAGE, 2, socket.MSG_CMSG_CLOEXEC
                    )
                    if not message:
                        for process in self._running.values():
                            os.kill(process, signal.SIGKILL)
                        return
                    self._begin(json.loads(message), *files)
                elif key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._reap()
                elif key.fileobj in self._running:  # the server waits no longer
                    os.kill(self._running[key.fileobj], signal.SIGKILL)
                    self._selector.unregister(key.fileobj)

    def _begin(self, message: dict[str, Any], content: int, answer: int) -> None:
        process = os.fork()
        if process == 0:
            _work(getattr(self._jobs_of, message["job"]), message, content, answer)
        os.close(content)
        channel = socket.socket(fileno=answer)
        self._running[channel] = process
        self._selector.register(channel, selectors.EVENT_READ)

    def _reap(self) -> None:
        for channel, process in list(self._running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                del self._running[channel]
                with suppress(KeyError):  # the server waits no longer
                    self._selector.unregister(channel)
                with channel, suppress(OSError):
                    channel.send(json.dumps({"status": status}).encode())


def _work(job: Job, message: Mapping[str, Any], content: int, answer: int) -> NoReturn:
    """The whole life of a forked process."""
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        _keep_only(content, answer)
        limit(Limits(**message["limits"]))
        channel = socket.socket(fileno=answer)
        try:
            with _new_file() as file:
                told = job(message["request"], _sealed(content), file)
                _seal(file)
                socket.send_fds(channel, [json.dumps({"answer": told}).encode()], [file.fileno()])
        except Exception:  # told to the server, whose log has it
            failed = traceback.format_exc()[-_MOST_MESSAGE // 8 :]
            channel.send(json.dumps({"failed": failed}).encode())
    finally:
        os._exit(0)


def _keep_only(*files: int) -> None:
    """Closes everything else that the helper has open: answers of other jobs, above all."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):  # libraries print warnings
        os.dup2(null, standard)
    for link in list(Path("/proc/self/fd").iterdir()):
        if int(link.name) > 2 and int(link.name) not in files:
            with suppress(OSError):  # the listing's own
                os.close(int(link.name))
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def limit(limits: Limits) -> None:
    """Bounds this process from now on; a job may bound itself further, never less."""
    if not FORKS:
        return
    import resource

    def at_most(kind: int, value: int) -> None:
        _, before = resource.getrlimit(kind)
        bound = value if before == resource.RLIM_INFINITY else min(value, before)
        resource.setrlimit(kind, (bound, bound))

    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    at_most(resource.RLIMIT_AS, own + limits.nbytes + _THREAD_STACKS)
    at_most(resource.RLIMIT_FSIZE, limits.nbytes)
    at_most(resource.RLIMIT_CORE, 0)
    # The timer knows fractions of a second; the limit of the kernel cannot be taken back.
    left, _ = signal.getitimer(signal.ITIMER_PROF)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, min(limits.processor, left or math.inf))
    at_most(resource.RLIMIT_CPU, math.ceil(limits.processor) + 1)


# Where nothing can be forked


def _run_program(
    module: str, job: str, request: Mapping[str, Any], content: Content, limits: Limits
) -> tuple[Mapping[str, Any], memoryview]:
    head = json.dumps(request).encode() + b"\n"
    try:
        ended = subprocess.run(
            _program(module, job),
            input=head + content,
            env=_environment(),
            capture_output=True,
            timeout=limits.clock,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LimitError(Limit.CLOCK) from None
    if ended.returncode:
        raise JobError(ended.stderr.decode(errors="replace")[-_MOST_MESSAGE // 8 :])
    told, _, made = ended.stdout.partition(b"\n")
    return json.loads(told), memoryview(made)


def _answer_once(job: Job) -> None:
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # libraries print warnings
        request, _, content = sys.stdin.buffer.read().partition(b"\n")
        made = io.BytesIO()
        told = job(json.loads(request), memoryview(content), made)
        output.write(json.dumps(told).encode() + b"\n")
        output.write(made.getbuffer())


if __name__ == "__main__":
    name, how = sys.argv[1:]
    if how.isdecimal():
        _Helper(name, socket.socket(fileno=int(how))).serve()
    else:
        _answer_once(getattr(import_module(name), how))
