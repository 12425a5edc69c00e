"""The page that a browser gets for every address, before any code of Streamlit's runs.

It is Streamlit's own with the app's name and styles in it: what is styled later moves what a
visitor already reads.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, file_util, url_util

from effnet_viz.assets import ICON
from effnet_viz.ui.layout import theme
from effnet_viz.ui.server.representation import accepts_gzip, compressed, plain

TITLE = "effnet-viz"
DESCRIPTION = (
    "See what an EfficientNet looks at: predictions beside class activation maps, Grad-CAM and "
    "feature maps."
)
_STREAMLITS_TITLE = "<title>Streamlit</title>"
_STATIC = re.compile(r'(?:src|href)="\./static/([^"]+)"')


def _file() -> Path:
    return Path(file_util.get_static_dir(), "index.html")


def _style() -> str:
    rules = resources.files("effnet_viz.ui.layout").joinpath("page.css")
    return f"{theme.css_tokens()}\n{rules.read_text(encoding='utf-8')}"


@cache
def content() -> str:
    """The page. Raises ValueError if Streamlit's has no title to put it in the place of."""
    streamlits = _file().read_text(encoding="utf-8")
    before, title, after = streamlits.partition(_STREAMLITS_TITLE)
    if not title:
        raise ValueError(f"{_file()} has no {_STREAMLITS_TITLE}.")
    # Streamlit would look for its server below the page's own path first, and be told 404.
    root = f"/{config.get_option('server.baseUrlPath').strip('/')}".rstrip("/")
    base = f"window.__streamlit = {{ BACKEND_BASE_URL: location.origin + {json.dumps(root)} }};"
    head = (
        f"<title>{TITLE}</title>\n"
        f'    <meta name="description" content="{DESCRIPTION}" />\n'
        f"    <style>\n{_style()}    </style>\n"
        f"    <script>{base}</script>"
    )
    return before + head + after


def static_files() -> list[str]:
    """What the page asks for at once, as paths below Streamlit's static folder."""
    return _STATIC.findall(content())


def icon_route() -> Route:
    """The app's icon, where the page asks for Streamlit's.

    One that a page sets would be a file of that page, gone when a visitor is quick to leave it.
    """
    path = url_util.make_url_path(config.get_option("server.baseUrlPath"), "favicon.png")
    return Route(path, lambda _: FileResponse(ICON))


class IndexPage:
    """ASGI middleware that sends this page wherever Streamlit would send its own.

    Which addresses those are is Streamlit's to say: its page is known by its ETag, also where it
    says that the browser still has it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._etag = FileResponse(_file(), stat_result=_file().stat()).headers["ETag"]
        page = content().encode()
        self._plain, self._compressed = plain(page), compressed(page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and sends another page where the answer is Streamlit's."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_or_replace(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                replaced = Headers(scope=message).get("ETag") == self._etag
                if replaced:
                    await self._send(scope, message, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, send_or_replace)

    async def _send(self, scope: Scope, start: Message, send: Send) -> None:
        request = Headers(scope=scope)
        page = self._compressed if accepts_gzip(request) else self._plain
        headers = MutableHeaders(scope=start)  # with cookies, where Streamlit sets them
        for name in ("Accept-Ranges", "Content-Encoding", "Content-Range", "Last-Modified"):
            del headers[name]
        headers.update({"Content-Type": "text/html; charset=utf-8", **page.headers()})
        body = b"" if scope["method"] == "HEAD" else page.body
        start["status"] = 200
        if page.is_held(request):
            del headers["Content-Length"], headers["Content-Encoding"], headers["Content-Type"]
            start["status"], body = 304, b""
        await send(start)
        await send({"type": "http.response.body", "body": body})
