"""A visitor's share of uploads, wherever on the pages they come from."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict

from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_UPLOAD_FILE

from effnet_viz.ui import visitors

AT_ONCE = 2
"""Uploads of one visitor that arrive at once; each takes its size in memory meanwhile."""

_UPLOAD = re.compile(rf"/{re.escape(BASE_ROUTE_UPLOAD_FILE)}/([^/]+)/[^/]+$")


class UploadShare:
    """ASGI middleware that lets go of a visitor's oldest files for the newest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: defaultdict[str, int] = defaultdict(int)
        self._gates: dict[str, asyncio.Semaphore] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, an upload in its visitor's turn."""
        upload = _UPLOAD.search(scope["path"]) if scope["type"] == "http" else None
        if upload is None or scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        session_id = upload[1]
        gate = self._gates.setdefault(session_id, asyncio.Semaphore(AT_ONCE))
        self._arriving[session_id] += 1
        try:
            async with gate:
                await self._app(scope, receive, send)
                visitors.make_room(session_id)
        finally:
            self._arriving[session_id] -= 1
            if not self._arriving[session_id]:
                del self._arriving[session_id], self._gates[session_id]
