"""Train and measure the networks of the scaling lab."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from effnet_viz.assets import OBJECTS_STUDY
from effnet_viz.engines.engine import EngineError
from effnet_viz.lab import model_card, trained
from effnet_viz.lab.networks import multiply_adds, parameters
from effnet_viz.lab.planted import PER_CLASS, write_planted
from effnet_viz.lab.results import RESULTS
from effnet_viz.lab.runs import HELD_OUT_VENDORS, Recipe, UnfinishedError, runs
from effnet_viz.lab.scalings import SCALINGS
from effnet_viz.lab.summary import learning_curve, measure_all
from effnet_viz.lab.training import BusyError, train
from effnet_viz.models.weights import WeightsError
from effnet_viz.models.zoo import UnknownModelError
from effnet_viz.study.design import NETWORKS
from effnet_viz.study.measuring import StudyError
from effnet_viz.study.methods import measure_closely, measure_methods
from effnet_viz.study.networks import measure_network
from effnet_viz.study.write import write_results

_RUNS = Path("lab-runs")
_OBJECTS = _RUNS / "objects"


def run(arguments: Sequence[str]) -> int:
    """Run one of the commands below; 1 when it cannot be done."""
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

    command = commands.add_parser(
        "objects",
        help="measure what published networks look at, on photographed objects",
        description="Shows networks photographed objects whose outlines are known and measures how "
        "much of their maps lies on them. Stop and start as you like: an object is measured once. "
        "A network is added without measuring the others again.",
    )
    command.add_argument(
        "--networks",
        nargs="+",
        default=NETWORKS,
        metavar="NETWORK",
        help=f"keys of the zoo (default: {' '.join(NETWORKS)})",
    )
    command.add_argument(
        "--methods",
        action="store_true",
        help="measure every method of the table on these networks, not the networks themselves",
    )
    command.add_argument(
        "--folder", type=Path, default=_OBJECTS, help="rows of what is not finished"
    )
    command.add_argument(
        "--results", type=Path, default=OBJECTS_STUDY, help="what is finished (default: the app's)"
    )
    command.set_defaults(call=_objects)

    command = commands.add_parser(
        "planted",
        help="draw pictures with shortcuts hidden in them, to find out",
        description="Four classes of drawn faces: two have a ground of their own, one a mark in a "
        "corner. Fine-tune a network on them and look at its page of mistakes.",
    )
    command.add_argument("folder", type=Path, metavar="FOLDER", help="a new folder")
    command.add_argument(
        "--pictures",
        type=int,
        default=PER_CLASS,
        metavar="N",
        help="a class (default: %(default)s)",
    )
    command.set_defaults(call=_planted)

    chosen = parser.parse_args(arguments)
    try:
        chosen.call(chosen)
    except FileExistsError:
        sys.stderr.write(f"{chosen.folder} is there already. Name a new folder.\n")
        return 1
    except (UnfinishedError, StudyError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


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
    for each in runs():
        if arguments.network in (None, each.scaling.key) and arguments.run in (None, each.number):
            try:
                train(each, arguments.folder, recipe)
            except BusyError as error:
                print(error)  # noqa: T201


def _ship(arguments: argparse.Namespace) -> None:
    for each in runs():
        try:
            checkpoint = trained.finished(each, arguments.folder)
        except UnfinishedError as error:
            print(error)  # noqa: T201
        else:
            trained.ship(each, checkpoint, learning_curve(each.log(arguments.folder)))


def _objects(arguments: argparse.Namespace) -> None:
    missing = []
    for key in arguments.networks:
        try:
            if arguments.methods:
                measure_methods(key, arguments.folder, arguments.results)
            else:
                measure_network(key, arguments.folder, arguments.results)
        except (StudyError, WeightsError, UnknownModelError, EngineError) as error:
            missing.append(f"{key}: {error}")
        else:
            write_results(arguments.results)
    if arguments.methods:
        measure_closely(arguments.folder, arguments.results)
        write_results(arguments.results)
    if missing:
        raise StudyError("\n".join(missing))


def _planted(arguments: argparse.Namespace) -> None:
    count = write_planted(arguments.folder, arguments.pictures)
    print(f"{count} pictures in {arguments.folder}, masks of the faces beside them.")  # noqa: T201


def _measure(arguments: argparse.Namespace) -> None:
    results = measure_all(arguments.scenes)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    model_card.MODEL_CARD.write_text(model_card.model_card(results), encoding="utf-8")
