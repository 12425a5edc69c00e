"""Numbers as sentences write them."""

from __future__ import annotations

from collections.abc import Sequence

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Between a number and its %: a line never ends between them."""

_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def percent(share: float, *, below: str = "below", over: str = "over") -> str:
    """A share, 0 to 1, in percent: “39 %”.

    Whole numbers from 1 % on; less is “below 1 %” or “below 0.1 %”. What is not all is never
    “100 %” but “over 99 %”, and what is not nothing never “0 %”. `below` and `over` are the words
    for these, such as “less than” or “<”.
    """
    if 0 < share < 0.001:
        return f"{below} 0.1{NO_BREAK}%"
    if 0 < share < 0.01:
        return f"{below} 1{NO_BREAK}%"
    if share < 1 and _whole(share) == 100:
        return f"{over} 99{NO_BREAK}%"
    return f"{_whole(share)}{NO_BREAK}%"


def percents(
    first: float, second: float, joint: str, *, below: str = "below", over: str = "over"
) -> str:
    """Two shares, 0 to 1, in percent: “39 to below 1 %” with “to” as the joint; see percent."""
    one, other = (percent(share, below=below, over=over) for share in (first, second))
    return f"{one.removesuffix(f'{NO_BREAK}%')} {joint} {other}"


def _whole(share: float) -> int:
    return round(100 * share)


def decimal(value: float, digits: int = 2) -> str:
    """“0.34”, “−0.06”; what rounds to nothing has no sign: “0.00”."""
    return f"{value:z.{digits}f}".replace("-", "−")


def change(value: float, digits: int = 2) -> str:
    """With its sign: “+0.34”, “−0.06”; but “0.00”."""
    written = decimal(value, digits)
    return f"+{written}" if value > 0 and float(written) else written


def ordinal(place: int) -> str:
    """1st, 2nd, 3rd, 11th, 460th. `place` is 1 or more."""
    teens = place % 100 in (11, 12, 13)
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def ordinal_word(place: int) -> str:
    """First to tenth in letters, then 11th. `place` is 1 or more."""
    return _ORDINALS[place - 1] if place <= len(_ORDINALS) else ordinal(place)


def number_word(count: int) -> str:
    """No, one to ten in letters, then 11. `count` is 0 or more."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def listed(words: Sequence[str]) -> str:
    """“a”, “a and b”, “a, b and c”. There is at least one."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capitalised(label: str) -> str:
    """With a capital first letter, as a sentence begins; a name such as “iPod” stays as it is."""
    first_word = label.split(" ", 1)[0]
    if first_word[1:] != first_word[1:].lower():
        return label
    return label[:1].upper() + label[1:]


def evidence_value(value: float) -> str:
    """A value of a map, 0 or more: “19.5”, “0.25”, “below 0.01”."""
    if value >= 0.95:
        return f"{value:.1f}"
    return f"{value:.2g}" if value >= 0.01 else "below 0.01"
