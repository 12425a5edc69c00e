"""Serves the app with its default model already in memory."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from threading import Thread
from typing import Any

import click
from streamlit.web import cli

from effnet_viz.assets import APP
from effnet_viz.serving import settings
from effnet_viz.ui.server import process
from effnet_viz.ui.server.app import create_app
from effnet_viz.ui.upload import MAX_MEGABYTES

EVERYWHERE = "0.0.0.0"


def read_options(options: Sequence[str], *, share: bool) -> dict[str, Any]:
    """Streamlit's settings by name, from options or variables as `streamlit run` takes them.

    To `share` opens the server to the local network, unless an address is named. Where visitors may
    open checkpoints, the server takes files of that size. Ends the process with a message at a
    wrong option.
    """
    known = [option for option in cli.main_run.params if isinstance(option, click.Option)]
    command = click.Command("effnet-viz serve", params=list(known))
    try:
        named = command.make_context(command.name, list(options)).params
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    given = {
        name.replace("_", "."): value for name, value in named.items() if value not in (None, ())
    }
    ours: dict[str, Any] = {"server.address": EVERYWHERE} if share else {}
    if settings.CHECKPOINT_MEGABYTES:
        # One more, as for photographs; server.uploads has the limit of everything else.
        largest = max(settings.CHECKPOINT_MEGABYTES, MAX_MEGABYTES) + 1
        ours["server.maxUploadSize"] = largest
    return ours | given


def serve(options: Sequence[str], *, share: bool, metrics: bool) -> None:
    """Serve the app until the process is ended; `options` are those of `streamlit run`."""
    config = read_options(options, share=share)
    process.keep_uploads_in_memory()
    process.report_nothing()
    app = create_app(metrics=metrics or settings.METRICS)
    Thread(target=process.prepare, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises it again when it has stopped
        signal.signal(number, lambda *_: sys.exit())
    # Streamlit takes pages and settings from beside the program that was started.
    sys.argv = [str(APP)]
    app.run(config=config)
