"""How the server starts: before torch, and with uploads in memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from effnet_viz.ui import server
from tests.browser.visitor import ROOT


def loaded_by(module: str) -> set[str]:
    """Everything that importing a module brings into a fresh interpreter."""
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(run.stdout.split())


def test_the_server_sets_its_threads_before_torch_is_loaded() -> None:
    assert "torch" not in loaded_by("effnet_viz.ui.server")
    assert "torch" in loaded_by("effnet_viz.models.model")


@pytest.mark.parametrize("kept", [True, False])
def test_an_upload_is_never_written_to_disk(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    if kept:
        server._keep_uploads_in_memory()
    photograph = bytes(19 * 2**20)

    async def body() -> AsyncIterator[bytes]:
        yield b'--end\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        yield photograph
        yield b"\r\n--end--\r\n"

    async def written() -> bool:
        headers = Headers({"content-type": "multipart/form-data; boundary=end"})
        form = await MultiPartParser(headers, body()).parse()
        file = form["file"]
        assert not isinstance(file, str)
        assert len(await file.read()) == len(photograph)
        return bool(file.file._rolled)  # type: ignore[attr-defined]

    # In a thread of its own: this one may run the loop of the browser tests.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, written()).result() is not kept


def test_garbage_is_collected_when_it_is_quiet_and_not_put_off_for_ever() -> None:
    busy, quiet = 2 * server.QUIET, 0.0
    worth, nothing = 2 * server.WORTH_COLLECTING, 0.0
    assert server.is_time_to_collect(quiet, worth, 1.0)
    assert not server.is_time_to_collect(quiet, nothing, 1000.0)
    assert not server.is_time_to_collect(busy, worth, 1.0)
    assert server.is_time_to_collect(busy, worth, server.LONGEST_WITHOUT)


def test_streamlit_does_not_collect_after_every_run() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["runner"]["postScriptGC"] is False
