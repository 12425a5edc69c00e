"""`effnet-viz serve`: what it sets before anything large is loaded."""

from __future__ import annotations

import json
import subprocess
import sys

SERVED = """
import json, sys
from types import SimpleNamespace
from effnet_viz.cli import serve
sys.modules["effnet_viz.ui.server.start"] = SimpleNamespace(serve=lambda *_, **__: None)
assert serve.run([]) == 0
import cv2, numpy, scipy.linalg
from threadpoolctl import threadpool_info
threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
print(json.dumps([threads, cv2.getNumThreads()]))
"""


def test_small_products_and_pictures_take_no_threads_from_the_engines() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVED], capture_output=True, text=True, check=True, timeout=120
    )
    blas, pictures = json.loads(done.stdout)
    assert set(blas) == {1}
    assert pictures == 1
