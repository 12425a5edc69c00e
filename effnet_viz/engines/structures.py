"""Structures kept on disk beside conversions, so that showing one needs no torch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from types import MappingProxyType

from effnet_viz.engines import conversions
from effnet_viz.engines.conversions import Recipe
from effnet_viz.engines.structure import Stage, Structure

_log = logging.getLogger("effnet_viz")

_KIND = "structure"


def kept(recipe: Recipe, read: Callable[[], Structure]) -> Structure:
    """The structure under this recipe from the disk; where there is none, what `read` gives."""
    entry = conversions.read(recipe, _KIND)
    if entry is not None:
        try:
            stages = {stage["number"]: Stage(**stage) for stage in entry.told["stages"]}
            return Structure(recipe.resolution, MappingProxyType(stages))
        except (LookupError, TypeError) as error:
            _log.warning("%s is damaged (%s) and is made again.", entry.folder, error)
    structure = read()
    told = {"stages": [asdict(stage) for stage in structure.stages.values()]}
    try:
        conversions.write(recipe, _KIND, lambda _: None, told)
    except OSError as error:
        _log.warning("The structure of %s is not kept: %s.", recipe.arguments, error)
    return structure
