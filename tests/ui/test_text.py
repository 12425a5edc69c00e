"""Words and numbers on the pages."""

from effnet_viz.ui.layout.text import escape_markdown, percent, seconds_text, truncate


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


def test_measured_seconds_are_never_powers_of_ten() -> None:
    shown = [seconds_text(seconds) for seconds in (2.7e-05, 0.0134, 0.5, 9.94, 9.96, 123.4)]
    assert shown == ["<\u00a00.01", "0.013", "0.5", "9.9", "10", "123"]
