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
        "--server.address 10.0.0.7, which wins over --share.",
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="let others in the local network open it, such as a class; otherwise only this "
        "computer does",
    )
    parser.add_argument(
        "--metrics",
        action="store_true",
        help="tell at /metrics how busy the server is, as Prometheus reads it",
    )
    own, options = parser.parse_known_args(arguments)
    if find_spec("streamlit") is None:
        sys.stderr.write("The app needs Streamlit: pip install 'effnet-viz[app]'\n")
        return 2
    from effnet_viz.ui.server import process

    process.calm_many_threads()  # before start loads NumPy
    from effnet_viz.ui.server import start

    start.serve(options, share=own.share, metrics=own.metrics)
    return 0
