"""A grid or one scrolling row of pictures to click: a Streamlit component, no build step."""

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
    html='<div class="grid" role="radiogroup"></div>',
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
    pixelated: bool = False
    """Enlarged as blocks, one a pixel, instead of smoothly."""

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
    on_choose: Callable[[str], None],
    scroll: bool,
) -> None:
    """Show the pictures, about `size` CSS pixels wide each, the one named `selected` outlined.

    They wrap into rows; with `scroll` they stay one row that scrolls sideways. `on_choose` gets
    the key of a clicked picture before the page runs again, as callbacks of widgets do. `label`
    names the group for assistive technology; `key` is the component's own, not one under which
    the page keeps its state. Raises ValueError for a key that occurs twice.
    """
    keys = {picture.key for picture in pictures}

    def report() -> None:
        clicked: str | None = st.session_state[key].get("clicked")
        if clicked in keys:  # the page may show other pictures by now
            on_choose(clicked)

    data = front_end_data(pictures, selected=selected, label=label, size=size, scroll=scroll)
    _mount(key=key, data=data, on_clicked_change=report)
