"""Visitors keep all they can: uploads of the largest size, in the field and past it."""

from __future__ import annotations

import asyncio
import io
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from effnet_viz.images.decode import MAX_BYTES
from tools.hostile.watch import PATIENCE
from tools.load.protocol import ProtocolError, Tab
from tools.load.server import Server
from tools.requirement import Requirement

SESSIONS, FILES = 10, 12
MOST_MORE = 1.2e9
SHARE_LEFT = 0.10
AFTERWARDS = 60.0
"""Seconds after they left."""


def largest_file(seed: int) -> bytes:
    """A photograph of noise whose file is as large as any that is taken."""
    side = math.isqrt(MAX_BYTES // 3) - 8
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)  # (H, W, 3)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", compress_level=0)
    # What follows the end of a PNG is no part of the picture.
    return file.getvalue().ljust(MAX_BYTES, b"\0")


async def measure(running: Server) -> list[Requirement]:
    """Ten visitors with twelve files of 20 MB each, and what is left after they have gone."""
    with ThreadPoolExecutor(SESSIONS) as executor:
        first = Tab(running.port, executor)
        await first.open(PATIENCE)
        await first.close()
        before = running.memory()
        tabs = [Tab(running.port, executor) for _ in range(SESSIONS)]
        most = before
        for number, tab in enumerate(tabs):
            await tab.open(PATIENCE)
            for file in range(FILES):
                tab.begin()
                try:
                    content = largest_file(FILES * number + file)
                    await tab.upload("files", f"{file}.png", content)
                    await tab.rerun()
                    await tab.complete(PATIENCE)
                except ProtocolError as error:
                    raise RuntimeError(f"Visitor {number} could not upload: {error}") from error
                explained = f"Your image {file}.png."
                if not any(text.startswith(explained) for text in tab.alternative_texts()):
                    raise RuntimeError(f"Visitor {number} does not see image {file}.")
                most = max(most, running.memory())
        await asyncio.gather(*(tab.close() for tab in tabs))
        await asyncio.sleep(AFTERWARDS)
    return [
        Requirement(
            f"{SESSIONS} visitors × {FILES} × {MAX_BYTES // 2**20} MB: memory more",
            (most - before) / 1e9,
            MOST_MORE / 1e9,
            "GB",
        ),
        Requirement(
            f"{AFTERWARDS:.0f} s after they left: memory more",
            100 * (running.memory() - before) / before,
            100 * SHARE_LEFT,
            "%",
        ),
    ]
