"""What is set and loaded once for the whole process."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from importlib import import_module

from starlette.formparsers import MultiPartParser
from streamlit import net_util

_M_ARENA_MAX = -8
"""glibc's mallopt(3): how many heaps threads spread over."""


def torch_threads() -> int:
    """Half of the cores: gradients of small maps are no faster on two of two than on one."""
    return max(1, (os.cpu_count() or 1) // 2)


def calm_many_threads() -> None:
    """Every visitor is a thread: keep idle workers from spinning and heaps from piling up.

    Threads for NumPy's small products and OpenCV's small pictures took more from the engines than
    they gave. Has to come before torch, NumPy and OpenCV are loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(torch_threads()))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
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
    """What decodes photographs, the code of the main page, and the default model with its
    gradients: the first visitor waits for none of them."""
    # Imported here, so that the server answers before they are loaded.
    import numpy as np

    from effnet_viz.images import guarded
    from effnet_viz.models import zoo
    from effnet_viz.models.variants import ModelRef
    from effnet_viz.serving import models
    from effnet_viz.ui.explain import address, explanation  # noqa: F401

    guarded.start()
    import_module("pandas")  # Streamlit asks it about what a component gets
    model = models.get_model(ModelRef(zoo.DEFAULT))
    side = model.preprocessing.resolution
    images = np.zeros((1, 3, side, side), np.float32)
    activations = model.engine.forward(images)
    model.engine.explain(images, activations, [0])
    keep_out_of_collections()


def keep_out_of_collections() -> None:
    """What there is now is not looked at again by collections, which stop every visitor: 0.3 s for
    torch's half a million objects."""
    gc.collect()
    gc.freeze()
