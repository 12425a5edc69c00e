"""What browsers may do with the app's pages: nothing but what the pages need."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from effnet_viz.ui.server import index_page

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

UNUSED_FEATURES = (
    *("accelerometer", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer"),
    *("microphone", "midi", "payment", "serial", "usb"),
)
"""Of browsers; the camera is used by the page itself, where a visitor takes a photograph."""


def _inline_scripts() -> list[str]:
    """The hashes of the scripts that stand in the page itself, as a policy names them."""
    scripts = _INLINE_SCRIPT.findall(index_page.content())
    digests = [hashlib.sha256(code.encode()).digest() for code in scripts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def content_security_policy() -> str:
    """Everything comes from this server; no page of another site may show the app in a frame."""
    rules = {
        "default-src": ["'none'"],
        # Streamlit imports the code of components (the viewer) from blob: URLs that it makes.
        "script-src": ["'self'", *_inline_scripts(), "blob:"],
        # Streamlit's, Plotly's and the viewer's styles are written into the page as it runs.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", "data:"],  # the camera's photograph, before it is sent
        "media-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in rules.items())


@cache
def security_headers() -> dict[str, str]:
    """The headers of every response. They are made once."""
    unused = [f"{feature}=()" for feature in UNUSED_FEATURES]
    return {
        "Content-Security-Policy": content_security_policy(),
        "Permissions-Policy": ", ".join(["camera=(self)", *unused]),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


class SecurityHeaders:
    """ASGI middleware that puts them on every response that passes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and adds the headers to the answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(security_headers())
            await send(message)

        await self._app(scope, receive, send_with_headers)
