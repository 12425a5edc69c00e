"""A visitor's share of uploads, wherever on the pages they come from."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_UPLOAD_FILE

from effnet_viz.ui import visitors
from effnet_viz.ui.upload import MAX_MEGABYTES

AT_ONCE = 2
"""Uploads of one visitor that arrive at once; each takes its size in memory meanwhile."""

LARGE_AT_ONCE = 2
"""Checkpoints of all visitors that arrive at once."""

LONGEST = 600.0
"""Seconds in which a checkpoint has to arrive: whoever is slower holds up the others."""

MOST_BYTES = (MAX_MEGABYTES + 2) * 2**20
"""Of a request with anything but a checkpoint: what a file is wrapped in has its room, too."""

_UPLOAD = re.compile(rf"/{re.escape(BASE_ROUTE_UPLOAD_FILE)}/([^/]+)/[^/]+$")

_FILE_NAME = re.compile(rb'filename="([^"\r\n]{1,1000})"')

_HEAD = 8192
"""Bytes in which the name of a file has to stand."""


class UploadShare:
    """ASGI middleware that lets go of a visitor's oldest files for the newest.

    Only checkpoints, where the operator allows them, may be larger than a photograph; of these, few
    arrive at once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: defaultdict[str, int] = defaultdict(int)
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, an upload in its visitor's turn."""
        upload = _UPLOAD.search(scope["path"]) if scope["type"] == "http" else None
        if upload is None or scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        session_id = upload[1]
        gate = self._gates.setdefault(session_id, asyncio.Semaphore(AT_ONCE))
        self._arriving[session_id] += 1
        body = _Body(receive, self._large)
        try:
            async with gate:
                await self._app(scope, body.receive, send)
                visitors.make_room(session_id)
        except ClientDisconnect:
            pass  # nobody is there to be answered, and nothing has been kept
        finally:
            body.close()
            self._arriving[session_id] -= 1
            if not self._arriving[session_id]:
                del self._arriving[session_id], self._gates[session_id]


class _Body:
    """The body of a request while it arrives: how large it may be, its file's name decides."""

    def __init__(self, receive: Receive, large: asyncio.Semaphore) -> None:
        self._receive = receive
        self._large = large
        self._head = b""
        self._count = 0
        self._due: float | None = None
        """When it has to be there, in seconds of the loop; None while it is no large one."""

    async def receive(self) -> Message:
        """The next part. Raises HTTPException, which Streamlit's application answers."""
        try:
            async with asyncio.timeout_at(self._due):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "Too slow") from None
        part: bytes = message.get("body", b"")
        self._head += part[: _HEAD - len(self._head)]
        self._count += len(part)
        if self._count > MOST_BYTES and self._due is None:
            named = _FILE_NAME.search(self._head)
            if named is None or not visitors.is_checkpoint(named[1].decode("utf-8", "replace")):
                raise HTTPException(413, "File too large")
            await self._large.acquire()
            self._due = asyncio.get_running_loop().time() + LONGEST
        return message

    def close(self) -> None:
        """The next large one may come."""
        if self._due is not None:
            self._large.release()
