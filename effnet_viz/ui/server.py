"""Serves the app with its default model already in memory: `effnet-viz serve`."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from collections.abc import Sequence
from threading import Thread
from typing import NoReturn

from starlette.formparsers import MultiPartParser
from streamlit.web import cli

from effnet_viz.assets import APP

_M_ARENA_MAX = -8
"""glibc's mallopt(3): how many heaps threads spread over."""


def torch_threads() -> int:
    """Half of the cores: gradients of small maps are no faster on two of two than on one."""
    return max(1, (os.cpu_count() or 1) // 2)


def _calm_many_threads() -> None:
    """Every visitor is a thread: keep idle workers from spinning and heaps from piling up.

    Has to come before torch is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(torch_threads()))
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, 2)


def _keep_uploads_in_memory() -> None:
    """Uploads are never written to disk: those above 1 MB would pass through temporary files.

    Streamlit refuses more than server.maxUploadSize while it arrives, so memory is bounded.
    """
    MultiPartParser.spool_max_size = sys.maxsize


def _warm_up() -> None:
    # Imported here, so that the server answers before torch is loaded.
    import numpy as np

    from effnet_viz.models import zoo
    from effnet_viz.models.variants import ModelRef
    from effnet_viz.serving import models

    model = models.get_model(ModelRef(zoo.DEFAULT))
    side = model.preprocessing.resolution
    model.engine.forward(np.zeros((1, 3, side, side), np.float32))
    # A collection looks at torch's half a million objects and stops every visitor for 0.3 s;
    # frozen, they are not looked at again.
    gc.collect()
    gc.freeze()


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


def _collect_when_quiet() -> None:
    """In place of Streamlit's collection after every run: a few clicks would stop everybody."""
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


def serve(options: Sequence[str]) -> NoReturn:
    """Serve the app until the process is ended; `options` are those of `streamlit run`.

    Streamlit takes pages and settings from beside the main page, whatever folder it is started in.
    """
    _calm_many_threads()
    _keep_uploads_in_memory()
    Thread(target=_warm_up, daemon=True).start()
    Thread(target=_collect_when_quiet, daemon=True).start()
    sys.exit(cli.main(["run", str(APP), *options], prog_name="streamlit"))
