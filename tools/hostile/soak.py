"""Visitors come, look around, upload, reload and leave, for long: does anything pile up?"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.load.expectations import write_book
from tools.load.scenarios import Outcome, Plan, put_load
from tools.load.server import Server
from tools.requirement import Requirement

VISITORS = 6
SLICE_SECONDS = 60.0
WARM_UP = 3
"""Slices in which caches fill and heaps find their size."""
SHARE = 4
"""The median of this part of the slices counts, the first and the last quarter: a connection that
is just being closed is nothing that piles up."""
SHORTEST = WARM_UP + 7
"""Slices: two of a kind at both ends."""
SCENARIOS = ("photographs", "sample")
MORE_MEMORY, MORE_LATENCY = 5.0, 20.0
"""In percent."""


async def measure(running: Server, minutes: int) -> list[Requirement]:
    """Mixed load; the last minutes compared with the first warm ones of the same kind."""
    book = await asyncio.to_thread(write_book, VISITORS, 1)
    states: list[State] = []
    for number in range(max(minutes, SHORTEST)):
        scenario = SCENARIOS[number % 2]
        plan = Plan(scenario, VISITORS, SLICE_SECONDS, seed=number, think=(0.5, 2.0))
        outcome = await put_load(plan, book, running)
        if outcome.errors or outcome.foreign:
            raise RuntimeError(f"Minute {number}: {[*outcome.errors, *outcome.foreign][:3]}")
        await asyncio.sleep(1)
        state = State(running.memory(), *_open(running.process), _latency(outcome))
        sys.stderr.write(f"minute {number}: {state}\n")
        states.append(state)
    # Uploads and samples take turns: compare slices of one kind.
    kind = states[WARM_UP + (len(states) - 1 - WARM_UP) % 2 :: 2]
    count = max(2, len(kind) // SHARE)
    first, last = _medians(kind[:count]), _medians(kind[-count:])
    return [
        Requirement("memory more", 100 * (last.memory / first.memory - 1), MORE_MEMORY, "%"),
        Requirement("threads more", last.threads - first.threads, 0, ""),
        Requirement("file handles more", last.handles - first.handles, 0, ""),
        Requirement(
            "median latency more", 100 * (last.latency / first.latency - 1), MORE_LATENCY, "%"
        ),
    ]


class State(NamedTuple):
    """Of the server after a slice."""

    memory: float
    threads: float
    handles: float
    latency: float
    """Median seconds to a first picture."""


def _medians(states: Sequence[State]) -> State:
    return State(*map(statistics.median, zip(*states, strict=True)))


def _latency(outcome: Outcome) -> float:
    return statistics.median(
        m.first_picture for m in outcome.measured if m.action == "class" and m.first_picture
    )


def _open(process: int) -> tuple[int, int]:
    """Threads and file handles of a process."""
    folder = Path(f"/proc/{process}")
    return len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))
