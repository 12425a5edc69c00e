"""Decoding in processes that are watched: one that dies or hangs is noted and replaced."""

from __future__ import annotations

import math
import multiprocessing
import re
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from effnet_viz.images.photograph import ImageError, Photograph
from tools.fuzz.corpus import Corpus
from tools.fuzz.originals import original

Decoder = Callable[[bytes], Photograph]
"""A function of a module: it is sent to the processes by its name."""

SHOWN, REFUSED = "shown", "refused"
FAULTS = ("crash", "hang", "foreign exception", "foreign words", "growth")
"""What must not happen."""

MOST_GROWTH = 50 * 10**6
"""Bytes that the decoder's caller may need at its peak, above what the picture takes."""
MOST_LETTERS = 400
# No trace of Python or C in a message.
_FOREIGN = re.compile(r"Traceback|Error\b|Exception|\bFile \"|0x[0-9a-f]{4}|\.py\b|\n|errno", re.I)


@dataclass(frozen=True)
class Outcome:
    number: int
    verdict: str
    """SHOWN, REFUSED or one of FAULTS."""
    seconds: float
    growth: int
    """Bytes by which the decoder's caller grew at its peak; 0 where the system does not tell."""
    message: str


def run(
    corpus: Corpus, decoder: Decoder, numbers: Iterable[int], *, workers: int, patience: float
) -> Iterator[Outcome]:
    """The outcomes in the order in which they come.

    `patience` is the wall time in seconds after which a file counts as a hang: well above what the
    decoder allows itself.
    """
    waiting = iter(numbers)
    busy = [_Worker(corpus, decoder) for _ in range(workers)]
    try:
        while busy:
            timeout = min(worker.deadline(patience) for worker in busy) - time.monotonic()
            ready = wait([worker.connection for worker in busy], max(0.0, timeout))
            for worker in list(busy):
                if worker.connection in ready:
                    outcome = worker.outcome()
                elif worker.deadline(patience) < time.monotonic():
                    outcome = worker.fault("hang", f"not finished after {patience:g} s")
                else:
                    continue
                if outcome is not None:
                    yield outcome
                if not worker.process.is_alive():
                    busy[busy.index(worker)] = _Worker(corpus, decoder)
                elif (number := next(waiting, None)) is not None:
                    worker.send(number)
                else:
                    worker.end()
                    busy.remove(worker)
    finally:
        for worker in busy:
            worker.end()


class _Worker:
    """A process that decodes one file after the other, and the file that it has in hand."""

    def __init__(self, corpus: Corpus, decoder: Decoder) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, there = context.Pipe()
        self.process = context.Process(target=_decode_files, args=(there, corpus, decoder))
        self.process.start()
        there.close()
        self.number: int | None = None
        self.began = math.inf

    def send(self, number: int) -> None:
        self.number = number
        self.began = time.monotonic()
        self.connection.send(number)

    def deadline(self, patience: float) -> float:
        return min(self.began + patience, time.monotonic() + patience)

    def outcome(self) -> Outcome | None:
        """None from a process that is ready for its first file."""
        try:
            outcome: Outcome | None = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            code = self.process.exitcode or 0
            return self.fault("crash", signal.Signals(-code).name if code < 0 else f"exit {code}")
        return outcome

    def fault(self, verdict: str, message: str) -> Outcome:
        """The end of a process that cannot tell by itself."""
        self.end()
        if self.number is None:
            raise RuntimeError(f"A process could not be started: {verdict}, {message}.")
        return Outcome(self.number, verdict, time.monotonic() - self.began, 0, message)

    def end(self) -> None:
        """Whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _decode_files(connection: Connection, corpus: Corpus, decoder: Decoder) -> None:
    """In the process: until nobody asks any more."""
    warnings.simplefilter("ignore")  # Pillow's remarks on every second file
    _judged(0, original("PNG"), decoder)  # what a decoder starts once belongs to no file
    connection.send(None)
    while True:
        try:
            number = connection.recv()
        except EOFError:
            return
        connection.send(_judged(number, corpus.content(number), decoder))


def _judged(number: int, content: bytes, decoder: Decoder) -> Outcome:
    before = _memory("VmRSS")
    _forget_peak()
    allowed = MOST_GROWTH
    began = time.perf_counter()
    try:
        photograph = decoder(content)
    except ImageError as error:
        verdict, message = REFUSED, str(error)
        if not message.endswith(".") or len(message) > MOST_LETTERS or _FOREIGN.search(message):
            verdict = "foreign words"
    except Exception as error:
        verdict, message = "foreign exception", repr(error)
    else:
        verdict, message = SHOWN, f"{photograph.width} × {photograph.height}"
        photograph.pixels.max()  # pages that nobody has touched are in no account
        allowed += photograph.pixels.nbytes
    seconds = time.perf_counter() - began
    growth = max(0, _memory("VmHWM") - before)
    if verdict in (SHOWN, REFUSED) and growth > allowed:
        verdict = "growth"
    return Outcome(number, verdict, seconds, growth, message)


_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _memory(name: str) -> int:
    """Bytes of this process that are in memory now (VmRSS) or were at most (VmHWM)."""
    if not _STATUS.exists():
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.M)
    return 1024 * int(found[1]) if found else 0


def _forget_peak() -> None:
    if _CLEAR.exists():
        _CLEAR.write_text("5")  # proc(5): the peak becomes what is in memory now
