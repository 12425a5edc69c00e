"""Convert networks for this machine now: the app then starts with them at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

LAB = "lab"
"""What stands for the five networks of the scaling lab."""


def run(arguments: Sequence[str]) -> int:
    """Convert what is not converted yet; 1 when the weights of a model cannot be had, 2 for an
    unknown one."""
    parser = argparse.ArgumentParser(prog="effnet-viz convert", description=__doc__)
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help=f"keys, such as lite0 b0; {LAB} is the scaling lab (default: lite0 {LAB})",
    )
    chosen = parser.parse_args(arguments)

    from tqdm import tqdm

    from effnet_viz import EngineError, UnknownModelError, WeightsError
    from effnet_viz.engines import conversions
    from effnet_viz.lab import demo
    from effnet_viz.models import model
    from effnet_viz.models.variants import find
    from effnet_viz.models.zoo import DEFAULT

    keys = list(dict.fromkeys(chosen.models or [DEFAULT, LAB]))
    try:
        for key in keys:
            if key != LAB:
                find(key)
    except UnknownModelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    code = 0
    for key in tqdm(keys, desc="Converting networks", unit="model", disable=None):
        try:
            if key == LAB:
                demo.models()
            else:
                model.load(key)
            conversions.wait()
        except (WeightsError, EngineError, MemoryError) as error:
            sys.stderr.write(f"{key}: {error}\n")
            code = 1
    return code
