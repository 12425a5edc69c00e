"""Download the official weights of models, or say that they are here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

_LOOK_EVERY = 0.1
"""Seconds between two looks at a download."""


def run(arguments: Sequence[str]) -> int:
    """Download; 1 when the weights of some model cannot be had, 2 for an unknown model."""
    parser = argparse.ArgumentParser(prog="effnet-viz fetch", description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="keys, such as b0 b4")
    chosen = parser.parse_args(arguments)

    from tqdm import tqdm

    from effnet_viz import UnknownModelError, WeightsError
    from effnet_viz.models import fetching
    from effnet_viz.models.downloads import download
    from effnet_viz.models.variants import find
    from effnet_viz.models.weights import Readiness, RemoteFile

    try:
        entries = {key: find(key) for key in dict.fromkeys(chosen.models)}
    except UnknownModelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    code = 0
    for key, entry in entries.items():
        weights = entry.weights
        try:
            there = fetching.readiness(entry) is Readiness.READY
            if not there and isinstance(weights, RemoteFile):
                running = download(weights)
                with tqdm(total=running.total, desc=key, unit="B", unit_scale=True) as bar:
                    while not running.finished:
                        running.wait(_LOOK_EVERY)
                        bar.total = running.total
                        bar.update(running.received - bar.n)
            found = fetching.fetch(entry)
        except WeightsError as error:
            sys.stderr.write(f"{key}: {error}\n")
            code = 1
        else:
            state = "was here" if there else "downloaded"
            sys.stdout.write(f"{key}: {state}, sha256 {found.sha256}\n")
    return code
