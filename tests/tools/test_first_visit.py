"""A first visit is measured as the browser sees it, on a page of which everything is known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from effnet_viz.ui.words import PAGES
from tests.browser.visitor import ROOT
from tools.first_visit.__main__ import FIRST_MAP, page_address
from tools.first_visit.visit import Line, Size, visit
from tools.load.protocol import HOST
from tools.load.server import Server

SIZE = Size(1000, 800)
SENT = 100_000
PUSHED = 200
"""CSS pixels that the text moves down, which is all the page shows."""
SHOWN_AFTER = 0.3
PAGE = f"""<!DOCTYPE html>
<body style="margin: 0">
<div data-testid="stApp" data-test-script-state="notRunning"></div>
<div data-testid="text" style="height: {SIZE.height}px; background: teal">text</div>
<div id="part"></div>
<script>
  const root = document.getElementById("part").attachShadow({{ mode: "open" }});
  root.innerHTML = '<canvas class="heat" width="0" height="0"></canvas>';
  fetch("/large");
  setTimeout(() => {{
    root.firstChild.width = root.firstChild.height = 100;
    document.querySelector("[data-testid=stApp]").style.height = "{PUSHED}px";
  }}, {1000 * SHOWN_AFTER});
</script>
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "large").write_bytes(bytes(SENT))
    (folder / "favicon.ico").touch()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}/"
        server.shutdown()


@pytest.mark.browser
def test_what_a_visit_cost(chromium: Browser, address: str) -> None:
    made = visit(chromium, address, SIZE, FIRST_MAP, wait_for_it=True)
    headers = made.received["/large"] - SENT
    assert 0 < headers < 1000
    assert made.total == sum(made.received.values()) > SENT + len(PAGE)
    assert made.requests == len(made.received)
    assert made.shown is not None
    assert made.shown >= SHOWN_AFTER
    # The share of the window that it is of, all, times how far it moved in longest sides.
    [shift] = made.shifts
    assert shift.value == made.layout_shift == pytest.approx(PUSHED / max(SIZE.width, SIZE.height))
    assert shift.sources == (f"div.text (0,0,1000,800 → 0,{PUSHED},1000,{800 - PUSHED})",)
    assert shift.at >= SHOWN_AFTER


@pytest.mark.browser
def test_a_slow_line_is_slow(chromium: Browser, address: str) -> None:
    slow = Line(bits_per_second=8e6, latency=2 * SHOWN_AFTER, slowdown=1)
    made = visit(chromium, address, SIZE, FIRST_MAP, line=slow, wait_for_it=True)
    assert made.shown is not None
    assert made.shown >= slow.latency + SHOWN_AFTER


@pytest.mark.browser
def test_what_is_never_shown_has_no_time(chromium: Browser, address: str) -> None:
    assert visit(chromium, address, SIZE, "canvas.other").shown is None


def test_the_pages_are_those_that_streamlit_finds() -> None:
    running = Server(0, 8501, Path("log"), 0, 0)
    paths = {page_address(running, path).partition(":8501/")[2] for path in PAGES}
    assert paths == {"", *(page.stem for page in (ROOT / "pages").glob("*.py"))}
