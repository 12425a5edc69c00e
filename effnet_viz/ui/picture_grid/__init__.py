"""A grid, or one scrolling row, of pictures to click: a Streamlit component without a build step.

A click counts in the run that it causes and in no other: the page keeps the selection. It learns
of a click from the return value, or before the run begins from `on_choose`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_SOURCE = re.compile(r"data:image/(?:webp|png|jpeg);base64,")  # picture_grid.js checks it too

_mount = st.components.v2.component(
    "effnet_viz.picture_grid",
    html='<div class="grid" role="group"></div>',
    css=(_HERE / "picture_grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "picture_grid.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Picture:
    """One picture to click. Every text is shown as plain text, whatever it contains."""

    key: str
    source: str
    """A base64 data: URL of a WebP, PNG or JPEG image; shown as a square, cut where it is not."""
    title: str
    caption: str = ""
    """A smaller line under the title."""
    description: str = ""
    """What the picture shows, for someone who cannot see it."""
    badge: str = ""
    """A word or two on the picture's corner."""

    def __post_init__(self) -> None:
        if not _SOURCE.match(self.source):
            raise ValueError(
                f"The source of picture {self.key!r} is {self.source[:40]!r}; "
                "it has to be a base64 data: URL of a WebP, PNG or JPEG image."
            )


def front_end_data(
    pictures: Sequence[Picture], *, selected: str | None, label: str, size: int, scroll: bool
) -> dict[str, Any]:
    """What picture_grid.js receives. Raises ValueError for a key that occurs twice."""
    keys = [picture.key for picture in pictures]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"Pictures share the keys {', '.join(map(repr, twice))}.")
    return {
        "pictures": [asdict(picture) for picture in pictures],
        "selected": selected,
        "label": label,
        "size": size,
        "scroll": scroll,
    }


def picture_grid(
    pictures: Sequence[Picture],
    *,
    selected: str | None,
    label: str,
    size: int,
    key: str,
    on_choose: Callable[[str], None] | None = None,
    scroll: bool = False,
) -> str | None:
    """Show the pictures, `size` CSS pixels wide each; the key of the one clicked in this run.

    They wrap into rows; with `scroll` they stay one row that scrolls sideways. The picture whose
    key is `selected` is outlined; without `on_choose`, the one clicked in this run at once. `label`
    names the group for assistive technology; `key` is the component's own, not one under which
    the page keeps its state. Raises ValueError for a key that occurs twice.
    """
    data = front_end_data(pictures, selected=selected, label=label, size=size, scroll=scroll)
    keys = {picture.key for picture in pictures}

    def clicked() -> str | None:
        picture: str | None = st.session_state.get(key, {}).get("clicked")
        return picture if picture in keys else None  # the page may show other pictures by now

    def report() -> None:
        picture = clicked()
        if on_choose and picture is not None:
            on_choose(picture)

    choice = clicked()
    if choice is not None and not on_choose:
        data["selected"] = choice
    _mount(key=key, data=data, on_clicked_change=report)
    return choice
