"""Verify a bundle of weights and put them in place."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Put them in place; 1 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="effnet-viz unbundle", description=__doc__)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what effnet-viz bundle wrote")
    chosen = parser.parse_args(arguments)

    from effnet_viz.cli._progress import files_progress
    from effnet_viz.models import bundles

    try:
        with files_progress() as progress:
            placed = bundles.unpack(chosen.bundle, progress)
    except bundles.BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for one in placed:
        state = "was here" if one.was_there else f"put into {one.path.parent}"
        sys.stdout.write(f"{one.file.filename}: {state}\n")
    return 0
