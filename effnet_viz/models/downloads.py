"""Downloading published weight files, and whether their servers answer.

torch.hub's own download has no timeout, tells its progress to stderr only and calls a broken
connection a wrong hash; pooch wants all 64 digits of a hash that is published in part.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import threading
import time
import urllib.request
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from effnet_viz.models import advice
from effnet_viz.models.files import agreeing, identify
from effnet_viz.models.weights import (
    RemoteFile,
    WeightsError,
    folder,
    hash_prefix,
    published_size,
)
from effnet_viz.writing import leftovers, written_whole

READ_TIMEOUT = 20.0
"""Seconds a server may stay silent during a download."""

FIRST_ANSWER = 2.0
"""Seconds the first questions about a server wait for its answer."""

ANSWER_LIFETIME = 60.0
"""Seconds after which a server's answer is asked for again."""

LEFTOVER_AGE = 24 * 3600.0
"""Seconds after which an unfinished temporary file belongs to nobody."""

_CHUNK = 64 * 1024

_HEADERS = {"User-Agent": "effnet-viz"}

_log = logging.getLogger("effnet_viz")

_lock = threading.Lock()
"""Guards the two dictionaries below, never a slow step."""


@dataclass
class _Server:
    """What is remembered of one server."""

    first_asked: float
    answered: threading.Event = field(default_factory=threading.Event)
    answers: bool = False
    asked: float | None = None
    """Time of the last finished question, in seconds of the monotonic clock."""
    asking: bool = False


_servers: dict[str, _Server] = {}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer: following it would turn the question into a download."""

    def redirect_request(self, *_: object) -> None:
        return None


def reachable(url: str) -> bool:
    """Whether the url's server answers with success or a redirection.

    The answer is remembered per server and renewed in the background after `ANSWER_LIFETIME`; an
    old answer is returned meanwhile. Nobody waits longer than `FIRST_ANSWER` after the first
    question; until the first answer comes, the server counts as unreachable.
    """
    now = time.monotonic()
    with _lock:
        server = _servers.setdefault(urlsplit(url).netloc, _Server(first_asked=now))
        stale = server.asked is None or now - server.asked >= ANSWER_LIFETIME
        if stale and not server.asking:
            threading.Thread(target=_ask, args=(url, server), daemon=True).start()
            server.asking = True
    server.answered.wait(max(0.0, server.first_asked + FIRST_ANSWER - now))
    return server.answers


def _ask(url: str, server: _Server) -> None:
    answers = False
    try:
        request = urllib.request.Request(url, headers=_HEADERS, method="HEAD")
        with urllib.request.build_opener(NoRedirect).open(request, timeout=READ_TIMEOUT):
            answers = True
    except HTTPError as error:
        with error:
            answers = 300 <= error.code < 400
    except (OSError, HTTPException):
        pass
    finally:
        with _lock:
            server.answers, server.asked, server.asking = answers, time.monotonic(), False
        server.answered.set()


class Download:
    """One download of one file, shared by everyone who asks for it; `download` makes it.

    The file appears under its name only when it is complete and its hash is right.
    """

    def __init__(self, weights: RemoteFile, path: Path) -> None:
        self.weights = weights
        self.path = path
        self.received = 0
        """Bytes so far."""
        self.total = round(weights.megabytes * 1024**2)
        """Bytes of the whole file: as published, then as the server states."""
        self.error: WeightsError | None = None
        """Why a finished download failed."""
        self._hash_prefix = hash_prefix(weights.filename)
        self._limit = published_size(weights)
        self._host = urlsplit(weights.url).netloc
        self._finished = threading.Event()

    @property
    def finished(self) -> bool:
        """Whether it has ended, with the file in place or with an error."""
        return self._finished.is_set()

    def fraction(self) -> float:
        """How much has arrived, 0 to 1; 1 as soon as the file is in place."""
        if self.finished and self.error is None:
            return 1.0
        return min(1.0, self.received / max(1, self.total))

    def wait(self, timeout: float | None = None) -> None:
        """Blocks until finished, at most `timeout` seconds; raises its error as WeightsError."""
        self._finished.wait(timeout)
        if self.error is not None:
            # A new exception for each waiting thread: they would share one traceback.
            raise WeightsError(str(self.error)) from self.error.__cause__

    def _run(self) -> None:
        try:
            if not self._is_there():
                self._fetch()
        except Exception as error:  # nobody may wait for ever
            # Another process or a person may have put the file there meanwhile.
            if not self._is_there():
                self.error = self._in_words(error)
        finally:
            self._finished.set()

    def _is_there(self) -> bool:
        return agreeing(self.path, self._limit, identify) is not None

    def _fetch(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()
        digest = hashlib.sha256()
        with written_whole(self.path) as file, closing(self._chunks()) as chunks:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
            sha256 = digest.hexdigest()
            if not sha256.startswith(self._hash_prefix):
                raise self._failed(
                    f"{self._host} sent a file that is not the official one, perhaps the sign-in "
                    f"page of a proxy: its sha256 starts with {sha256[:8]}"
                )

    def _chunks(self) -> Generator[bytes, None, None]:
        """What the server sends. The network's errors end here: the disk's are OSError, too."""
        request = urllib.request.Request(self.weights.url, headers=_HEADERS)
        try:
            response: Any
            with urllib.request.urlopen(request, timeout=READ_TIMEOUT) as response:
                stated: int | None = response.length
                self.total = self.total if stated is None else stated
                while chunk := response.read(_CHUNK):
                    self.received += len(chunk)
                    if self.received > self._limit:  # it might never end, and fill the disk
                        raise self._failed(
                            f"{self._host} sent more than the {self.weights.megabytes:.1f} MB of "
                            "the official file, perhaps the sign-in page of a proxy"
                        )
                    yield chunk
        except HTTPError as error:
            error.close()
            raise self._failed(f"{self._host} answered {error.code} {error.reason}") from error
        except (OSError, HTTPException) as error:
            cause = error.reason if isinstance(error, URLError) else error
            if isinstance(cause, TimeoutError):
                reason = f"{self._host} was silent for {READ_TIMEOUT:g} seconds"
            else:
                reason = f"no connection to {self._host}: {_detail(cause)}"
            raise self._failed(reason) from error
        if stated is not None and self.received != stated:
            raise self._failed(f"the connection broke after {self.received} of {stated} bytes")

    def _failed(self, reason: str) -> WeightsError:
        return WeightsError(advice.missing(self.weights, reason))

    def _in_words(self, error: Exception) -> WeightsError:
        if isinstance(error, WeightsError):
            return error
        if isinstance(error, OSError):
            _log.error("%s could not be saved: %s", self.path, error.strerror)
            explained = WeightsError(advice.not_saved(self.weights, error))
        else:
            _log.error("Download of %s", self.weights.filename, exc_info=error)
            explained = self._failed("by a mistake of this app, which stands in its log")
        explained.__cause__ = error
        return explained

    def _remove_leftovers(self) -> None:
        for part in leftovers(self.path):
            with suppress(OSError):  # another process may be removing it too
                if time.time() - part.stat().st_mtime > LEFTOVER_AGE:
                    part.unlink()


def _detail(cause: object) -> str:
    """Why there was no connection; nothing of where a library found out, or of what was sent."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return "it does not speak TLS as expected"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(cause, ConnectionError):
        return "it closed the connection without an answer"
    if isinstance(cause, OSError):  # that is how http.client tells it
        return "the proxy on the way there refuses the connection"
    return "it does not answer as a web server does"


_downloads: dict[Path, Download] = {}


def download(weights: RemoteFile) -> Download:
    """Starts downloading in the background, or joins the download that is already running.

    A file that is already good is not fetched again. After an error, the next call tries again.
    """
    path = folder() / weights.filename
    with _lock:
        running = _downloads.get(path)
        if running is not None and not running.finished:
            return running
        started = Download(weights, path)
        threading.Thread(target=started._run, daemon=True).start()
        _downloads[path] = started
        return started
