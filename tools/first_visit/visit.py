"""One visit with an empty cache, as the browser's own instruments see it."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession, Page

PATIENCE = 180.0
"""Seconds until a page has to be complete."""
EVERY = 0.2
"""Seconds between two looks at the page."""
QUIET = 10
"""Looks without a new request, message or shift, after which a page is complete. Looks, for a busy
page does not answer, however long it takes."""
NOTICE = (Path(__file__).parent / "notice.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Size:
    """Of a window, in CSS pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


@dataclass(frozen=True)
class Line:
    """A slow way to the server, and a slow computer."""

    bits_per_second: float
    latency: float
    """Seconds."""
    slowdown: float
    """How many times slower the browser's computer is."""


@dataclass(frozen=True)
class Shift:
    """What moved although nobody had touched anything."""

    value: float
    at: float
    """Seconds from the beginning of the visit."""
    sources: tuple[str, ...]
    """What moved, from where to where (x, y, width, height); the largest area first."""


@dataclass(frozen=True)
class Visit:
    """What a visit cost."""

    received: Mapping[str, int]
    """Bytes over the wire by where they came from: responses with their headers, and the payload
    of the websocket."""
    requests: int
    shifts: tuple[Shift, ...]
    shown: float | None
    """Seconds until what the visitor came for was there; None: it never was."""

    @property
    def total(self) -> int:
        """Over the wire, all together."""
        return sum(self.received.values())

    @property
    def layout_shift(self) -> float:
        """The sum of all shifts of the visit, which is never less than the sum of a window."""
        return sum(shift.value for shift in self.shifts)


@dataclass
class _Traffic:
    events: int = 0
    requests: dict[str, str] = field(default_factory=dict)
    """Addresses."""
    received: Counter[str] = field(default_factory=Counter)

    def note_request(self, event: dict[str, Any]) -> None:
        self.events += 1
        url = event["request"]["url"]
        if url.startswith("http"):  # data: and blob: are no way to the server
            self.requests[event["requestId"]] = url

    def note_response(self, event: dict[str, Any]) -> None:
        self.events += 1
        if url := self.requests.get(event["requestId"]):
            self.received[urlsplit(url).path] += int(event["encodedDataLength"])

    def note_frame(self, event: dict[str, Any]) -> None:
        self.events += 1
        frame = event["response"]
        is_text = frame["opcode"] == 1
        data = frame["payloadData"]
        size = len(data.encode() if is_text else base64.b64decode(data))
        self.received["the websocket"] += size


def visit(
    browser: Browser,
    url: str,
    size: Size,
    selector: str,
    *,
    line: Line | None = None,
    wait_for_it: bool = False,
) -> Visit:
    """Opens a page as for the first time and waits until it is complete. Raises TimeoutError.

    The selector is of what the visitor comes for, also in shadow trees; `wait_for_it` where every
    visitor has to see it.
    """
    with _tab(browser, size) as page:
        page.add_init_script(f"{{\nconst SELECTOR = {json.dumps(selector)};\n{NOTICE}}}")
        session = page.context.new_cdp_session(page)
        traffic = _watch(session)
        if line is not None:
            _slow_down(session, line)
        page.goto(url, wait_until="commit")
        _wait_until_complete(page, traffic, wait_for_it)
        noticed = page.evaluate("() => window.firstVisit")
    shown = noticed["shown"]
    shifts = [Shift(s["value"], s["at"] / 1000, tuple(s["sources"])) for s in noticed["shifts"]]
    return Visit(
        received=traffic.received,
        requests=len(traffic.requests),
        shifts=tuple(sorted(shifts, key=lambda shift: -shift.value)),
        shown=None if shown is None else shown / 1000,
    )


@contextmanager
def _tab(browser: Browser, size: Size) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": size.width, "height": size.height})
    try:
        yield context.new_page()
    finally:
        context.close()


def _watch(session: CDPSession) -> _Traffic:
    traffic = _Traffic()
    session.on("Network.requestWillBeSent", traffic.note_request)
    session.on("Network.loadingFinished", traffic.note_response)
    session.on("Network.webSocketFrameReceived", traffic.note_frame)
    session.on("Network.webSocketFrameSent", traffic.note_frame)
    session.send("Network.enable")
    return traffic


def _slow_down(session: CDPSession, line: Line) -> None:
    bytes_per_second = line.bits_per_second / 8
    conditions = {
        "offline": False,
        "latency": line.latency * 1000,
        "downloadThroughput": bytes_per_second,
        "uploadThroughput": bytes_per_second,
    }
    session.send("Network.emulateNetworkConditions", conditions)
    session.send("Emulation.setCPUThrottlingRate", {"rate": line.slowdown})


def _wait_until_complete(page: Page, traffic: _Traffic, wait_for_it: bool) -> None:
    limit = time.monotonic() + PATIENCE
    seen, quiet = None, 0
    while time.monotonic() < limit:
        page.wait_for_timeout(EVERY * 1000)
        has_run = page.locator("[data-testid=stApp][data-test-script-state=notRunning]").count()
        noticed = page.evaluate("() => window.firstVisit")
        now = (traffic.events, len(noticed["shifts"]))
        is_complete = has_run and not (wait_for_it and noticed["shown"] is None)
        quiet = quiet + 1 if is_complete and now == seen else 0
        seen = now
        if quiet == QUIET:
            return
    raise TimeoutError(
        f"{page.url} was not complete after {PATIENCE:.0f} s. Its script "
        f"{'has ended' if has_run else 'runs'}, what was waited for was shown at "
        f"{noticed['shown']} ms, {traffic.events} requests, answers and messages."
    )
