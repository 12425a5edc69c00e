"""Starts the app with its default model already in memory: python -m effnet_viz.ui.server

Takes the options of `streamlit run`, such as --server.port.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path
from threading import Thread

from starlette.formparsers import MultiPartParser
from streamlit import config
from streamlit.web import cli

APP = Path(__file__).parents[2] / "app.py"

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
    """Uploads are never written to disk: those above 1 MB would pass through temporary files."""
    largest = config.get_option("server.maxUploadSize") * 2**20
    MultiPartParser.spool_max_size = 2 * largest


def _warm_up() -> None:
    # Imported here, so that the server answers before torch is loaded.
    import torch

    from effnet_viz import serving, zoo

    model = serving.shared(zoo.DEFAULT, untrained=False)
    side = model.entry.resolution
    model.engine.forward(torch.zeros(1, 3, side, side))  # (1, 3, R, R)
    # Streamlit collects garbage after every run of a page. With torch's half a million objects that
    # stops every visitor for 0.3 s; frozen, they are not looked at again.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _calm_many_threads()
    _keep_uploads_in_memory()
    Thread(target=_warm_up, daemon=True).start()
    sys.exit(cli.main(["run", str(APP), *sys.argv[1:]]))
