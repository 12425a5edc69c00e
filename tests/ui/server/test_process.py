"""What is set before the first visitor: threads before torch, uploads in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from effnet_viz.ui.server import process
from tests import event_loop
from tests.browser.visitor import ROOT


def loaded_by(module: str) -> set[str]:
    """Everything that importing a module brings into a fresh interpreter."""
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(run.stdout.split())


def test_the_server_sets_its_threads_before_torch_is_loaded() -> None:
    assert "torch" not in loaded_by("effnet_viz.ui.server.start")
    assert "torch" in loaded_by("effnet_viz.models.networks")


@pytest.mark.parametrize("kept", [True, False])
def test_an_upload_is_never_written_to_disk(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    if kept:
        process.keep_uploads_in_memory()
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

    assert event_loop.run(written()) is not kept
