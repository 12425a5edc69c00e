"""Weight files in a folder of a test's own, and the only server there is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from effnet_viz.models import downloads, files
from tests.models.weight_files import Server


@pytest.fixture
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of its own, nothing remembered, and no proxy between a test and its server."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(files, "_digests", {})
    monkeypatch.setattr(downloads, "_servers", {})
    monkeypatch.setattr(downloads, "_downloads", {})


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def closed_url() -> Iterator[str]:
    """A port that is taken but does not listen, so that every connection is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
