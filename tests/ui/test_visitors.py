"""A visitor's files have a share, and nothing of a visitor stays for long."""

from __future__ import annotations

from threading import Lock
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit import runtime
from streamlit.runtime.caching.ttl_cache import TTLCache
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from effnet_viz.serving import settings, uploads
from effnet_viz.ui import results, visitors
from effnet_viz.ui.server import garbage
from effnet_viz.ui.upload import Upload


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with the visitors `one` and `two`."""
    tabs = {"one", "two"}
    storage = MemorySessionStorage(ttl_seconds=1)
    found = SimpleNamespace(
        tabs=tabs,
        uploaded_file_mgr=MemoryUploadedFileManager("/upload"),
        is_active_session=tabs.__contains__,
        _session_mgr=SimpleNamespace(_session_storage=storage, _storage_lock=Lock()),
    )
    monkeypatch.setattr(runtime, "get_instance", lambda: found)
    monkeypatch.setattr(visitors, "_visitors", {})
    return found


def upload(server: Any, session: str, name: str, size: int) -> None:
    file = UploadedFileRec(name, name, "image/png", bytes(size))
    server.uploaded_file_mgr.add_file(session, file)
    visitors.make_room(session)


def held(server: Any, session: str) -> list[str]:
    return list(server.uploaded_file_mgr.file_storage[session])


def test_the_oldest_files_go_and_only_of_the_same_visitor(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "UPLOAD_BYTES", 100)
    upload(server, "two", "other", 90)
    for number in range(4):
        upload(server, "one", f"file {number}", 40)
    assert held(server, "one") == ["file 2", "file 3"]
    upload(server, "one", "large", 300)
    assert held(server, "one") == ["large"]
    assert held(server, "two") == ["other"]


def test_of_checkpoints_each_visitor_has_the_newest_and_all_a_share(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "_arrived", {})
    monkeypatch.setattr(settings, "UPLOAD_BYTES", 100)
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", 1)
    monkeypatch.setattr(settings, "all_checkpoint_bytes", lambda: 500)
    upload(server, "one", "photograph.jpg", 90)
    upload(server, "one", "first.pth", 200)
    upload(server, "one", "second.PT", 200)
    assert held(server, "one") == ["photograph.jpg", "second.PT"]  # no share of photographs
    upload(server, "two", "third.ckpt", 200)
    assert held(server, "one") == ["photograph.jpg", "second.PT"]
    upload(server, "two", "fourth.safetensors", 400)
    assert held(server, "one") == ["photograph.jpg"]
    assert held(server, "two") == ["fourth.safetensors"]
    monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", 0)
    upload(server, "one", "fifth.pth", 90)
    assert held(server, "one") == ["fifth.pth"]  # a file like any other


def note(session: str, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(session_id=session)
    monkeypatch.setattr(visitors, "get_script_run_ctx", lambda: context)
    visitors.note_image(image)


def test_images_are_forgotten_with_the_last_visitor_who_had_them(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(visitors.time, "monotonic", lambda: now)
    for session, image in (("one", "both"), ("one", "own"), ("two", "both")):
        note(session, image, monkeypatch)
    now += 10_000
    assert visitors.forget_gone() == (set(), set(), False)
    server.tabs.remove("one")
    assert visitors.forget_gone() == (set(), set(), False)  # perhaps only the connection is lost
    now += 1000
    assert visitors.forget_gone() == ({"one"}, {"own"}, True)
    server.tabs.remove("two")
    now += 1000
    assert visitors.forget_gone() == ({"two"}, {"both"}, True)
    assert visitors.forget_gone() == (set(), set(), False)


def test_sessions_that_are_over_are_let_go_although_nobody_else_leaves(server: Any) -> None:
    now = 0.0
    sessions: TTLCache[str, str] = TTLCache(9, ttl=45, timer=lambda: now)
    server._session_mgr._session_storage._cache = sessions
    sessions["one"] = "everything that was uploaded"
    now = 44.0
    assert visitors.forget_gone()[2] is False
    now = 46.0
    assert visitors.forget_gone()[2] is True
    assert visitors.forget_gone()[2] is False


@pytest.mark.usefixtures("server")
def test_what_was_computed_of_a_forgotten_image_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(results, "forget", forgotten.append)
    note("gone", "image", monkeypatch)
    monkeypatch.setattr(visitors.config, "get_option", lambda _: -1)
    assert garbage.forget_gone() is True
    assert forgotten == ["image"]


@pytest.mark.usefixtures("server")
def test_the_checkpoint_of_a_visitor_who_left_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(results, "forget", forgotten.append)
    monkeypatch.setattr(uploads, "release", lambda visitor: {f"checkpoint of {visitor}"})
    monkeypatch.setattr(visitors, "get_script_run_ctx", lambda: SimpleNamespace(session_id="gone"))
    assert visitors.note_visitor() == "gone"
    monkeypatch.setattr(visitors.config, "get_option", lambda _: -1)
    assert garbage.forget_gone() is True
    assert forgotten == ["checkpoint of gone"]
    assert garbage.forget_gone() is False


def test_results_of_an_image_are_found_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = results.SharedCache(1000)
    made: list[str] = []

    @kept.kept(lambda _: 1)
    def shown(image: Upload, side: int) -> str:
        made.append(f"{image.title} {side}")
        return image.title

    monkeypatch.setattr(results, "_results", kept)
    one, two = Upload("1" * 64, "one", "", b"1"), Upload("2" * 64, "two", "", b"2")
    for image in (one, two):
        shown(image, 5)
    results.forget(one.id)
    for image in (one, two):
        shown(image, 5)
    assert made == ["one 5", "two 5", "one 5"]
    assert kept.nbytes == 2
