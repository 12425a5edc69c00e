"""Finds the command that is asked for and imports it alone: torch takes seconds.

A command is a module of this folder, named in COMMANDS, with `run(arguments) -> int`: it takes the
words after its name and returns the exit code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from effnet_viz import __doc__ as description
from effnet_viz import __version__

COMMANDS = (
    ("explain", "write what a model looks at in photographs: pictures, JSON, NPZ"),
    ("serve", "serve the app on this computer"),
    ("fetch", "download the official weights of models"),
    ("convert", "convert networks now, so that the app starts with them at once"),
    ("bundle", "pack weights into one file, for computers without a network"),
    ("unbundle", "verify such a file and put the weights in place"),
    ("finetune", "teach a network other classes, from pictures with labels"),
    ("lab", "train and measure the networks of the scaling lab"),
)
"""Module and help, in the order of `effnet-viz --help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; `arguments` None takes those of the process. The exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="effnet-viz",
        description=description,
        epilog="Every command has its own help: effnet-viz COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS:
        commands.add_parser(name, help=summary, add_help=False)
    command = parser.parse_args(words[:1]).command
    code: int = import_module(f"effnet_viz.cli.{command}").run(words[1:])
    return code
