"""Streamlit's static files behind what this server puts before them, without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message
from streamlit.web.server.starlette.starlette_app import create_streamlit_middleware
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from effnet_viz.ui.server.index_page import IndexPage
from effnet_viz.ui.server.static_files import CompressedFiles, CompressedStatic, static_folder
from tests import event_loop


@dataclass
class Answer:
    status: int = 0
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


def streamlit_alone(base: str = "") -> Starlette:
    """As `streamlit run` serves them."""
    return Starlette(
        routes=create_streamlit_static_assets_routes(base), middleware=create_streamlit_middleware()
    )


def served(base: str = "") -> ASGIApp:
    """As this server does."""
    own = [Middleware(CompressedStatic, CompressedFiles(static_folder())), Middleware(IndexPage)]
    return Starlette(
        routes=create_streamlit_static_assets_routes(base),
        middleware=[*own, *create_streamlit_middleware()],
    )


async def answers(
    app: ASGIApp, path: str, *, method: str = "GET", times: int = 1, **headers: str
) -> list[Answer]:
    """What the app answers to the same request, sent as often as this at the same moment."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }

    async def ask() -> Answer:
        answer = Answer()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], Headers(raw=message["headers"])
            else:
                answer.body += message["body"]

        await app(dict(scope), receive, send)
        return answer

    return await asyncio.gather(*(ask() for _ in range(times)))


def answer(app: ASGIApp, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """What the app answers; headers are written with underscores."""
    [only] = event_loop.run(answers(app, path, method=method, **headers))
    return only
