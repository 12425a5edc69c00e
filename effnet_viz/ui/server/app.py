"""The app as an ASGI application: what a request passes through, what a mistake leads to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from threading import Thread

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from streamlit.starlette import App

from effnet_viz.assets import APP
from effnet_viz.ui.layout.mistakes import report, sentence_of, show_mistake
from effnet_viz.ui.server import address, garbage, index_page
from effnet_viz.ui.server.closed import ClosedPaths
from effnet_viz.ui.server.headers import SecurityHeaders, security_headers
from effnet_viz.ui.server.index_page import IndexPage
from effnet_viz.ui.server.static_files import CompressedFiles, CompressedStatic, static_folder
from effnet_viz.ui.server.uploads import UploadShare


def create_app(*, metrics: bool) -> App:
    """Pages, uploads, websocket and, where its operator wants them, metrics."""
    files = CompressedFiles(static_folder())
    return App(
        APP,
        lifespan=partial(_running, files),
        routes=[index_page.icon_route(), *(_metrics_routes() if metrics else [])],
        # What a request passes on its way in, from the outside to Streamlit. What refuses a
        # visitor's share of the server comes last, so that its refusals carry the headers.
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(ClosedPaths),
            Middleware(CompressedStatic, files),
            Middleware(IndexPage),
            Middleware(UploadShare),
        ],
        on_script_error=_end_in_a_sentence,
        exception_handlers={Exception: _answer_with_a_sentence},
    )


@asynccontextmanager
async def _running(files: CompressedFiles, _: App) -> AsyncIterator[None]:
    Thread(target=garbage.collect_when_quiet, daemon=True).start()
    preparing = asyncio.create_task(files.prepare(index_page.static_files()))
    address.announce()
    yield
    preparing.cancel()


def _metrics_routes() -> list[BaseRoute]:
    from effnet_viz.ui.server import metrics  # its library takes a tenth of a second

    return [metrics.route()]


def _end_in_a_sentence(error: Exception) -> bool:
    """For what no boundary on the page sees, such as a mistake in a widget's callback."""
    show_mistake(error, again=True)
    return True  # Streamlit shows nothing of it


def _answer_with_a_sentence(_: Request, error: Exception) -> PlainTextResponse:
    """For a request whose answer fails. It passes by the middleware, hence the headers."""
    return PlainTextResponse(sentence_of(report(error)), 500, security_headers())
