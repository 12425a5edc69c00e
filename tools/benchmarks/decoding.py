"""`python -m tools.benchmarks.decoding`: what it costs to decode in a process of its own.

Both ways take turns, so that whatever else the machine does slows them alike.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable

from PIL import Image

from effnet_viz.assets import SAMPLES
from effnet_viz.images.decode import decode
from effnet_viz.images.guarded import decode_guarded
from effnet_viz.images.photograph import Photograph

ROUNDS = 21
MOST_MILLISECONDS, MOST_SHARE = 30.0, 0.15
"""More than decoding here; whichever is more."""


def photographs() -> dict[str, bytes]:
    """A sample of this project, and the same as a phone of 12 megapixels would give it."""
    sample = SAMPLES / "cat.jpg"
    file = io.BytesIO()
    with Image.open(sample) as picture:
        picture.resize((4000, 3000), Image.Resampling.BICUBIC).save(file, "JPEG", quality=92)
    return {"sample": sample.read_bytes(), "12 megapixels": file.getvalue()}


def main() -> int:
    """Print both times; 1 when the process costs more than it may."""
    lines = [
        "| photograph | here (ms) | in a process (ms) | more |",
        "| --- | ---: | ---: | ---: |",
    ]
    holds = True
    for name, content in photographs().items():
        here, there = [], []
        for _ in range(ROUNDS):
            here.append(_milliseconds(decode, content))
            there.append(_milliseconds(decode_guarded, content))
        one, other = statistics.median(here), statistics.median(there)
        holds &= other - one <= max(MOST_MILLISECONDS, MOST_SHARE * one)
        lines.append(f"| {name} | {one:.0f} | {other:.0f} | {other - one:.0f} ms |")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if holds else 1


def _milliseconds(decoder: Callable[[bytes], Photograph], content: bytes) -> float:
    began = time.perf_counter()
    decoder(content)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
