"""Streamlit's own code and styles, which it sends as they are: compressed once, then from memory.

Uncompressed, the first page is 2 MB that a browser has to wait for before it draws anything.
"""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, file_util, url_util
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_STATIC

from effnet_viz.ui.server.representation import Representation, accepts_gzip, compressed

_HASHED_TEXT = re.compile(r".+\.[\w-]{8}\.(js|css|svg|json|html)")
"""A file whose name carries a hash of its content, and which gzip makes smaller."""
_FOR_GOOD = "public, max-age=31536000, immutable"
"""For a year: under another content it would have another name. Streamlit says the same."""


def static_folder() -> Path:
    """What Streamlit serves under /static."""
    return Path(file_util.get_static_dir(), BASE_ROUTE_STATIC)


class CompressedFiles:
    """The texts in a folder by their path below it, each compressed when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): file
            for file in folder.rglob("*")
            if _HASHED_TEXT.fullmatch(file.name)
        }
        self._compressions: dict[str, asyncio.Task[Representation]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._files

    async def get(self, name: str) -> Representation:
        """The compressed file. Whoever asks while it is being compressed waits for the same."""
        compression = self._compressions.get(name)
        if compression is None or (compression.done() and compression.exception()):
            work = asyncio.to_thread(self._compress, name)
            compression = self._compressions[name] = asyncio.create_task(work)
        # One who leaves must not take it away from the others.
        return await asyncio.shield(compression)

    async def prepare(self, first: Iterable[str]) -> None:
        """Compresses everything, the named files first and the largest ones last."""
        by_size = sorted(self._files, key=lambda name: self._files[name].stat().st_size)
        for name in dict.fromkeys([*first, *by_size]):
            await self.get(name)

    def _compress(self, name: str) -> Representation:
        return compressed(self._files[name].read_bytes())


class CompressedStatic:
    """ASGI middleware that answers for these files where the client accepts gzip.

    Everything else passes on to Streamlit: plain files, and parts of them (Range).
    """

    def __init__(self, app: ASGIApp, files: CompressedFiles) -> None:
        self._app = app
        self._files = files
        self._prefix = url_util.make_url_path(
            config.get_option("server.baseUrlPath"), f"{BASE_ROUTE_STATIC}/"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers itself, or passes on."""
        name = self._requested(scope)
        if name is None:
            await self._app(scope, receive, send)
            return
        request = Headers(scope=scope)
        if not accepts_gzip(request) or "Range" in request:
            await self._app(scope, receive, _varying(send))
            return
        file = await self._files.get(name)
        headers = {"Cache-Control": _FOR_GOOD, **file.headers()}
        if file.is_held(request):
            del headers["Content-Length"], headers["Content-Encoding"]
            response = Response(status_code=304, headers=headers)
        else:
            body = b"" if scope["method"] == "HEAD" else file.body
            response = Response(body, headers=headers, media_type=mimetypes.guess_type(name)[0])
        await response(scope, receive, send)

    def _requested(self, scope: Scope) -> str | None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return None
        path: str = scope["path"]
        name = path.removeprefix(self._prefix)
        return name if name != path and name in self._files else None


def _varying(send: Send) -> Send:
    """Tells caches that others get this file compressed."""

    async def send_varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return send_varying
