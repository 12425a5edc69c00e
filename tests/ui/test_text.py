"""Words and numbers on the pages."""

from effnet_viz.ui.layout.text import escape_markdown, percent, truncate


def test_percent() -> None:
    """No line breaks between a number and what belongs to it."""
    shown = [percent(p) for p in (0.5, 0.001, 0.0001)]
    assert shown == ["50.0\u00a0%", "0.1\u00a0%", "<\u00a00.1\u00a0%"]


def test_truncate() -> None:
    assert truncate("espresso", 8) == "espresso"
    assert truncate("West Highland white terrier", 14) == "West Highland…"


def test_escape_markdown() -> None:
    assert escape_markdown("a_b") == r"a\_b"
    assert escape_markdown(":x:") == ":\u200bx:\u200b"
