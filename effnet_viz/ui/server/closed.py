"""What Streamlit tells of itself to whoever asks, and this server tells nobody."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_routes import ROUTE_METRICS

_CLOSED = (f"/{ROUTE_METRICS}",)
"""Ends of paths, below any server.baseUrlPath."""


class ClosedPaths:
    """ASGI middleware that answers 404, as for anything that is not there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers itself, or passes on."""
        if scope["type"] == "http" and scope["path"].endswith(_CLOSED):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
