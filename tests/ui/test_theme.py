"""One table of tokens: those of the pages, of Streamlit's own widgets and of charts."""

from __future__ import annotations

import tomllib
from itertools import product

import pytest

from effnet_viz.ui.layout import charts, theme
from effnet_viz.ui.layout.theme import DARK, LIGHT, Theme
from tests.ui.opening import ROOT

THEMES = pytest.mark.parametrize("seen", [LIGHT, DARK], ids=["light", "dark"])

CONFIGURED = {
    "primaryColor": "accent",
    "backgroundColor": "ground",
    "secondaryBackgroundColor": "recess",
    "textColor": "ink",
    "borderColor": "line",
    "linkColor": "accent",
    "dataframeBorderColor": "line",
    "dataframeHeaderBackgroundColor": "recess",
    "dataframeHeaderTextColor": "quiet",
    "codeTextColor": "ink",
    "codeBackgroundColor": "recess",
    "redColor": "wrong",
    "redTextColor": "wrong",
    "redBackgroundColor": "recess",
    "orangeColor": "weak-edge",
    "orangeTextColor": "weak-ink",
    "orangeBackgroundColor": "weak-ground",
    "yellowColor": "weak-edge",
    "yellowTextColor": "weak-ink",
    "yellowBackgroundColor": "weak-ground",
    "blueColor": "accent",
    "blueTextColor": "ink",
    "blueBackgroundColor": "tint",
    "greenColor": "accent",
    "greenTextColor": "ink",
    "greenBackgroundColor": "tint",
    "grayColor": "edge",
    "grayTextColor": "quiet",
    "grayBackgroundColor": "recess",
}
"""The token behind each colour of .streamlit/config.toml."""

GROUNDS = ("ground", "recess", "raised")

TEXT = [
    *product(("ink", "quiet", "accent", "weak-ink", "wrong"), GROUNDS),
    *product(("ink", "quiet", "accent"), ("tint",)),
    ("ink", "weak-ground"),
    ("weak-ink", "weak-ground"),
    ("on-accent", "accent"),
    ("on-wrong", "wrong"),
]
"""What is written in which colour on what: at least 4.5, as WCAG 2.2 asks (1.4.3)."""

SHAPES = [
    *product(("edge", "accent", "bar"), GROUNDS),
    ("weak-edge", "weak-ground"),
    *((f"net-{name}", "ground") for name in theme.NETWORKS),
]
"""What has to be seen against what, without being text: at least 3 (1.4.11)."""


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [value / 255 for value in bytes.fromhex(colour.removeprefix("#"))]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@THEMES
def test_text_can_be_read(seen: Theme) -> None:
    found = {pair: round(contrast(seen[pair[0]], seen[pair[1]]), 2) for pair in TEXT}
    assert {pair: value for pair, value in found.items() if value < 4.5} == {}


@THEMES
def test_shapes_can_be_seen(seen: Theme) -> None:
    found = {pair: round(contrast(seen[pair[0]], seen[pair[1]]), 2) for pair in SHAPES}
    assert {pair: value for pair, value in found.items() if value < 3} == {}


@THEMES
def test_no_two_networks_have_one_colour(seen: Theme) -> None:
    assert len(set(seen.networks)) == len(theme.NETWORKS)


@pytest.mark.parametrize(("name", "seen"), [("light", LIGHT), ("dark", DARK)])
def test_streamlits_widgets_have_the_same_colours(name: str, seen: Theme) -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    wanted = {option: seen[token] for option, token in CONFIGURED.items()}
    assert config["theme"][name] == wanted


def test_streamlits_widgets_have_the_same_type_and_corners() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    common = {name: value for name, value in config["theme"].items() if not isinstance(value, dict)}
    assert common["baseRadius"] == theme.RADIUS
    sizes = {round(float(size.removesuffix("rem")) * 16) for size in common["headingFontSizes"]}
    assert sizes <= set(theme.SIZES)


@THEMES
def test_charts_are_drawn_with_the_tokens(seen: Theme) -> None:
    drawn = charts.template(seen).layout
    assert (drawn.font.color, drawn.font.family) == (seen["ink"], theme.FONT)
    assert drawn.colorway == seen.networks
    assert {drawn.font.size, drawn.xaxis.tickfont.size, drawn.hoverlabel.font.size} <= set(
        theme.SIZES
    )


@THEMES
def test_numbers_on_pale_cells_can_be_read(seen: Theme) -> None:
    assert min(contrast(seen["ink"], colour) for colour in charts.pale_ends(seen)) >= 4.5


def test_a_mixed_colour_lies_between() -> None:
    assert LIGHT.mixed("ink", "raised", 0) == LIGHT["ink"]
    assert LIGHT.mixed("ink", "raised", 1) == LIGHT["raised"]
    assert Theme(dark=False).mixed("raised", "ink", 0.5) == "#8e9293"


def test_css_has_every_token_for_both_themes() -> None:
    css = theme.css_tokens()
    for name, (light, dark) in theme.COLOURS.items():
        assert f"--{name}: light-dark({light}, {dark});" in css
