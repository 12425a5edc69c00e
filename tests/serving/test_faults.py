"""What goes wrong on a server that runs for long: each is survived and told in a sentence."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from effnet_viz.models.variants import ModelRef
from effnet_viz.serving import models
from effnet_viz.serving.cache import SharedCache
from effnet_viz.serving.queue import CapacityLimiter, notifying
from tests.choices import one_of_many
from tests.conftest import loaded
from tests.serving.threads import PATIENCE, hold, in_thread

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux bounds addresses reliably.")
@pytest.mark.parametrize("megabytes", one_of_many([100, 300, 700], [300]))
def test_too_large_a_network_is_a_matter_of_memory_and_the_server_goes_on(megabytes: int) -> None:
    """B7 takes 0.6 to 1.2 GB of addresses; it fails while it is built, folded or converted."""
    program = f"""
        import resource
        from pathlib import Path
        import numpy as np
        from effnet_viz import load
        small, x = load("lite0"), np.zeros((1, 3, 224, 224), np.float32)
        before = small.engine.forward(x).logits
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + {megabytes} * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            load("b7", untrained=True)
        except MemoryError as error:
            assert "Take a smaller resolution or a smaller model" in str(error), error
            print("refused")
        assert np.array_equal(small.engine.forward(x).logits, before)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "refused\n"), run.stderr


def test_two_models_share_room_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is loaded when it has its turn, and both visitors get what they get alone."""
    room = models._nbytes(loaded("lite0").structure)
    monkeypatch.setattr(models, "_models", SharedCache(room))
    monkeypatch.setattr(models, "_shared", SharedCache(room))
    image = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    refs = [ModelRef("lite0", untrained=True), ModelRef("lite0")]

    def ask(ref: ModelRef) -> np.ndarray:
        return models.get_model(ref).engine.forward(image).logits

    with ThreadPoolExecutor(2) as pool:
        asked = list(pool.map(ask, refs))
    for ref, logits in zip(refs, asked, strict=True):
        alone = loaded(ref.key, untrained=ref.untrained)
        assert np.array_equal(logits, alone.engine.forward(image).logits)
    assert models._models.nbytes <= room


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_the_wall_clock_may_jump(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits and turns go by the clock that only counts on."""
    limiter = CapacityLimiter(slots=1, timeout=PATIENCE)
    begun, end, told = threading.Event(), threading.Event(), threading.Event()
    first = in_thread(lambda: hold(limiter, begun, end))
    assert begun.wait(PATIENCE)

    def wait() -> str:
        with notifying(lambda _: told.set()), limiter.turn():
            return "had a turn"

    second = in_thread(wait)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    assert told.wait(PATIENCE)
    assert not second.done()
    end.set()
    first.result(PATIENCE)
    assert second.result(PATIENCE) == "had a turn"
