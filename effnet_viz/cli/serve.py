"""Serve the app on this computer, with its default model already in memory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec


def run(arguments: Sequence[str]) -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(
        prog="effnet-viz serve",
        description=__doc__,
        epilog="All options of `streamlit run` are taken too, such as --server.port 8600 or "
        "--server.address 0.0.0.0.",
    )
    _, options = parser.parse_known_args(arguments)
    if find_spec("streamlit") is None:
        sys.stderr.write("The app needs Streamlit: pip install 'effnet-viz[app]'\n")
        return 2
    from effnet_viz.ui import server

    return server.serve(options)
