"""Words and numbers as the pages write them."""

from __future__ import annotations

import math

NO_BREAK = "\N{NO-BREAK SPACE}"


def escape_markdown(text: str) -> str:
    """Text that somebody else chose (a file name), shown as it is and not as Markdown."""
    # A zero-width space keeps :smile: and :material/home: from becoming icons.
    return "".join(
        f"\\{c}" if c in r"\`*_{}[]<>()#+-.!|~$" else ":\u200b" if c == ":" else c for c in text
    )


def percent(share: float) -> str:
    """A share of 1 in percent, with one decimal: “38.8 %”."""
    return f"{100 * share:.1f}{NO_BREAK}%" if share >= 0.001 else f"<{NO_BREAK}0.1{NO_BREAK}%"


def truncate(text: str, letters: int) -> str:
    """The text, cut with an ellipsis if it has more letters than that."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def amount(number: float) -> str:
    """With three digits, in billions, millions or thousands."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            value = number / unit
            digits = 2 if value < 10 else 1 if value < 100 else 0
            return f"{value:.{digits}f}{NO_BREAK}{name}"
    return f"{number:.0f}"


def round_amount(number: float) -> str:
    return amount(number).replace(".00", "").replace(".0", "")


def time_text(seconds: float) -> str:
    """Seconds or minutes, as one says them beforehand."""
    return f"{max(1, math.ceil(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def seconds_text(seconds: float) -> str:
    """Measured seconds, in two digits up to ten; hundredths are the least that counts."""
    if seconds < 0.01:
        return f"<{NO_BREAK}0.01"
    return f"{seconds:.2g}" if seconds < 9.95 else f"{seconds:.0f}"
