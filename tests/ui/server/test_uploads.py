"""Uploads of one visitor arrive few at once and within a share; others do not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from effnet_viz.serving import settings
from effnet_viz.ui import visitors
from effnet_viz.ui.server import uploads
from effnet_viz.ui.server.uploads import AT_ONCE, LARGE_AT_ONCE, MOST_BYTES, UploadShare
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


def test_who_leaves_while_sending_is_no_error() -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise ClientDisconnect

    share = UploadShare(app)
    event_loop.run(share(put("one", 1), nothing, drop))
    assert not share._gates


def body_of(name: str, size: int, part: int = 2**20) -> Iterator[Message]:
    """A request of Streamlit's with a file of this name and size, in parts."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    yield {"type": "http.request", "body": head.encode(), "more_body": True}
    while size > 0:
        yield {"type": "http.request", "body": bytes(min(part, size)), "more_body": True}
        size -= part
    yield {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.parametrize(
    ("name", "megabytes", "size", "arrives"),
    [
        ("photograph.jpg", 100, MOST_BYTES - 1000, True),
        ("photograph.jpg", 100, MOST_BYTES, False),
        ("weights.pth", 100, MOST_BYTES, True),
        ("weights.pth", 0, MOST_BYTES, False),
        ("pth", 100, MOST_BYTES, False),
    ],
)
def test_only_a_checkpoint_may_be_larger_than_a_photograph(
    name: str, megabytes: int, size: int, arrives: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "make_room", lambda _: None)
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", megabytes)
    parts, received = body_of(name, size), 0

    async def receive() -> Message:
        return next(parts)

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        nonlocal received
        while (message := await receive())["more_body"]:
            received += len(message["body"])

    share = UploadShare(app)

    if arrives:
        event_loop.run(share(put("one", 1), receive, drop))
        assert received >= size
    else:
        with pytest.raises(HTTPException) as refused:
            event_loop.run(share(put("one", 1), receive, drop))
        assert refused.value.status_code == 413
        assert received <= MOST_BYTES
    assert not share._large.locked()
    assert not share._gates


def test_few_checkpoints_arrive_at_once_and_none_takes_forever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visitors, "make_room", lambda _: None)
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", 100)
    monkeypatch.setattr(uploads, "LONGEST", 0.05)
    statuses: list[int] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        try:
            while (await receive())["more_body"]:
                pass
        except HTTPException as refused:
            statuses.append(refused.status_code)

    share = UploadShare(app)

    async def stalling(number: int) -> None:
        parts = iter(list(body_of("weights.pth", MOST_BYTES, 4 * 2**20))[:-1])

        async def receive() -> Message:
            message = next(parts, None)
            if message is None:
                await asyncio.sleep(60)
            assert message is not None
            return message

        await share(put(f"visitor {number}", 1), receive, drop)

    async def all_of_them() -> None:
        await asyncio.gather(*map(stalling, range(2 * LARGE_AT_ONCE)))

    event_loop.run(all_of_them())
    assert statuses == [408] * 2 * LARGE_AT_ONCE
    assert not share._large.locked()


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
