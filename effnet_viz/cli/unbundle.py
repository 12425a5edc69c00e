"""Verify a bundle of weights and put them in place."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Put them in place; 1 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="effnet-viz unbundle", description=__doc__)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what effnet-viz bundle wrote")
    parser.add_argument(
        "--converted",
        action="store_true",
        help="take the converted networks too; only from a bundle of your own, for nothing can "
        "verify what they compute",
    )
    chosen = parser.parse_args(arguments)

    from effnet_viz.cli._progress import files_progress
    from effnet_viz.models import bundles

    try:
        with files_progress() as progress:
            placed = bundles.unpack(chosen.bundle, progress)
        for one in placed:
            state = "was here" if one.was_there else f"put into {one.path.parent}"
            sys.stdout.write(f"{one.file.filename}: {state}\n")
        if chosen.converted:
            with files_progress() as progress:
                converted, left_out = bundles.unpack_conversions(chosen.bundle, progress)
            for conversion in converted:
                sys.stdout.write(f"{conversion.model}, {conversion.kind}: converted, here now\n")
            for reason in left_out:
                sys.stdout.write(
                    f"Converted networks were left out, and are made here when they are needed: "
                    f"{reason}\n"
                )
        elif bundles.conversions_in(chosen.bundle):
            sys.stdout.write(
                "Its converted networks were left out, for nothing can verify what they compute: "
                "they are made here when they are needed. If the bundle is your own, save that "
                f"time: effnet-viz unbundle --converted {shlex.quote(str(chosen.bundle))}\n"
            )
    except bundles.BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0
