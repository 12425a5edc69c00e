"""Words and numbers on the pages."""

from effnet_viz.ui.layout.text import escape_markdown, percent, truncate


def test_percent() -> None:
    assert [percent(p) for p in (0.5, 0.001, 0.0001)] == ["50.0%", "0.1%", "<0.1%"]


def test_truncate() -> None:
    assert truncate("espresso", 8) == "espresso"
    assert truncate("West Highland white terrier", 14) == "West Highland…"


def test_escape_markdown() -> None:
    assert escape_markdown("a_b") == r"a\_b"
    assert escape_markdown(":x:") == ":\u200bx:\u200b"
