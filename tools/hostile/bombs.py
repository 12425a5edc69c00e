"""Files that take as long as they may, and an honest photograph beside them."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from effnet_viz.assets import SAMPLES
from tools.fuzz.bombs import BOMBS
from tools.hostile.watch import PATIENCE
from tools.load.protocol import Tab
from tools.load.server import Server
from tools.requirement import Requirement

AT_ONCE = 4
SIZE = 1_000_000
MOST_WAITED, MOST_MORE = 3.0, 0.4
"""Seconds, and gigabytes beyond the pictures that turned out to be good, which visitors look at:
two decoders and what is given back only when it is quiet (server/garbage.py)."""


async def measure(running: Server) -> list[Requirement]:
    """Four visitors with the slowest of the bombs each, a fifth with a photograph of a cat."""
    pictures = await asyncio.to_thread(_slowest)
    costly = list(pictures)
    with ThreadPoolExecutor(16) as executor:
        tabs = [Tab(running.port, executor) for _ in range(AT_ONCE + 1)]
        for tab in tabs:
            await tab.open(PATIENCE)
        *hostile, honest = tabs
        before = running.memory()
        sent = [
            asyncio.create_task(_send(tab, name, BOMBS[name](SIZE)))
            for tab, name in zip(hostile, costly, strict=True)
        ]
        await asyncio.sleep(0.3)  # they are first
        cat = (SAMPLES / "cat.jpg").read_bytes() + b"another id"
        waited = await _send(honest, "cat.jpg", cat)
        memory = running.memory()
        await asyncio.gather(*sent)
        memory = max(memory, running.memory())
        for tab in tabs:
            await tab.close()
    return [
        Requirement(f"a photograph beside {', '.join(costly)}", waited, MOST_WAITED, "s"),
        Requirement(
            "memory more than their pictures",
            (memory - before - sum(pictures.values())) / 1e9,
            MOST_MORE,
            "GB",
        ),
    ]


def _slowest() -> dict[str, int]:
    """The bombs that keep a decoder busy for longest, the slowest first, and what each holds.

    That is the bytes of its picture, 0 for one that is refused.
    """
    from effnet_viz.images.guarded import decode_guarded
    from effnet_viz.images.photograph import ImageError

    took, nbytes = {}, {}
    for name, bomb in BOMBS.items():
        content = bomb(SIZE)
        began = time.perf_counter()
        nbytes[name] = 0
        with suppress(ImageError):  # both are answers
            nbytes[name] = decode_guarded(content).pixels.nbytes
        took[name] = time.perf_counter() - began
    slowest = sorted(took, key=took.__getitem__, reverse=True)[:AT_ONCE]
    return {name: nbytes[name] for name in slowest}


async def _send(tab: Tab, name: str, content: bytes) -> float:
    """Seconds until the page has said what it is, or that it is refused."""
    step = tab.begin()
    await tab.upload("files", name, content)
    await tab.rerun()
    await tab.complete(PATIENCE, lambda: any(name in text for text in tab.texts()))
    return time.perf_counter() - step.sent
