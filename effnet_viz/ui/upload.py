"""The image that a visitor has chosen: what every other module of ui speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.images.decode import MAX_BYTES

MAX_MEGABYTES = MAX_BYTES // 2**20
"""Of a file, as the fields for it say."""


@dataclass(frozen=True)
class Upload:
    """An image to explain: a sample or one of the visitor's own."""

    id: str
    """SHA-256 of the content."""
    title: str
    description: str
    """Alternative text."""
    content: bytes
    credits: tuple[str, ...] = ()
    """Whose picture it is, in sentences; empty for the visitor's own."""
