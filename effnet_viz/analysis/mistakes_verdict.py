"""What was found out of a network's mistakes, in sentences made from the numbers."""

from __future__ import annotations

from effnet_viz.analysis.explanation import GRID
from effnet_viz.analysis.mistakes import Count, Group, Study, Surroundings
from effnet_viz.analysis.verdict import place_in_words
from effnet_viz.analysis.words import NO_BREAK, capitalised, percent
from effnet_viz.arrays import resample
from effnet_viz.metrics.place import place

FEWEST = 6
"""Pictures of a class below which nothing is said of it."""


def headline(study: Study) -> str:
    """“45 of 48 right: 94 % (95 % interval 83 to 98 %)”."""
    low, high = (round(100 * end) for end in study.right.interval)
    return (
        f"{_of(study.right)} right: {percent(study.right.share)} "
        f"(95{NO_BREAK}% interval {low} to {high}{NO_BREAK}%)"
    )


def summary(study: Study) -> str:
    """How many classes go by a shortcut, or that none was found."""
    found = shortcuts(study)
    classes = len({look.picture.label for look in study.looks})
    if not found:
        return "No shortcut was found among them. That does not prove that there is none."
    if len(found) == 1:
        return f"For {_quoted(found[0])} it goes by something other than the thing: a shortcut."
    return (
        f"For {len(found)} of {classes} classes it goes by something other than the thing: a "
        "shortcut."
    )


def shortcuts(study: Study) -> list[str]:
    """Classes that go by a shortcut, in the order of the network's classes."""
    found = {group.label for group in study.groups if group.is_shortcut}
    found |= {of.label for of in study.surroundings if of.is_shortcut}
    return [label for label in study.model.classes if label in found]


def group_headline(group: Group) -> str:
    """What the pictures of a group have in common, in a few words."""
    where = _where(group)
    if not group.decides:
        return f"{len(group.looks)} pictures, evidence {where or 'spread out'}"
    place = capitalised(where or "one place")
    if group.is_shortcut and group.shows_the_same:
        return f"{place}: the same in every picture, and it decides"
    if group.is_shortcut:
        return f"{place}: it decides, and most of it is not the thing"
    return f"{place}: it decides. Is it the thing itself?"


def group_sentence(group: Group) -> str:
    """What a group's maps mark, and what copying that place into other pictures does."""
    said = []
    if group.outside is not None:
        said.append(f"{percent(group.outside)} of the evidence lies outside of the thing.")
    copied = group.copied
    if copied is None:
        said.append(
            "Its place was not tried: it is the middle of the picture, where all things are."
        )
    else:
        said.append(
            f"Copied into {copied.there.of} pictures of other classes, what these have there makes "
            f"{copied.there.found} of them {_quoted(group.label)}; from the opposite place, "
            f"{copied.opposite.found}."
        )
    return " ".join(said)


def surroundings_headline(of: Surroundings) -> str:
    """Whether a class is still named without its things."""
    return "The surroundings are enough" if of.is_shortcut else "Without the thing"


def surroundings_sentence(of: Surroundings) -> str:
    """How often a class is still named with its things painted out."""
    return (
        f"With the thing painted out, {_of(of.still)} are still called {_quoted(of.label)}, and "
        f"{_of(of.others)} of other classes, painted out likewise. "
        f"{percent(of.outside)} of the evidence lies outside of the thing; an even map has "
        f"{percent(of.even)} there."
    )


def _where(group: Group) -> str | None:
    found = place(resample(group.map, group.placement, GRID, GRID))
    return None if found is None else place_in_words(found)


def _of(count: Count) -> str:
    return f"{count.found} of {count.of}"


def _quoted(label: str) -> str:
    return f"“{label}”"
