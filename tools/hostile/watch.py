"""What others notice meanwhile: silence of the health endpoint, a visitor who looks around."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tools.load.protocol import HOST, Event, Step, Tab

PATIENCE = 120.0
"""Seconds that a visitor waits for one action."""
EVERY = 0.05
"""Seconds between two questions to the health endpoint."""
STAGES = (7, 6, 5, 8)
"""Where the calm visitor looks; the page starts at the last."""


@dataclass
class Noticed:
    """What a calm visitor and the operator noticed."""

    silences: list[float] = field(default_factory=list)
    """Seconds until the health endpoint answered, each time."""
    waits: list[float] = field(default_factory=list)
    """Seconds until the calm visitor had the picture of each action."""
    problems: list[str] = field(default_factory=list)


@asynccontextmanager
async def noticing(port: int, executor: Executor) -> AsyncIterator[Noticed]:
    """A calm visitor who goes from stage to stage, and the health endpoint, while it is hostile."""
    noticed = Noticed()
    calm = Tab(port, executor)
    await calm.open(PATIENCE)
    await _look(calm, STAGES[0])  # whatever is loaded on first use
    tasks = [
        asyncio.create_task(_ask_health(port, noticed)),
        asyncio.create_task(_look_around(calm, noticed)),
    ]
    try:
        yield noticed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await calm.close()


async def _ask_health(port: int, noticed: Noticed) -> None:
    while True:
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(f"GET /_stcore/health HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
        await reader.readline()
        writer.close()
        noticed.silences.append(time.perf_counter() - began)
        await asyncio.sleep(EVERY)


async def _look_around(calm: Tab, noticed: Noticed) -> None:
    for number in range(10**6):
        step, seconds = await _look(calm, STAGES[number % len(STAGES)])
        noticed.problems += step.problems
        noticed.waits.append(seconds)
        await asyncio.sleep(0.2)


async def _look(calm: Tab, stage: int) -> tuple[Step, float]:
    def ready() -> bool:
        return any(f"stage {stage} " in text for text in calm.alternative_texts())

    step = calm.begin()
    calm.tell(Event("deck", "stage", stage))
    await calm.rerun()
    await calm.complete(PATIENCE, ready)
    return step, time.perf_counter() - step.sent
