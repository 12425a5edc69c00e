"""Uploads of one visitor arrive few at once and within a share; others do not wait for them."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from effnet_viz.ui import visitors
from effnet_viz.ui.server.uploads import AT_ONCE, UploadShare
from tests import event_loop


async def nothing() -> Message:
    return {"type": "http.request"}


async def drop(_: Message) -> None:
    pass


def put(session: str, number: int) -> Scope:
    path = f"/base/_stcore/upload_file/{session}/{number}"
    return {"type": "http", "method": "PUT", "path": path}


def test_one_visitor_sends_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arriving: dict[str, int] = {}
    most: dict[str, int] = {}
    made_room: list[str] = []
    monkeypatch.setattr(visitors, "make_room", made_room.append)

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        session = scope["path"].split("/")[-2]
        arriving[session] = arriving.get(session, 0) + 1
        most[session] = max(most.get(session, 0), arriving[session])
        await asyncio.sleep(0.01)
        arriving[session] -= 1

    share = UploadShare(app)

    async def send_all() -> None:
        scopes = [put(session, number) for number in range(5) for session in ("one", "two")]
        await asyncio.gather(*(share(scope, nothing, drop) for scope in scopes))

    event_loop.run(send_all())
    assert most == {"one": AT_ONCE, "two": AT_ONCE}
    assert sorted(made_room) == ["one"] * 5 + ["two"] * 5
    assert not share._gates


@pytest.mark.parametrize(
    "scope",
    [
        {"type": "http", "method": "GET", "path": "/_stcore/health"},
        {"type": "http", "method": "DELETE", "path": "/_stcore/upload_file/one/1"},
        {"type": "websocket", "path": "/_stcore/stream"},
        {"type": "lifespan"},
    ],
)
def test_everything_else_passes(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(visitors, "make_room")
    passed: list[Scope] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        passed.append(scope)

    event_loop.run(UploadShare(app)(scope, nothing, drop))
    assert passed == [scope]
