"""Shared fixtures: sample photographs, models loaded once per run, a served app, a browser tab."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache

import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from effnet_viz import Analysis, Model, analyse, load
from effnet_viz.assets import SAMPLES
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import architectures, checkpoints, model, variants
from effnet_viz.models.model import of_entry
from tests.browser.visitor import ARGUMENTS, PATIENCE, WIDE, serving

# One for all processes of the tests and for the next run: entries go by the code that makes them.
os.environ.setdefault("EFFNET_VIZ_CACHE", f"{tempfile.gettempdir()}/effnet-viz-tests")

BROWSER = (
    "tests/browser/",
    "tests/tools/test_first_visit.py",
    "tests/ui/server/",
    "tests/ui/test_compare_page.py",
)
"""Where tests drive the served app: all of them in one process share a server and a browser."""


class OneBrowser(LoadScopeScheduling):
    """Spreads tests over processes by file, and those of the browser together."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith(BROWSER) else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneBrowser:
    return OneBrowser(config, log)


@pytest.fixture(autouse=True)
def leaves_the_process_as_it_was() -> Iterator[None]:
    """With other variables or threads, what later tests start computes other last digits."""
    variables, threads = _variables(), torch.get_num_threads()
    yield
    assert _variables() == variables
    assert torch.get_num_threads() == threads


def _variables() -> dict[str, str]:
    """Of this project and of threads; libraries set their own when they are first imported."""
    ours = ("EFFNET_VIZ_", "OMP_")
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(ours) or "THREADS" in name
    }


@cache
def loaded(key: str, *, untrained: bool = False) -> Model:
    """load(), once per run: converting a network for its engine takes seconds."""
    return load(key, untrained=untrained)


@cache
def eager(key: str, *, untrained: bool = False) -> Model:
    """The same on PyTorch alone, which converts nothing."""
    entry = variants.find(key)
    state, file = (None, None) if untrained else checkpoints.load_state_dict(entry)
    return of_entry(entry, TorchEngine(architectures.build(entry, state)), file)


@pytest.fixture
def on_torch_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Converting a network for another engine takes seconds, and its maps are the same.

    What the server has kept of such networks goes with the test.
    """
    from effnet_viz.serving import models
    from effnet_viz.ui import results

    monkeypatch.setattr(model, "create", lambda network, _: TorchEngine(network))
    monkeypatch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
    yield
    for kept in (models._models, models._shared, results._results):
        kept.clear()


@pytest.fixture(scope="session")
def lite0() -> Model:
    return loaded("lite0")


@pytest.fixture(scope="session")
def cat(lite0: Model) -> Analysis:
    return analyse(SAMPLES / "cat.jpg", lite0)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing; .ci/run installs it.")
        pytest.skip("There is no Chromium on this machine: install Debian's package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the app with no weight file of torchvision and no way to them."""
    with serving(tmp_path_factory.mktemp("server"), ["-m", "effnet_viz.cli", "serve"]) as url:
        yield url


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=WIDE, accept_downloads=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails the test when anything in it is reported as an error."""
    page = context.new_page()
    errors: list[str] = []
    page.on(
        "console", lambda m: errors.append(f"{m.text} {m.location}") if m.type == "error" else None
    )
    page.on("pageerror", lambda e: errors.append(f"{e} {e.stack}"))
    yield page
    assert errors == []


@pytest.fixture
def sent(page: Page) -> list[int]:
    """Sizes of the websocket messages from the browser to the server."""
    sizes: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: sizes.append(len(payload)))

    page.on("websocket", listen)
    return sizes
