"""The colours of real networks: the same ones in the row of pictures and in every chart."""

from __future__ import annotations

from collections.abc import Iterable

from effnet_viz.ui.layout import theme

_ROLES = {"lite0": "baseline", "lite0-r448": "resolution", "lite2": "compound"}
"""Of those that play a role on other pages."""
_OTHERS = sorted(
    (name for name in theme.NETWORKS if name not in _ROLES.values()),
    key=lambda name: not name.isdigit(),  # those that play no role elsewhere first
)


def colours_of(keys: Iterable[str]) -> dict[str, str]:
    """By key the name of its colour, in theme.NETWORKS; when they run out, they come again."""
    found: dict[str, str] = {}
    for key in keys:
        others = len(found.keys() - _ROLES.keys())
        found[key] = _ROLES.get(key) or _OTHERS[others % len(_OTHERS)]
    return found


def drawn_colours_of(keys: Iterable[str]) -> dict[str, str]:
    """The same as plotly takes them, in the theme that is shown."""
    drawn = dict(zip(theme.NETWORKS, theme.current().networks, strict=True))
    return {key: drawn[name] for key, name in colours_of(keys).items()}
