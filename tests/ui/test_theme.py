"""One table of colours: the charts' and Streamlit's."""

from __future__ import annotations

import tomllib

import pytest

from effnet_viz.ui.layout import theme
from effnet_viz.ui.layout.navigation import STYLE
from tests.ui.opening import ROOT


@pytest.mark.parametrize(("name", "colours"), [("light", theme.LIGHT), ("dark", theme.DARK)])
def test_ink_and_paper_are_those_of_the_page(name: str, colours: theme.Theme) -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    page = config["theme"][name]
    assert (colours.ink, colours.paper) == (page["textColor"], page["backgroundColor"])


def test_no_two_networks_have_one_colour() -> None:
    assert len(set(theme.COLOURS)) == len(theme.COLOURS)


def test_the_style_sheet_uses_the_colours_of_the_table() -> None:
    assert f"--bar: {theme.BAR}; --right: {theme.TEAL};" in STYLE
    assert "#" not in STYLE.replace(theme.BAR, "").replace(theme.TEAL, "")
