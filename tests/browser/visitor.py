"""What the browser tests share: a served app, a visitor's clicks."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).parents[2]
PATIENCE = 120_000
"""Milliseconds; a loaded machine takes its time."""
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

# Chromium tries to reach its maker's servers otherwise.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a camera, for those who allow it
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    folder: Path,
    program: Sequence[str],
    variables: Mapping[str, str] | None = None,
    *,
    root: Path = ROOT,
) -> Iterator[str]:
    """The app on a free port, started as `python PROGRAM` with these environment variables.

    Weights go to the folder; the app is that of the checkout `root`.
    """
    port = free_port()
    # A proxy that refuses: the official weights cannot be reached, wherever the tests run.
    closed = f"http://127.0.0.1:{free_port()}"
    environment = os.environ | {
        "TORCH_HOME": str(folder),
        "https_proxy": closed,
        "http_proxy": closed,
        "no_proxy": "127.0.0.1",
        **(variables or {}),
    }
    options = ["--server.port", str(port), "--server.headless", "true"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *program, *options],
            cwd=root,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}/"
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(url + "_stcore/health", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.2)
            else:
                pytest.fail(f"The app did not start: {(folder / 'log').read_text()}")
            yield url
        finally:
            server.terminate()
            server.wait(20)


TARGETS_TOO = {"rules": {"target-size": {"enabled": True}}}
"""axe looks at the size of targets, 24 pixels, only when asked to."""

expect.set_options(timeout=PATIENCE)


def explained(page: Page, label: str) -> None:
    """Waits until both maps explain this class."""
    headline = page.get_by_role("heading", name=re.compile(f"^{re.escape(label)}, ", re.I))
    expect(headline).to_be_visible()
    for method in ("CAM", "Grad-CAM"):
        pane = pane_of(page, method)
        expect(pane).to_have_attribute("aria-label", re.compile(f"class “{label}”"))
        image = pane.locator("img.photograph")
        page.wait_for_function("image => image.naturalWidth > 100", arg=image.element_handle())
    expect(page.locator('.stage[aria-busy="true"]:visible')).to_have_count(0)


def pane_of(page: Page, method: str) -> Locator:
    """The picture of a map: CAM, Grad-CAM or a channel."""
    return page.locator(f'.stage[aria-label^="{method} over the photograph"]')


def reading_of(page: Page, method: str) -> Locator:
    """What the picture says of the place under the pointer: in a line of its own, or its text."""
    figure = page.locator("figure", has=pane_of(page, method))
    return figure.locator(".reading:visible, .under .grow").last


def choose_photograph(page: Page, key: str) -> None:
    page.get_by_role("radiogroup", name="Photograph").locator(f'[data-key="{key}"]').click()


def choose_stage(page: Page, stage: int) -> None:
    group = page.get_by_role("radiogroup", name="Stage of Grad-CAM")
    group.get_by_role("radio", name=f"Stage {stage},").click()


def await_all_stages(page: Page) -> Locator:
    """Opens the page again until it has the maps of all stages; the button that plays them.

    Once for a machine, the gradients are still being converted when a page opens.
    """
    play = page.get_by_role("button", name="Play all stages")
    until = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            expect(play).to_be_visible(timeout=20_000)
        except AssertionError:
            assert time.monotonic() < until
            page.reload()
        else:
            return play


def choose(page: Page, group: str, key: str) -> None:
    pictures = page.get_by_role("radiogroup", name=group, exact=True)
    pictures.locator(f'button[data-key="{key}"]').click()


def go_to(page: Page, title: str) -> None:
    """Another page, by the list in the strip."""
    page.get_by_role("button", name="effnet-viz").click()
    page.get_by_role("navigation").get_by_role("link", name=title).click()


def add_photographs(page: Page, files: str | Path | Sequence[str | Path]) -> None:
    """By the button of the strip and the browser's file chooser."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Photo", exact=True).click()
    chooser.value.set_files(files)


def await_kept(page: Page, count: int) -> None:
    """Waits until the browser keeps so many of the tab's photographs for a reload."""
    page.wait_for_function(
        """async (count) => {
          const done = (request) => new Promise((resolve) => {
            request.onsuccess = () => resolve(request.result);
          });
          const base = await done(indexedDB.open("effnet-viz"));
          const shelf = base.transaction("photographs").objectStore("photographs");
          const kept = await done(shelf.count());
          base.close();
          return kept === count;
        }""",
        arg=count,
    )


def barriers(page: Page) -> list[str]:
    """What keeps people with disabilities out, as axe finds it: nothing, if all is well."""
    return [
        f"{found['id']}: {found['help']}: {[node['target'] for node in found['nodes']]}"
        for found in Axe().run(page, options=TARGETS_TOO).response["violations"]
    ]


def more(page: Page) -> None:
    page.get_by_role("toolbar").get_by_role("button", name="More").click()
