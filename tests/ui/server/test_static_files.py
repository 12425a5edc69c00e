"""Streamlit's code is compressed once, and cached for good."""

from __future__ import annotations

import asyncio
import gzip
import threading
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from effnet_viz.ui.server import index_page, static_files
from effnet_viz.ui.server.representation import Representation, compressed
from effnet_viz.ui.server.static_files import CompressedFiles, static_folder
from tests import event_loop
from tests.ui.server.asgi import answer, answers, served, streamlit_alone

NAMES = [
    next(name for name in index_page.static_files() if name.endswith(kind))
    for kind in (".js", ".css")
]
BY_NAME = {name: (static_folder() / name).read_bytes() for name in NAMES}
FONT = next(name for name in index_page.static_files() if name.endswith(".woff2"))


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    return served()


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_sent_compressed_as_what_it_is(name: str, app: ASGIApp) -> None:
    found = answer(app, f"/static/{name}", accept_encoding="gzip, deflate, br")
    plain = answer(streamlit_alone(), f"/static/{name}")
    assert (found.status, found.headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(found.body) == plain.body == BY_NAME[name]
    assert int(found.headers["content-length"]) == len(found.body) < len(plain.body) / 2
    assert found.headers["content-type"] == plain.headers["content-type"]


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.0, br", "x-gzipped"])
@pytest.mark.parametrize("name", NAMES)
def test_who_does_not_accept_gzip_gets_it_plain(name: str, accepted: str, app: ASGIApp) -> None:
    found = answer(app, f"/static/{name}", accept_encoding=accepted)
    assert found.body == BY_NAME[name]
    assert "content-encoding" not in found.headers
    assert found.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", ["gzip", ""])
@pytest.mark.parametrize("name", [*NAMES, FONT])
def test_a_browser_keeps_it_for_a_year(name: str, accepted: str, app: ASGIApp) -> None:
    found = answer(app, f"/static/{name}", accept_encoding=accepted)
    rules = set(found.headers["cache-control"].split(", "))
    assert rules == {"public", f"max-age={365 * 24 * 60 * 60}", "immutable"}


def test_what_is_compressed_has_the_hash_of_its_content_in_its_name() -> None:
    texts = {".js", ".css", ".svg", ".json", ".html"}
    found = {file for file in static_folder().rglob("*") if file.suffix in texts}
    files = CompressedFiles(static_folder())
    assert found
    assert not {file for file in found if file.relative_to(static_folder()).as_posix() not in files}


def test_a_file_without_a_hash_in_its_name_is_left_to_streamlit(tmp_path: Path) -> None:
    for name in ("index.abcdefgh.js", "index.js", "font.abcdefgh.woff2"):
        (tmp_path / name).write_bytes(b"")
    files = CompressedFiles(tmp_path)
    assert "index.abcdefgh.js" in files
    assert "index.js" not in files
    assert "font.abcdefgh.woff2" not in files


def test_a_font_is_not_compressed_again(app: ASGIApp) -> None:
    found = answer(app, f"/static/{FONT}", accept_encoding="gzip")
    assert found.body == (static_folder() / FONT).read_bytes()
    assert "content-encoding" not in found.headers


def test_only_its_head_is_the_same_without_the_body(app: ASGIApp) -> None:
    path = f"/static/{NAMES[0]}"
    whole = answer(app, path, accept_encoding="gzip")
    head = answer(app, path, method="HEAD", accept_encoding="gzip")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == whole.headers


def test_who_has_it_is_not_sent_it_again(app: ASGIApp) -> None:
    path = f"/static/{NAMES[0]}"
    etag = answer(app, path, accept_encoding="gzip").headers["etag"]
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        found = answer(app, path, accept_encoding="gzip", if_none_match=held)
        assert (found.status, found.body, found.headers["etag"]) == (304, b"", etag)
        assert "max-age" in found.headers["cache-control"]
        assert "content-length" not in found.headers
    assert answer(app, path, accept_encoding="gzip", if_none_match='"other"').status == 200


def test_who_has_it_compressed_and_wants_it_plain_is_sent_it(app: ASGIApp) -> None:
    path = f"/static/{NAMES[0]}"
    etag = answer(app, path, accept_encoding="gzip").headers["etag"]
    assert answer(app, path, if_none_match=etag).body == BY_NAME[NAMES[0]]


def test_a_part_is_one_of_the_plain_file(app: ASGIApp) -> None:
    path, content = f"/static/{NAMES[0]}", BY_NAME[NAMES[0]]
    part = answer(app, path, accept_encoding="gzip", range="bytes=10-19")
    assert (part.status, part.body) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    # What somebody has of the compressed file is not continued with the plain one.
    etag = answer(app, path, accept_encoding="gzip").headers["etag"]
    whole = answer(app, path, accept_encoding="gzip", range="bytes=10-19", if_range=etag)
    assert (whole.status, whole.body) == (200, content)


@pytest.mark.parametrize("path", ["/static/js/missing.abcdefgh.js", f"/other/static/{NAMES[0]}"])
def test_what_is_not_there_is_not_sent(path: str, app: ASGIApp) -> None:
    found = answer(app, path, accept_encoding="gzip")
    assert found.headers["content-type"].startswith("text/html")  # Streamlit's page, for any path


@pytest.mark.parametrize(
    ("method", "path"), [("POST", f"/static/{NAMES[0]}"), ("GET", f"/static/../static/{NAMES[0]}")]
)
def test_what_streamlit_refuses_is_refused(method: str, path: str, app: ASGIApp) -> None:
    refused = answer(streamlit_alone(), path, method=method)
    assert refused.status >= 400
    found = answer(app, path, method=method, accept_encoding="gzip")
    assert (found.status, found.body) == (refused.status, refused.body)


def test_it_is_found_below_a_base_path(monkeypatch: pytest.MonkeyPatch) -> None:
    get_option = static_files.config.get_option
    monkeypatch.setattr(
        static_files.config,
        "get_option",
        lambda name: "/lab/" if name == "server.baseUrlPath" else get_option(name),
    )
    found = answer(served("lab"), f"/lab/static/{NAMES[0]}", accept_encoding="gzip")
    assert gzip.decompress(found.body) == BY_NAME[NAMES[0]]


def test_many_who_ask_at_once_wait_for_one_compression(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    threads: set[threading.Thread] = set()

    def compress(content: bytes) -> Representation:
        seen.append(content)
        threads.add(threading.current_thread())
        return compressed(content)

    monkeypatch.setattr(static_files, "compressed", compress)
    app = served()

    async def ask() -> set[bytes]:
        found = await answers(app, f"/static/{NAMES[0]}", times=30, accept_encoding="gzip")
        found += await answers(app, f"/static/{NAMES[0]}", accept_encoding="gzip")
        assert threading.current_thread() not in threads  # which would have blocked the loop
        return {one.body for one in found}

    [body] = event_loop.run(ask())
    assert gzip.decompress(body) == BY_NAME[NAMES[0]]
    assert seen == [BY_NAME[NAMES[0]]]


def test_one_who_leaves_does_not_take_it_away_from_the_others() -> None:
    files = CompressedFiles(static_folder())

    async def leave() -> Representation:
        leaving, staying = (asyncio.create_task(files.get(NAMES[0])) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert gzip.decompress(event_loop.run(leave()).body) == BY_NAME[NAMES[0]]


def test_a_file_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "index.abcdefgh.js"
    file.touch()
    files = CompressedFiles(tmp_path)
    file.unlink()

    async def ask_twice() -> Representation:
        with pytest.raises(FileNotFoundError):
            await files.get(file.name)
        file.write_bytes(b"code")
        return await files.get(file.name)

    assert gzip.decompress(event_loop.run(ask_twice()).body) == b"code"


def test_named_files_are_compressed_first_and_the_largest_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"plotly": bytes(300), "named": bytes(200), "small": b"", "medium": bytes(100)}
    for name, content in contents.items():
        (tmp_path / f"{name}.abcdefgh.js").write_bytes(content)
    sizes: list[int] = []

    def compress(content: bytes) -> Representation:
        sizes.append(len(content))
        return compressed(content)

    monkeypatch.setattr(static_files, "compressed", compress)
    event_loop.run(CompressedFiles(tmp_path).prepare(["named.abcdefgh.js"]))
    assert sizes == [200, 0, 100, 300]
