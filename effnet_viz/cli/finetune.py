"""Teach a network other classes: pictures with labels become a network that the app can show."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = "EFFNET_VIZ_NETWORKS"
"""The setting with the folder that the app lists networks from."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")

_SKIPPED = 10
"""How many skipped files are printed; the network's README.md names more."""


def run(arguments: Sequence[str]) -> int:
    """Fine-tune: 0; 2 when it could not begin or end; 130 when it was stopped."""
    parser = argparse.ArgumentParser(
        prog="effnet-viz finetune",
        description=__doc__,
        epilog="The head is trained first, on features of the frozen network that are computed "
        "once, then all layers. Stop it as you like: the same command goes on after the last "
        "finished epoch. Exit code: 0, the network is written; 2, it could not be; 130, stopped.",
    )
    parser.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="folder with a folder of pictures for every class (or with two such folders, train "
        "and val), or a CSV file with the columns path and label",
    )
    parser.add_argument("--model", default="lite0", metavar="KEY", help="(default: %(default)s)")
    parser.add_argument(
        "--name", metavar="NAME", help="of the network (default: of the data and the model)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=f"where the network's folder goes (default: {FOLDER}, else `networks` here)",
    )
    parser.add_argument(
        "--recipe",
        default="default",
        metavar="KEY",
        help="how all layers are trained: default, composer or paper (default: %(default)s)",
    )
    numbers = (
        ("--head-epochs", int, 40, "of the head, at most"),
        ("--epochs", int, 5, "of all layers, at most; 0 trains the head alone"),
        ("--batch", int, 32, "pictures of a step"),
        ("--seed", int, 0, "of the split and everything random"),
        ("--validation", float, 0.2, "share of every class that is only measured on"),
        ("--patience", int, 5, "epochs without progress that end a phase"),
    )
    for option, kind, default, text in numbers:
        parser.add_argument(
            option, type=kind, default=default, metavar="N", help=f"{text} (default: %(default)s)"
        )
    chosen = parser.parse_args(arguments)

    from effnet_viz import EngineError, UnknownModelError, WeightsError
    from effnet_viz.finetuning.data import FinetuneError
    from effnet_viz.finetuning.training import Settings, finetune

    listed = os.environ.get(FOLDER)
    folder: Path = chosen.out or Path(listed or "networks")
    name: str = chosen.name or _name_of(chosen.data, chosen.model)
    try:
        if not _NAME.fullmatch(name):
            raise FinetuneError(
                f"{name!r} is no name for a folder. Choose a --name of at most 60 letters without "
                "accents, digits, dots, hyphens and underscores that begins with a letter or digit."
            )
        settings = Settings(
            model=chosen.model,
            recipe=chosen.recipe,
            head_epochs=chosen.head_epochs,
            epochs=chosen.epochs,
            batch=chosen.batch,
            seed=chosen.seed,
            validation=chosen.validation,
            patience=chosen.patience,
        )
        path, made = finetune(chosen.data, folder, name, settings, progress=sys.stderr.isatty())
    except KeyboardInterrupt:
        sys.stderr.write(
            "\nStopped. The same command goes on after the last epoch that was finished.\n"
        )
        return 130
    except (FinetuneError, UnknownModelError, WeightsError, EngineError, MemoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if made.skipped:
        sys.stderr.write(f"Skipped, because they are no readable pictures: {len(made.skipped)}\n")
        for file, reason in made.skipped[:_SKIPPED]:
            sys.stderr.write(f"  {file}: {reason}\n")
    accuracy = made.accuracy
    lines = [
        f"{path}: {len(made.split.classes)} classes, trained: {made.trained}.",
        f"{accuracy['share']:.1%} of {accuracy['of']} validation pictures right "
        f"(95 % interval {accuracy['low']:.1%} to {accuracy['high']:.1%}).",
    ]
    if listed is None or Path(listed).resolve() != folder.resolve():
        lines.append(f"The app lists it when it is started with {FOLDER}={folder}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _name_of(data: Path, model: str) -> str:
    """A name from the data's and the model's."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", data.resolve().stem).strip("-")
    return f"{words[:40] or 'network'}-{model}"
