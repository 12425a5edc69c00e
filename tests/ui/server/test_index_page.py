"""The page itself: its name and styles come before any code."""

from __future__ import annotations

import gzip
import re
import tomllib
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
from starlette.types import ASGIApp
from streamlit import file_util

from effnet_viz.ui.layout import theme
from effnet_viz.ui.server import index_page
from effnet_viz.ui.server.headers import content_security_policy
from tests.browser.visitor import ROOT
from tests.ui.server.asgi import answer, served, streamlit_alone

PATHS = ("/", "/scaling_lab", "/no_such_page", "/index.html")
STREAMLITS = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")


class Parts(HTMLParser):
    """The elements of a page in their order, each with its attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self._is_open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))
        self._is_open = True

    def handle_endtag(self, tag: str) -> None:
        self._is_open = self._is_open and tag != self.found[-1][0]

    def handle_data(self, data: str) -> None:
        if self._is_open:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def of(self, tag: str) -> list[tuple[int, dict[str, str | None], str]]:
        return [
            (place, attributes, text)
            for place, (name, attributes, text) in enumerate(self.found)
            if name == tag
        ]


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    return served()


RULES = resources.files("effnet_viz.ui.layout").joinpath("page.css").read_text("utf-8")
"""The style of all pages."""


@pytest.fixture(scope="module")
def parts(app: ASGIApp) -> Parts:
    return Parts(answer(app, "/").body.decode())


def test_the_style_comes_before_the_first_code(parts: Parts) -> None:
    [(place, _, style)] = parts.of("style")
    scripts = [number for number, *_ in parts.of("script")]
    modules = [n for n, attributes, _ in parts.of("script") if attributes.get("type") == "module"]
    assert modules
    assert place < min(scripts)
    assert style.index(theme.css_tokens()) < style.index(RULES)


def test_it_has_the_apps_name_and_says_what_the_app_is(parts: Parts) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [(_, _, title)] = parts.of("title")
    assert title.strip() == project["name"]
    [description] = [m["content"] for _, m, _ in parts.of("meta") if m.get("name") == "description"]
    assert description == project["description"]
    [(_, attributes, _)] = parts.of("html")
    assert attributes["lang"] == "en"


def test_the_rest_is_streamlits(parts: Parts) -> None:
    rest = [part for part in Parts(STREAMLITS).found if part[0] != "title"]
    ours = [(tag, attributes) for tag, attributes, _ in parts.found]
    assert [part[:2] for part in rest if part[:2] not in ours] == []


@pytest.mark.parametrize("accepted", ["gzip", ""])
@pytest.mark.parametrize("path", PATHS)
def test_every_address_gets_the_same(path: str, accepted: str, app: ASGIApp) -> None:
    found = answer(app, path, accept_encoding=accepted)
    body = gzip.decompress(found.body) if accepted else found.body
    assert (found.status, body.decode()) == (200, index_page.content())
    assert found.headers.get("content-encoding", "") == accepted
    assert int(found.headers["content-length"]) == len(found.body)
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["cache-control"] == "no-cache"
    assert found.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", PATHS)
def test_only_its_head_is_the_same_without_the_body(path: str, app: ASGIApp) -> None:
    head = answer(app, path, method="HEAD", accept_encoding="gzip")
    assert (head.status, head.body) == (200, b"")
    whole = answer(app, path, accept_encoding="gzip")
    assert sorted(head.headers.items()) == sorted(whole.headers.items())


def test_who_has_it_is_not_sent_it_again(app: ASGIApp) -> None:
    etag = answer(app, "/", accept_encoding="gzip").headers["etag"]
    found = answer(app, "/scaling_lab", accept_encoding="gzip", if_none_match=etag)
    assert (found.status, found.body) == (304, b"")
    assert (found.headers["etag"], found.headers["cache-control"]) == (etag, "no-cache")


def test_who_has_streamlits_page_is_sent_this_one(app: ASGIApp) -> None:
    """A browser that has opened another app of Streamlit's at the same address."""
    had = answer(streamlit_alone(), "/").headers
    asked = {"if_none_match": had["etag"], "if_modified_since": had["last-modified"]}
    assert answer(streamlit_alone(), "/", **asked).status == 304
    found = answer(app, "/", **asked)
    assert (found.status, found.body.decode()) == (200, index_page.content())


def test_a_part_of_it_is_all_of_it(app: ASGIApp) -> None:
    found = answer(app, "/", range="bytes=10-19")
    assert (found.status, found.body.decode()) == (200, index_page.content())
    assert not {"content-range", "accept-ranges"} & set(found.headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/favicon.png"), ("GET", "/scaling_lab/"), ("GET", "//a.example"), ("POST", "/")],
)
def test_other_answers_are_streamlits(method: str, path: str, app: ASGIApp) -> None:
    found, theirs = (answer(one, path, method=method) for one in (app, streamlit_alone()))
    assert (found.status, found.body) == (theirs.status, theirs.body)
    assert found.headers == theirs.headers


def test_the_policy_names_its_inline_scripts_and_no_others(parts: Parts) -> None:
    inline = [text for _, attributes, text in parts.of("script") if "src" not in attributes]
    assert inline
    hashes = {f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in inline}
    rules = dict(rule.split(" ", 1) for rule in content_security_policy().split("; "))
    assert {s for s in rules["script-src"].split() if s.startswith("'sha256-")} == hashes


def test_all_that_it_asks_for_at_once_is_known() -> None:
    wanted = {
        (attributes.get("src") or attributes.get("href") or "").removeprefix("./static/")
        for tag in ("script", "link")
        for _, attributes, _ in Parts(STREAMLITS).of(tag)
        if "./static/" in (attributes.get("src") or attributes.get("href") or "")
    }
    assert wanted
    assert set(index_page.static_files()) == wanted


def test_no_change_of_a_page_styles_all_of_it_anew() -> None:
    """A selector that asks what any element has inside is asked again at every change: 7 ms."""
    selectors = re.findall(r"[^{};/]*:has\([^{}]*(?=\{)", re.sub(r"/\*.*?\*/", "", RULES))
    assert selectors
    for selector in selectors:
        assert not re.search(r"(^|[\s>+~,])\*?:has\(", selector.strip()), selector
        assert not re.search(r":has\([^{]*\)\s*>?\s*\*", selector), selector
        assert not re.search(r":has\([^{]*\[class", selector), selector
