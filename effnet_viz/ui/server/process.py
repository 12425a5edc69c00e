"""What is set and loaded once for the whole process."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

from starlette.formparsers import MultiPartParser
from streamlit import net_util

_M_ARENA_MAX = -8
"""glibc's mallopt(3): how many heaps threads spread over."""


def torch_threads() -> int:
    """Half of the cores: gradients of small maps are no faster on two of two than on one."""
    return max(1, (os.cpu_count() or 1) // 2)


def calm_many_threads() -> None:
    """Every visitor is a thread: keep idle workers from spinning and heaps from piling up.

    Has to come before torch is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(torch_threads()))
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, 2)


def keep_uploads_in_memory() -> None:
    """Uploads are never written to disk: those above 1 MB would pass through temporary files.

    Streamlit refuses more than server.maxUploadSize while it arrives, so memory is bounded.
    """
    MultiPartParser.spool_max_size = sys.maxsize


def report_nothing() -> None:
    """A websocket from another site's page makes Streamlit ask a server on the internet for this
    computer's address, up to two seconds in which nobody is answered.

    Addresses by which the app may be opened are known without it.
    """
    net_util.get_external_ip = lambda: None


def prepare() -> None:
    """What decodes photographs, and the default model: the first visitor waits for neither."""
    # Imported here, so that the server answers before torch is loaded.
    import numpy as np

    from effnet_viz.images import guarded
    from effnet_viz.models import zoo
    from effnet_viz.models.variants import ModelRef
    from effnet_viz.serving import models

    guarded.start()
    model = models.get_model(ModelRef(zoo.DEFAULT))
    side = model.preprocessing.resolution
    model.engine.forward(np.zeros((1, 3, side, side), np.float32))
    # A collection looks at torch's half a million objects and stops every visitor for 0.3 s;
    # frozen, they are not looked at again.
    gc.collect()
    gc.freeze()
