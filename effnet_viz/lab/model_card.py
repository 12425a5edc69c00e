"""results.json and the model card: what stands beside the shipped weights."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from effnet_viz.engines.network import Network
from effnet_viz.lab import networks, scenes
from effnet_viz.lab.evaluation import SceneSet, look, measure
from effnet_viz.lab.networks import SCALINGS, Scaling
from effnet_viz.lab.runs import SHIPPED_RUN, Trained, path_of, trained
from effnet_viz.lab.sprites import CLASSES, FOLDER, VENDORS, all_but
from effnet_viz.lab.training import HELD_OUT_VENDORS, Run, UnfinishedError, runs
from effnet_viz.models.published import FAMILY

RESULTS = FOLDER / "results.json"
MODEL_CARD = FOLDER / "MODEL_CARD.md"

SHIPPED_SCENES = 300
CHECKED_NETWORK, CHECKED_SCENES = "baseline", 96
"""A small part of the results that can be computed again in seconds."""

Json = dict[str, Any]


def measure_all(count: int) -> Json:
    """Results of every run of which all networks come with the project.

    Raises UnfinishedError when one of the run that the app shows is missing, ValueError when the
    recipes differ.
    """
    made: dict[int, dict[str, Network]] = {}
    training: dict[str, Json] = {}
    recipes: list[Json] = []
    for number, of_run in complete_runs().items():
        recipes += [one.recipe for one in of_run.values()]
        made[number] = {key: one.network for key, one in of_run.items()}
        training |= {
            f"{key}-{number}": {"learning_curve": one.learning_curve} for key, one in of_run.items()
        }
    if SHIPPED_RUN not in made:
        raise UnfinishedError(f"Run {SHIPPED_RUN} is not complete. Train first, then ship.")
    if any(recipe != recipes[0] for recipe in recipes):
        raise ValueError("The networks were trained with different recipes.")
    results = {"recipe": recipes[0], "training": training, **measure(made, count)}
    of_app = made[SHIPPED_RUN]
    results["shipped"] = {
        "run": SHIPPED_RUN,
        "scenes": SHIPPED_SCENES,
        "top1_unseen": {key: top1_unseen(key, network) for key, network in of_app.items()},
    }
    results["check"] = check(of_app[CHECKED_NETWORK])
    results["time"] = _times()
    return results


def complete_runs() -> dict[int, dict[str, Trained]]:
    """By number, then by key: the runs of which all networks are there."""
    found: dict[int, dict[str, Trained]] = {}
    for run in runs():
        if path_of(run).exists():
            found.setdefault(run.number, {})[run.scaling.key] = trained(run)
    return {number: of_run for number, of_run in found.items() if len(of_run) == len(SCALINGS)}


def top1_unseen(key: str, network: Network) -> float:
    """Accuracy of a network of the shipped run on a few scenes of the vendor it never saw."""
    unseen = Run(SCALINGS[key], SHIPPED_RUN).unseen
    scene_set = SceneSet.make(unseen, scenes.UNSEEN, SHIPPED_SCENES)
    answers = look(network, SCALINGS[key].resolution, scene_set).answers
    return round(float((answers == scene_set.labels).mean()), 4)


def check(network: Network) -> Json:
    """What `measure` says of one shipped network on a few scenes."""
    return measure({SHIPPED_RUN: {CHECKED_NETWORK: network}}, CHECKED_SCENES)


def learning_curve(log: Path) -> list[Json]:
    """Accuracy on seen and unseen vendors by views, as training logged it."""
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    names = ("views", "seen_top1", "unseen_top1")
    return [
        {name: round(record[name], 4) for name in names}
        for record in records
        if "unseen_top1" in record
    ]


def _times() -> Json:
    """Milliseconds of each network on one core of this machine; the networks take turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rounds = [{key: _time(scaling) for key, scaling in SCALINGS.items()} for _ in range(7)]
    finally:
        torch.set_num_threads(threads)
    return {
        "machine": f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}, 1 thread",
        "milliseconds": {
            key: {
                name: round(median(one[key][name] for one in rounds), 2)
                for name in ("forward", "training_per_view")
            }
            for key in SCALINGS
        },
    }


def _time(scaling: Scaling, batch: int = 32) -> dict[str, float]:
    module = networks.build(scaling).to(memory_format=torch.channels_last)
    images = torch.zeros(batch, scaling.resolution, scaling.resolution, 3, dtype=torch.uint8)
    x = networks.preprocess(images, scaling.resolution)  # (B, 3, R, R)
    labels = torch.zeros(batch, dtype=torch.int64)  # (B,)

    def step() -> None:
        torch.autograd.backward(nn.functional.cross_entropy(module(x), labels))

    step()
    started = time.perf_counter()
    step()
    training = (time.perf_counter() - started) / batch
    network = networks.staged(module)
    with torch.no_grad():
        network(x[:1])
        started = time.perf_counter()
        network(x[:1])
        forward = time.perf_counter() - started
    return {"forward": 1000 * forward, "training_per_view": 1000 * training}


def model_card(results: Json) -> str:
    """The model card of the shipped weights, in Markdown, from results.json."""
    recipe = results["recipe"]
    held_out = HELD_OUT_VENDORS[SHIPPED_RUN]
    rows = [
        f"| {values['title']} | `runs/{key}-{SHIPPED_RUN}.safetensors` | {values['resolution']} "
        f"| {values['multiply_adds'] / 1e6:.1f} M | {values['parameters'] / 1e6:.2f} M "
        f"| {_percent(values['top1_seen'])} | {_percent(values['top1_unseen'])} "
        f"| {results['shipped']['top1_unseen'][key]:.1%} |"
        for key, values in results["networks"].items()
    ]
    runs_of = "; ".join(
        f"run {number}: seed {run['seed']}, never saw {run['held_out_vendor']}"
        for number, run in results["runs"].items()
    )
    columns = (
        "Network", "File", "Resolution", "Multiply-adds", "Parameters", "Top-1, seen vendors",
        "Top-1, unseen vendor", f"This file on {results['shipped']['scenes']} unseen scenes",
    )  # fmt: skip
    grids = ", ".join(
        f"{values['grid']} × {values['grid']}" for values in results["networks"].values()
    )
    b0 = FAMILY[0].figure.multiply_adds
    assert b0 is not None
    smaller = b0 / results["networks"]["baseline"]["multiply_adds"]
    return f"""# Model card: five small networks of the scaling lab

What they are: torchvision's EfficientNet with B0's stages in miniature, scaled as in Table 7 of Tan
& Le 2019 (arXiv 1905.11946). They tell {len(CLASSES)} drawn things apart and exist to compare what
differently scaled networks look at. They know nothing of photographs.

| {" | ".join(columns)} |
|{" --- |" * len(columns)}
{chr(10).join(rows)}

Accuracies are means over runs ± sample standard deviation, on {results["scenes"]} scenes each.
Their class activation maps have {grids} cells.

- **Data.** Synthetic scenes of {scenes.SIDE} × {scenes.SIDE} pixels, made from drawings of
  {len(VENDORS)} vendors (credits: `assets/CREDITS.md`). A run trains on {len(all_but(held_out))}
  vendors and is tested on one that it never saw.
- **Runs.** {runs_of[0].upper() + runs_of[1:]}. The files of all are in `runs`; the app
  shows run {SHIPPED_RUN}, and the table names its files.
- **Recipe, the same for all.** {recipe["views"]:,} views of {recipe["scenes"]:,} scenes in batches
  of {recipe["batch"]}; AdamW, peak learning rate {recipe["learning_rate"]:g} after a linear rise
  over {recipe["warm_up"]:.0%} of the steps, then a cosine to zero; weight decay
  {recipe["weight_decay"]:g}; label smoothing {recipe["label_smoothing"]:g}; gradients clipped at
  norm {recipe["largest_gradient"]:g}; the first {recipe["easy_share"]:.0%} of the steps on
  {recipe["easy_scenes"]:,} easier scenes (large objects, little clutter); random squares
  of {recipe["smallest_crop"]} to {scenes.SIDE} pixels, mirrored half of the time. The recipe was
  chosen on the baseline and used unchanged for all.
- **Format.** Half-precision safetensors, computed with in single precision.
- **Limits.** {len(results["runs"])} runs say little about chance between runs; scenes of a class
  show the same few drawings; the baseline makes {smaller:.0f} times fewer multiply-adds than B0.
- **Again.** `effnet-viz lab train`, then `ship`, then `measure`.
"""


def _percent(over_runs: Json) -> str:
    spread = "" if over_runs["spread"] is None else f" ± {100 * over_runs['spread']:.1f}"
    return f"{100 * over_runs['mean']:.1f}{spread} %"
