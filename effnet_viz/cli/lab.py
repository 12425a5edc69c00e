"""The commands of the scaling lab: `effnet-viz lab --help`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from effnet_viz.lab import model_card, sprites
from effnet_viz.lab import runs as shipped
from effnet_viz.lab.networks import SCALINGS, multiply_adds, parameters
from effnet_viz.lab.results import RESULTS
from effnet_viz.lab.runs import HELD_OUT_VENDORS, Recipe, UnfinishedError, runs
from effnet_viz.lab.summary import learning_curve, measure_all
from effnet_viz.lab.training import BusyError, train

_RUNS = Path("lab-runs")


def main() -> None:
    parser = argparse.ArgumentParser(prog="effnet-viz lab", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("networks", help="print the five networks and what they cost")
    command.set_defaults(call=_networks)

    command = commands.add_parser(
        "train",
        help="train the networks; stop and start as you like",
        description="Trains what is not trained yet, on a GPU where there is one. On a CPU it uses "
        "one core: start the command again beside it to use another.",
    )
    command.add_argument("--network", choices=SCALINGS, help="only this network")
    command.add_argument("--run", type=int, choices=range(len(HELD_OUT_VENDORS)), help="only this")
    command.add_argument("--views", type=int, default=Recipe().views, help="default: %(default)s")
    command.add_argument("--folder", type=Path, default=_RUNS, help="checkpoints, logs")
    command.set_defaults(call=_train)

    command = commands.add_parser(
        "ship", help="put the weights of all finished runs into the project, in half precision"
    )
    command.add_argument("--folder", type=Path, default=_RUNS, help="checkpoints, logs")
    command.set_defaults(call=_ship)

    command = commands.add_parser(
        "measure",
        help="measure what the trained networks look at",
        description="Measures every run that is in the project; writes the results and the model "
        "card.",
    )
    command.add_argument("--scenes", type=int, default=2400, help="default: %(default)s")
    command.set_defaults(call=_measure)

    command = commands.add_parser("sheets", help="draw the sheets of drawings again (needs npm)")
    command.set_defaults(call=_sheets)

    arguments = parser.parse_args()
    try:
        arguments.call(arguments)
    except (UnfinishedError, ValueError) as error:
        sys.exit(str(error))


def _networks(_: argparse.Namespace) -> None:
    baseline = multiply_adds(SCALINGS["baseline"])
    for scaling in SCALINGS.values():
        count = multiply_adds(scaling)
        print(  # noqa: T201
            f"{scaling.title:38} {scaling.resolution:4} px  {count / 1e6:6.2f} M multiply-adds "
            f"({count / baseline:.2f} × baseline)  {parameters(scaling) / 1e6:.2f} M parameters"
        )


def _train(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    recipe = replace(Recipe(), views=arguments.views)
    for run in runs():
        if arguments.network in (None, run.scaling.key) and arguments.run in (None, run.number):
            try:
                train(run, arguments.folder, recipe)
            except BusyError as error:
                print(error)  # noqa: T201


def _ship(arguments: argparse.Namespace) -> None:
    for run in runs():
        try:
            checkpoint = run.finished(arguments.folder)
        except UnfinishedError as error:
            print(error)  # noqa: T201
        else:
            shipped.ship(run, checkpoint, learning_curve(run.log(arguments.folder)))


def _measure(arguments: argparse.Namespace) -> None:
    results = measure_all(arguments.scenes)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    model_card.MODEL_CARD.write_text(model_card.model_card(results), encoding="utf-8")


def _sheets(_: argparse.Namespace) -> None:
    from tools import sprite_sheets  # needs packages that the app does not

    sprite_sheets.rebuild(sprites.TARGET_SHEET, sprites.DISTRACTOR_SHEET)


if __name__ == "__main__":
    main()
