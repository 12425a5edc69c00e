"""Garbage is collected when it is quiet, in place of Streamlit's collection after every run.

A few clicks would stop everybody: a collection looks at all of torch's objects.
"""

from __future__ import annotations

import gc
import time

QUIET = 0.1
"""Of one core over a second; above it, somebody waits for something."""
WORTH_COLLECTING = 0.5
"""Seconds of work that leave something to collect: a page takes about 0.1."""
LONGEST_WITHOUT = 20.0
"""Seconds after which garbage is collected although it is not quiet."""


def is_time_to_collect(last_second: float, since_collection: float, waited: float) -> bool:
    """Whether to collect garbage now.

    Seconds of the processor in the last second and since the last collection, seconds since then.
    """
    if since_collection < WORTH_COLLECTING:
        return False
    return last_second < QUIET or waited >= LONGEST_WITHOUT


def collect_when_quiet() -> None:
    """Looks once a second, for as long as the process runs."""
    collected, collected_at = time.process_time(), time.monotonic()
    before = collected
    while True:
        time.sleep(1)
        now = time.process_time()
        if is_time_to_collect(now - before, now - collected, time.monotonic() - collected_at):
            gc.collect()
            now = collected = time.process_time()
            collected_at = time.monotonic()
        before = now
