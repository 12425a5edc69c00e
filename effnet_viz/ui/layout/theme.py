"""The tokens of every page, one table: colours, type, space. CSS, charts and parts draw with them.

Ink, ground, recess, line and accent are those of .streamlit/config.toml, which cannot read them
here; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

COLOURS = {
    # Ground and ink
    "ground": ("#fbfaf7", "#14191b"),
    "recess": ("#f0eee8", "#1f2629"),
    "raised": ("#ffffff", "#252d30"),
    "ink": ("#1d2527", "#e8e6e1"),
    "quiet": ("#555f62", "#a9b1b3"),
    "line": ("#d8d4ca", "#364044"),
    "edge": ("#85837b", "#6f7b80"),
    # The one accent
    "accent": ("#0f6b6b", "#4fc4b8"),
    "on-accent": ("#ffffff", "#0c1a1a"),
    "tint": ("#dfebe8", "#1c3535"),
    "bar": ("#7e8a8d", "#76838a"),
    # States: never by colour alone
    "weak-ink": ("#704300", "#f5cd83"),
    "weak-ground": ("#fdf0d5", "#372b12"),
    "weak-edge": ("#b87512", "#b98a35"),
    "wrong": ("#a5341d", "#f39a83"),
    "on-wrong": ("#ffffff", "#2a0f09"),
    # Networks: one colour and one name on every page
    "net-baseline": ("#0f8b8d", "#35b3ad"),
    "net-depth": ("#c06515", "#e2944a"),
    "net-width": ("#8a6bbf", "#a78bdb"),
    "net-resolution": ("#c8475d", "#e67a8c"),
    "net-compound": ("#5d7d1b", "#9abb4c"),
    "net-6": ("#4472c4", "#7ea2e0"),
    "net-7": ("#8a6d1d", "#d0b060"),
    "net-8": ("#6b7376", "#a3abae"),
}
"""By name: in the light theme, in the dark one."""

NETWORKS = tuple(name.removeprefix("net-") for name in COLOURS if name.startswith("net-"))
"""Colours of networks side by side, in order."""

FONT = '"Source Sans", sans-serif'
RADIUS = "8px"
SIZES = {12: 16, 14: 20, 16: 24, 20: 28, 24: 32, 28: 36}
"""Of type, in pixels: the size and the height of its lines. The last two are for a projector."""

_SAME_IN_BOTH = {
    "box": "#ffd23f",
    "scrim": "rgb(13 18 20 / 82%)",
    "on-scrim": "#ffffff",
    "shadow": "0 8px 32px light-dark(rgb(29 37 39 / 18%), rgb(0 0 0 / 55%))",
    "font": FONT,
    **{f"t{size}": f"{size / 16}rem/{line / 16}rem var(--font)" for size, line in SIZES.items()},
    **{f"s{steps}": f"{4 * steps}px" for steps in (1, 2, 3, 4, 6, 8, 12)},
    "strip": "56px",
    "control": "32px",
    "row": "40px",
    "radius": RADIUS,
}


@dataclass(frozen=True)
class Theme:
    """What charts draw with, by the names of the tokens."""

    dark: bool

    def __getitem__(self, token: str) -> str:
        return COLOURS[token][self.dark]

    def mixed(self, one: str, other: str, share: float) -> str:
        """The colour between two, with this share of the other."""
        pairs = zip(*(_channels(self[token]) for token in (one, other)), strict=True)
        return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)

    @property
    def networks(self) -> tuple[str, ...]:
        """Colours of networks side by side, in order."""
        return tuple(self[f"net-{name}"] for name in NETWORKS)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


LIGHT, DARK = Theme(dark=False), Theme(dark=True)


def current() -> Theme:
    """The theme that this visitor sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def css_tokens() -> str:
    """The tokens as CSS variables; a theme is chosen by `color-scheme`, which Streamlit sets."""
    tokens = {name: f"light-dark({', '.join(both)})" for name, both in COLOURS.items()}
    lines = "".join(f"  --{name}: {value};\n" for name, value in (tokens | _SAME_IN_BOTH).items())
    return (
        f":root {{\n  color-scheme: light dark;\n{lines}}}\n"
        "@media (pointer: coarse), (max-width: 640px) { :root { --row: 44px; } }\n"
        "@media (max-width: 640px) { :root { --strip: 48px; } }\n"
    )
