"""Starts the app with its default model already in memory: python -m effnet_viz.ui.server

Takes the options of `streamlit run`, such as --server.port.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Thread

from streamlit.web import cli

APP = Path(__file__).parents[2] / "app.py"


def _warm_up() -> None:
    # Imported here, so that the server answers before torch is loaded.
    import torch

    from effnet_viz import serving, zoo

    model = serving.shared(zoo.DEFAULT, untrained=False)
    side = model.entry.resolution
    model.engine.forward(torch.zeros(1, 3, side, side))  # (1, 3, R, R)


if __name__ == "__main__":
    Thread(target=_warm_up, daemon=True).start()
    sys.exit(cli.main(["run", str(APP), *sys.argv[1:]]))
