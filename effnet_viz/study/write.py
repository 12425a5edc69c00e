"""Writes results.json from all rows that are in the project."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from effnet_viz.assets import OBJECTS_STUDY
from effnet_viz.study.design import NETWORKS
from effnet_viz.study.methods_summary import summarize_methods
from effnet_viz.study.results import RESULTS
from effnet_viz.study.store import Measured, shipped, shipped_methods, write
from effnet_viz.study.summary import summarize


def write_results(folder: Path = OBJECTS_STUDY) -> None:
    """Summarize every network and method whose rows are in the folder."""
    results = summarize(in_order(shipped(folder)))
    results["methods"] = summarize_methods(in_order(shipped_methods(folder)))
    write(folder / RESULTS.name, (json.dumps(results, indent=1) + "\n").encode())


def in_order(measured: Mapping[str, Measured]) -> dict[str, Measured]:
    """The networks that are shipped first, as they were named; then the others."""
    keys = sorted(measured, key=lambda key: (*NETWORKS, key).index(key))
    return {key: measured[key] for key in keys}
