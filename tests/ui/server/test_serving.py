"""A server as a class uses it: shared, with metrics, and with mistakes in it."""

from __future__ import annotations

import http.client
import re
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
import websockets
from playwright.sync_api import BrowserContext, Page, expect
from prometheus_client.parser import text_string_to_metric_families

from effnet_viz.assets import ICON
from effnet_viz.images.decode import MAX_BYTES
from effnet_viz.ui import words
from effnet_viz.ui.server import index_page
from effnet_viz.ui.server.headers import security_headers
from tests import event_loop
from tests.browser.visitor import add_photographs, explained, go_to, serving
from tests.conftest import SAMPLES
from tests.ui.server.faulty import IN_A_CALLBACK, IN_A_REQUEST, IN_THE_FRAME, SECRET
from tools.load.protocol import Tab

PATIENCE = 60.0
ELSEWHERE = "127.0.0.2"
"""Another address of this computer, which a server reaches that listens on every interface."""
MISTAKE = re.compile(r"Something went wrong in this app; .* the number ([0-9a-f]{8})\.$")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Served:
    url: str
    log: Path

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def request(
        self,
        path: str,
        method: str = "GET",
        host: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[http.client.HTTPResponse, str]:
        """The answer to a request whose path is sent as it stands."""
        connection = http.client.HTTPConnection(host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response, response.read().decode(errors="replace")
        finally:
            connection.close()

    def visit(self, act: Callable[[Tab], Awaitable[Value]]) -> Value:
        """What a visitor does in a tab that has opened the app."""

        async def visited() -> Value:
            with ThreadPoolExecutor() as pool:
                tab = Tab(self.port, pool)
                await tab.open(PATIENCE)
                try:
                    return await act(tab)
                finally:
                    await tab.close()

        return event_loop.run(visited())

    def is_explained(self, sentence: str) -> bool:
        """Whether a visitor reads no more than a number, and the log has the error under it."""
        found = MISTAKE.search(sentence)
        assert found, sentence
        log = self.log.read_text(encoding="utf-8")
        logged = log[log.index(f"Error {found[1]}\n") :]
        return SECRET not in sentence and SECRET in logged


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("shared")
    with serving(folder, ["-m", "tests.ui.server.faulty", "--share", "--metrics"]) as url:
        yield Served(url, folder / "log")


def test_the_icon_is_the_apps(served: Served) -> None:
    with urllib.request.urlopen(f"{served.url}favicon.png") as response:
        assert response.read() == ICON.read_bytes()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/scaling_lab", 200),
        ("HEAD", "/favicon.png", 200),
        ("GET", "/_stcore/health", 200),
        ("GET", "/_stcore/host-config", 200),
        ("GET", "/metrics", 200),
        ("GET", "/scaling_lab/", 301),
        ("GET", "//elsewhere.example/", 400),
        ("PUT", "/_stcore/upload_file/session/file", 403),
        ("GET", "/media/nothing", 404),
        ("GET", "/_stcore/metrics", 404),
        ("POST", "/", 405),
        ("GET", f"/media/{IN_A_REQUEST}", 500),
    ],
)
def test_every_answer_has_the_headers(method: str, path: str, status: int, served: Served) -> None:
    response, _ = served.request(path, method)
    assert response.status == status
    for name, value in security_headers().items():
        assert response.headers.get_all(name) == [value]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize("path", ["/", "/scaling_lab", f"/static/{index_page.static_files()[-1]}"])
def test_what_is_compressed_has_the_headers_too(path: str, accepted: str, served: Served) -> None:
    response, _ = served.request(path, headers={"Accept-Encoding": accepted})
    assert response.status == 200
    assert response.headers.get("Content-Encoding", "identity") == accepted
    for name, value in security_headers().items():
        assert response.headers.get_all(name) == [value]


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/%6Detrics", "/x/_stcore/metrics"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_streamlits_own_metrics_are_not_there(method: str, path: str, served: Served) -> None:
    response, text = served.request(path, method)
    nothing, nothing_said = served.request("/_stcore/agent/nothing")
    assert (response.status, text) == (nothing.status, nothing_said) == (404, "Not Found")


def test_a_request_that_fails_ends_in_a_sentence(served: Served) -> None:
    _, text = served.request(f"/media/{IN_A_REQUEST}")
    assert served.is_explained(text)


def test_a_shared_server_can_be_opened_from_another_address(served: Served) -> None:
    response, text = served.request("/", host=ELSEWHERE)
    assert response.status == 200
    assert "Streamlit" in text

    async def connect(origin: str) -> None:
        url = f"ws://{ELSEWHERE}:{served.port}/_stcore/stream"
        protocols = [websockets.Subprotocol("streamlit")]
        async with websockets.connect(
            url, origin=websockets.Origin(origin), subprotocols=protocols, proxy=None
        ):
            pass

    event_loop.run(connect(f"http://{ELSEWHERE}:{served.port}"))
    with pytest.raises(websockets.InvalidStatus):
        event_loop.run(connect("http://elsewhere.example"))


def test_what_the_operator_can_watch(served: Served) -> None:
    async def look(_: Tab) -> str:
        return served.request("/metrics")[1]

    families = {f.name: f for f in text_string_to_metric_families(served.visit(look))}
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert values["effnet_viz_result_seconds_count", "forward"] >= 1
    assert values["effnet_viz_result_seconds_sum", "forward"] > 0
    assert values["effnet_viz_cached", "models"] >= 1
    assert values["effnet_viz_cached_bytes", "models"] > 2**20
    assert values["effnet_viz_cached_bytes", "results"] > 2**20
    assert values["effnet_viz_waiting", "networks"] == 0
    assert values["effnet_viz_running", "photographs"] == 0
    assert values["effnet_viz_sessions",] >= 1
    assert values["process_resident_memory_bytes",] > 50 * 2**20
    labels = {name for f in families.values() for sample in f.samples for name in sample.labels}
    assert labels == {"result", "le", "queue", "cache"}


SHOWN = "Explained: espresso, "


def padded(size: int) -> bytes:
    """A photograph whose file has this size."""
    content = (SAMPLES / "espresso.jpg").read_bytes()
    return content + bytes(size - len(content))


@pytest.mark.parametrize(("more", "said"), [(0, SHOWN), (1, "larger than 20 MB")])
def test_a_file_of_exactly_the_limit_passes_and_one_above_it_is_refused_in_a_sentence(
    more: int, said: str, served: Served
) -> None:
    async def upload(tab: Tab) -> str:
        step = tab.begin()
        await tab.upload("files", "cup.jpg", padded(MAX_BYTES + more))
        await tab.rerun()
        await tab.complete(PATIENCE)
        return "\n".join(tab.texts() + step.problems)

    told = served.visit(upload)
    assert said in told
    assert (SHOWN in told) == (more == 0)


def test_a_mistake_in_a_callback_ends_in_a_sentence(served: Served) -> None:
    async def run_into_it(tab: Tab) -> list[str]:
        step = tab.begin()
        await tab.upload("files", IN_A_CALLBACK, b"")
        await tab.rerun()
        await tab.complete(PATIENCE)
        return step.problems

    [problem] = served.visit(run_into_it)
    assert served.is_explained(problem)


@pytest.mark.browser
def test_the_page_comes_back_after_a_mistake(page: Page, served: Served, tmp_path: Path) -> None:
    page.goto(served.url)
    explained(page, "tiger cat")
    add_photographs(page, SAMPLES / "palace.jpg")
    explained(page, "palace")
    file = tmp_path / IN_A_CALLBACK
    file.write_bytes(b"no picture")
    add_photographs(page, file)
    expect(page.get_by_text("Something went wrong in this app")).to_be_visible()
    assert SECRET not in page.content()
    page.get_by_role("button", name="Show the page again").click()
    explained(page, "palace")
    sentence = page.get_by_text("Something went wrong in this app")
    expect(sentence).to_have_count(0)

    go_to(page, IN_THE_FRAME)  # outside of every boundary
    expect(sentence).to_be_visible()
    assert served.is_explained(sentence.inner_text())
    assert SECRET not in page.content()


# Noted where the browser itself reports them: a line on the console could be missed.
NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event =>
    window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""


@pytest.mark.browser
def test_no_page_asks_for_more_than_the_policy_allows(
    context: BrowserContext, served: Served
) -> None:
    """Other pages' own tests fail at a violation on their console."""
    context.grant_permissions(["camera"])
    page = context.new_page()
    page.add_init_script(NOTE_VIOLATIONS)
    page.emulate_media(color_scheme="dark")
    page.goto(served.url)
    explained(page, "tiger cat")
    page.get_by_role("button", name=words.DETAILS).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=words.SAVE_NPZ).click()
    assert download.value.suggested_filename.endswith(".npz")
    page.keyboard.press("Escape")
    go_to(page, "Scaling rules")
    page.get_by_text(words.SCALING_BUYS).click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    go_to(page, "Explain an image")
    page.get_by_role("button", name="Camera").click()
    video = page.locator("video").element_handle()
    page.wait_for_function("video => video.videoWidth > 0", arg=video)
    page.get_by_role("button", name=words.BROWSER["take"]).click()
    expect(page.get_by_role("button", name=words.BROWSER["remove"], exact=True)).to_be_visible()
    assert page.evaluate("[...document.fonts].every(font => font.status !== 'error')")
    # Streamlit's library for whole numbers of 64 bits tries WebAssembly, and goes on without.
    tolerated = ["script-src wasm-eval"]
    assert page.evaluate("window.violations") == tolerated
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://a.example'}))")
    page.wait_for_function("() => window.violations.length > 1")
    assert page.evaluate("window.violations") == [*tolerated, "img-src https://a.example/"]
