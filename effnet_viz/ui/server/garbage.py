"""Garbage is collected when it is quiet, in place of Streamlit's collection after every run.

A few clicks would stop everybody: a collection looks at all of torch's objects. What is held of
visitors who have left goes at the same moments.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time

from effnet_viz.ui import visitors
from effnet_viz.ui.server import process

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
    has_torch = False
    while True:
        time.sleep(1)
        left = forget_gone()
        now = time.process_time()
        waited = time.monotonic() - collected_at
        if left or is_time_to_collect(now - before, now - collected, waited):
            if not has_torch and "torch" in sys.modules:  # since the last collection
                has_torch = True
                process.keep_out_of_collections()
            else:
                gc.collect()
            _give_back_memory()
            now = collected = time.process_time()
            collected_at = time.monotonic()
        before = now


def forget_gone() -> bool:
    """Lets go of what is held of visitors who have left; whether anybody has."""
    gone, images, collectable = visitors.forget_gone()
    if gone:
        from effnet_viz.serving import uploads  # loaded by now: there have been visitors
        from effnet_viz.ui import results

        closed = {key for visitor in gone for key in uploads.release(visitor)}
        for identity in images | closed:
            results.forget(identity)
    return collectable


def _give_back_memory() -> None:
    """glibc keeps what is freed between two blocks in use; what it can, goes back."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
