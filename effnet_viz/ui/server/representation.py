"""One content as it is sent: plain, or compressed once for everybody who accepts that."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import Headers

_REFUSED = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True)
class Representation:
    """The bytes of a body, and the headers that belong to them."""

    body: bytes
    etag: str
    encoding: str | None

    def headers(self) -> dict[str, str]:
        """What a cache has to know of the body."""
        known = {
            "Content-Length": str(len(self.body)),
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
        }
        return known | {"Content-Encoding": self.encoding} if self.encoding else known

    def is_held(self, request: Headers) -> bool:
        """Whether the client says that it has exactly this."""
        held = [tag.strip().removeprefix("W/") for tag in _listed(request, "If-None-Match")]
        return "*" in held or self.etag in held


def plain(content: bytes) -> Representation:
    """The content as it is."""
    return Representation(content, _etag(content), None)


def compressed(content: bytes) -> Representation:
    """The content as gzip makes it smallest; the same bytes whenever it is made."""
    body = gzip.compress(content, 9, mtime=0)
    return Representation(body, _etag(body), "gzip")


def accepts_gzip(request: Headers) -> bool:
    """Whether the client names gzip, and not as what it refuses."""
    for choice in _listed(request, "Accept-Encoding"):
        name, _, weight = choice.replace(" ", "").lower().partition(";")
        if name == "gzip":
            return not _REFUSED.fullmatch(weight)
    return False


def _listed(request: Headers, name: str) -> list[str]:
    return ",".join(request.getlist(name)).split(",")


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
