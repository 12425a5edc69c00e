"""A server on this machine that offers weight files, and files put there by hand."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
import torchvision

from effnet_viz.models import variants, weights, zoo
from effnet_viz.models.weights import PackageFile, RemoteFile

CONTENT = random.Random(0).randbytes(256 * 1024)
HALF = len(CONTENT) // 2
PATIENCE = 20.0
"""Seconds until a test gives up; never reached when the code is right."""


class Server:
    """Counts requests and answers each as the test tells it to."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.on_get: Callable[[BaseHTTPRequestHandler, bytes], None] = whole
        self.on_head: Callable[[BaseHTTPRequestHandler], None] = status(200)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append("GET")
                server.on_get(self, server.content[self.path])

            def do_HEAD(self) -> None:
                server.requests.append("HEAD")
                server.on_head(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def offers(self, content: bytes) -> RemoteFile:
        weight = named(self.url, content)
        self.content["/" + weight.filename] = content
        return weight

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def named(url: str, content: bytes) -> RemoteFile:
    digits = hashlib.sha256(content).hexdigest()[:8]
    return RemoteFile(f"{url}/efficientnet_fake-{digits}.pth", len(content) / 1024**2)


def status(code: int, *headers: tuple[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for header in headers:
            handler.send_header(*header)
        handler.end_headers()

    return answer


def announce(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    status(200, ("Content-Length", str(len(content))))(handler)


def whole(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    announce(handler, content)
    handler.wfile.write(content)


def first_half_only(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    announce(handler, content)
    handler.wfile.write(content[: len(content) // 2])


class InTwoParts:
    """Sends half of the file, and the rest when the test says so."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        first_half_only(handler, content)
        handler.wfile.flush()
        self.go_on.wait(PATIENCE)
        handler.wfile.write(content[len(content) // 2 :])


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def place(weight: RemoteFile, content: bytes) -> Path:
    """What a person does who puts a file there by hand."""
    path = weights.folder() / weight.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


NARROW = variants.find("b0-w0.25-d0.25-r64")
"""A small architecture; its weights are a checkpoint of the user's."""


@cache
def narrow_state() -> dict[str, torch.Tensor]:
    """A state dict of NARROW: of the library's own model, under the library's own names."""
    blocks, last = torchvision.models.efficientnet._efficientnet_conf(
        "efficientnet_b0", width_mult=0.25, depth_mult=0.25
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = torchvision.models.EfficientNet(blocks, 0.2, last_channel=last)
    return dict(module.state_dict())


def entry_with(weight: RemoteFile | PackageFile) -> zoo.ModelEntry:
    """NARROW, as if its weights were published."""
    return replace(NARROW, weights=weight)
