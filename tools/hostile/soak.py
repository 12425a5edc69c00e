"""Visitors come, look around, upload, reload and leave, for long: does anything pile up?"""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

from tools.load.expectations import write_book
from tools.load.scenarios import Outcome, Plan, put_load
from tools.load.server import Server
from tools.requirement import Requirement

VISITORS = 6
SLICE_SECONDS = 60.0
WARM_UP = 3
"""Slices in which caches fill and heaps find their size."""
MORE_MEMORY, MORE_LATENCY = 5.0, 20.0
"""In percent."""


async def measure(running: Server, minutes: int) -> list[Requirement]:
    """Mixed load; the last minute compared with the first warm one."""
    book = await asyncio.to_thread(write_book, VISITORS, 1)
    states: list[tuple[int, int, int]] = []
    latencies: list[float] = []
    for number in range(max(minutes, WARM_UP + 3)):
        scenario = ("photographs", "sample")[number % 2]
        plan = Plan(scenario, VISITORS, SLICE_SECONDS, seed=number, think=(0.5, 2.0))
        outcome = await put_load(plan, book, running)
        if outcome.errors or outcome.foreign:
            raise RuntimeError(f"Minute {number}: {[*outcome.errors, *outcome.foreign][:3]}")
        latencies.append(_latency(outcome))
        await asyncio.sleep(1)
        states.append((running.memory(), *_open(running.process)))
    # Uploads and samples take turns: compare with a slice of the same kind.
    first = WARM_UP + (len(states) - 1 - WARM_UP) % 2
    (memory, threads, handles), (memory_last, threads_last, handles_last) = (
        states[first],
        states[-1],
    )
    return [
        Requirement("memory more", 100 * (memory_last / memory - 1), MORE_MEMORY, "%"),
        Requirement("threads more", threads_last - threads, 0, ""),
        Requirement("file handles more", handles_last - handles, 0, ""),
        Requirement(
            "median latency more", 100 * (latencies[-1] / latencies[first] - 1), MORE_LATENCY, "%"
        ),
    ]


def _latency(outcome: Outcome) -> float:
    return statistics.median(
        m.first_picture for m in outcome.measured if m.action == "class" and m.first_picture
    )


def _open(process: int) -> tuple[int, int]:
    """Threads and file handles of a process."""
    folder = Path(f"/proc/{process}")
    return len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))
