"""Pack weights and converted networks into one file, for computers without a network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Pack; 1 when it cannot be done, 2 for an unknown model."""
    parser = argparse.ArgumentParser(
        prog="effnet-viz bundle",
        description=f"{__doc__} There, effnet-viz unbundle puts them in place.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="keys, such as b0 b4 (default: all whose weights are here)",
    )
    chosen = parser.parse_args(arguments)

    from effnet_viz import UnknownModelError
    from effnet_viz.cli._progress import files_progress
    from effnet_viz.models import bundles, fetching, zoo
    from effnet_viz.models.weights import Readiness

    keys = chosen.models or [
        key for key, entry in zoo.MODELS.items() if fetching.readiness(entry) is Readiness.READY
    ]
    try:
        with files_progress() as progress:
            content = bundles.pack(keys, chosen.out, progress)
    except UnknownModelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except bundles.BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for one in content.files:
        sys.stdout.write(f"{one.filename}: {one.size / 1024**2:.1f} MB, sha256 {one.sha256}\n")
    for converted in content.conversions:
        megabytes = converted.size / 1024**2
        sys.stdout.write(f"{converted.model}, {converted.kind}: converted, {megabytes:.1f} MB\n")
    return 0
