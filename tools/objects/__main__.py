"""`python -m tools.objects tuxpaint-stamps-default_….deb`: the photographed objects, made again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from effnet_viz.assets import OBJECTS
from tools.objects import collection


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the collection of photographed objects again, or check it. Exits with 1 if it is wrong.

    `apt-get download tuxpaint-stamps-default` fetches Debian's package (161 MB), which needs not be
    installed. The pinned Pillow gives the same files to the bit, any release the same pixels.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.objects", description=main.__doc__)
    parser.add_argument(
        "package", type=Path, nargs="?", help="the .deb, or a folder that it was unpacked into"
    )
    parser.add_argument("--folder", type=Path, default=OBJECTS, help="the collection's folder")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; with the package, also see whether every picture comes out of it",
    )
    options = parser.parse_args(arguments)
    if options.package is None and not options.check:
        parser.error("name the package that the pictures come from, or give --check")
    try:
        if not options.check:
            collection.make(options.package, options.folder)
        found = collection.problems(options.folder, options.package if options.check else None)
    except collection.PackageError as error:
        found = [str(error)]
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    if not found:
        rows = collection.read_table(options.folder)["objects"]
        classes = {row["labels"][0] for row in rows}
        sys.stdout.write(f"{len(rows)} objects of {len(classes)} classes, all as the table says.\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
