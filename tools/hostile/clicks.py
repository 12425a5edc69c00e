"""One visitor clicks as fast as a machine can; others must not notice."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tools.hostile.watch import PATIENCE, noticing
from tools.load.protocol import Event, Tab
from tools.load.server import Server
from tools.requirement import Requirement

AT_ONCE = 200
PER_SECOND, SECONDS = 10, 15
AFTERWARDS = 5.0
"""Seconds in which what was caused may still be noticed."""
MOST_SILENT, MOST_WAITED = 1.0, 2.0


async def measure(running: Server) -> list[Requirement]:
    """200 clicks at once, then ten a second for fifteen seconds."""
    found = []
    with ThreadPoolExecutor(8) as executor:
        for name, number, pause in (
            (f"{AT_ONCE} clicks at once", AT_ONCE, 0.0),
            (f"{PER_SECOND} clicks a second, {SECONDS} s", PER_SECOND * SECONDS, 1 / PER_SECOND),
        ):
            hasty = Tab(running.port, executor)
            await hasty.open(PATIENCE)
            async with noticing(running.port, executor) as noticed:
                hasty.begin()
                for click in range(number):
                    hasty.tell(Event("deck", "stage", 1 + click % 8))
                    await hasty.rerun()
                    await asyncio.sleep(pause)
                await asyncio.sleep(AFTERWARDS)
            await hasty.close()
            if noticed.problems or not noticed.waits:
                raise RuntimeError(f"The calm visitor met: {noticed.problems or 'no result'}")
            found += [
                Requirement(f"{name}: longest silence", max(noticed.silences), MOST_SILENT, "s"),
                Requirement(
                    f"{name}: another's longest wait", max(noticed.waits), MOST_WAITED, "s"
                ),
            ]
    return found
