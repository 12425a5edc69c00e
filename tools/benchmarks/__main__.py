"""How long an analysis takes, beside the bare forward pass and beside other tools.

    python -m tools.benchmarks [--rounds 7] [--report tools/benchmarks/RESULTS.md]

Everything is timed in one process, in turn, round after round, because machines are noisy: compare
the ratios, not the seconds. The bare eager forward pass of the same model is 1.00.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchcam.methods import GradCAM as TorchCamGradCAM

from effnet_viz.analysis.predictions import Predictions
from effnet_viz.arrays import Floats
from effnet_viz.assets import SAMPLES
from effnet_viz.attribution.stages import attribute_stage
from effnet_viz.engines import conversions
from effnet_viz.engines.create import create
from effnet_viz.engines.engine import Activations, Engine, one_hot
from effnet_viz.engines.gradient_graph import explained
from effnet_viz.engines.network import Network
from effnet_viz.engines.optimize import fold_batch_norms, keep_activations
from effnet_viz.images.decode import decode
from effnet_viz.models import architectures, checkpoints, variants, weights
from effnet_viz.models.classes import imagenet
from effnet_viz.models.model import load

warnings.filterwarnings("ignore")

SAMPLE = SAMPLES / "cat-and-espresso.jpg"
MODELS = ("lite0", "b0", "b4", "b7")
ALL_NINE = "Grad-CAM at all nine stages, any class"
BACK = "PyTorch: forward, one pass back over all nine"
LIMITS = {
    "whole analysis": {"lite0": 0.40, "b0": 0.45, "b4": 0.55, "b7": 0.60},
    ALL_NINE: {"lite0": 0.75, "b0": 0.85, "b4": 1.2, "b7": 1.6},
    "another class at stage 9, afterwards": dict.fromkeys(MODELS, 0.02),
}
MEMORY_LIMIT = 1.0
"""GB above the loaded eager model, for the whole analysis with B7."""


def built(key: str) -> Network:
    """The network; weights do not change the speed, so those that need a download stay random."""
    entry = variants.find(key)
    if isinstance(entry.weights, weights.PackageFile):
        return architectures.build(entry, checkpoints.load_state_dict(entry)[0])
    return architectures.build(entry, None)


def prepared(key: str) -> Floats:
    """The sample as input of the model, (1, 3, R, R)."""
    return variants.find(key).preprocessing(decode(SAMPLE))[0]


def analyse_all(run: Engine, x: Floats) -> Activations:
    """Top five, the map at stage 9 and all nine stages."""
    seen = run.forward(x)
    best = Predictions(seen.logits[0], imagenet())[:5]
    attribute_stage(run, seen, 9, [best[0].index])
    return seen


def others(key: str, image: torch.Tensor) -> dict[str, Callable[[], object]]:
    """One Grad-CAM at stage 9 by each of the other tools, on a network of its own."""
    target = 282
    one, two, three = built(key), built(key), built(key)
    captum = LayerGradCam(one, one.stages[8])
    grad_cam = GradCAM(model=two, target_layers=[two.stages[8]])
    torchcam = TorchCamGradCAM(three.requires_grad_(True), target_layer=three.stages[8])
    tracked = image.clone().requires_grad_()

    def with_torchcam() -> object:
        return torchcam(target, three(image))

    return {
        "captum 1 map": lambda: captum.attribute(tracked, target=target),
        "pytorch-grad-cam 1 map": lambda: grad_cam(tracked, [ClassifierOutputTarget(target)]),
        "torchcam 1 map": with_torchcam,
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def medians(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, run in turn.

    Each runs once before its timed run: threads of the one before spin on for a while, and would
    weigh on whoever comes next.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            work()
            seconds[name].append(timed(work))
    return {name: statistics.median(values) for name, values in seconds.items()}


def measure(key: str, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of everything compared, and of the steps of one analysis."""
    x = prepared(key)
    image = torch.from_numpy(x)  # (1, 3, R, R)
    bare = built(key)
    untrained = not isinstance(variants.find(key).weights, weights.PackageFile)
    run = load(key, untrained=untrained).engine
    conversions.wait()
    seen = analyse_all(run, x)
    given = run.explain(x, seen, [7])
    print(f"{key}: stages {min(given)} to {max(given)} at once", file=sys.stderr)  # noqa: T201
    row = torch.from_numpy(one_hot([7], seen.logits.shape))  # (1, classes)
    folded = built(key)
    keep_activations(folded)
    fold_batch_norms(folded, variants.find(key).resolution)

    def eager() -> None:
        with torch.no_grad():
            bare(image)

    def all_maps() -> None:
        given = run.explain(x, seen, [7])
        for stage in seen.stages.keys() - given.keys():  # of the largest networks
            attribute_stage(run, seen, stage, [7])

    compared = medians(
        {
            "bare eager forward": eager,
            "whole analysis": lambda: analyse_all(run, x),
            ALL_NINE: all_maps,
            BACK: lambda: explained(folded, image, row, 1),
            "another class at stage 9, afterwards": lambda: attribute_stage(run, seen, 9, [7]),
            **others(key, image),
        },
        rounds,
    )
    content = SAMPLE.read_bytes()
    photograph = decode(content)
    preprocessing = variants.find(key).preprocessing
    steps = medians(
        {
            "decode": lambda: decode(content),
            "preprocess": lambda: preprocessing(photograph),
            "forward, all stages": lambda: run.forward(x),
            "top five": lambda: Predictions(seen.logits[0], imagenet())[:5],
            "CAM at stage 9": lambda: attribute_stage(run, seen, 9, [7]),
        },
        max(rounds, 5),
    )
    return compared, steps


def _status(field: str) -> float:
    """A figure of this process in GB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / 1e9
    raise LookupError(field)


def measure_memory(key: str) -> float:
    """GB at the peak of engine and analysis above the loaded eager model, in this process."""
    eager = built(key)
    image = prepared(key)
    gc.collect()
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    analyse_all(create(eager, variants.find(key).resolution), image)
    return _status("VmHWM") - before


def report(
    compared: dict[str, dict[str, float]], steps: dict[str, dict[str, float]], gigabytes: float
) -> str:
    """The tables in Markdown, with what has to be reached and whether it was."""
    names = list(next(iter(compared.values())))
    titles = [f"{variants.find(key).title} at {variants.find(key).resolution}" for key in compared]
    packages = ("torch", "torchvision", "timm", "openvino", "captum", "grad-cam", "torchcam")
    lines = [
        "# Speed",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in packages)
        + ". Written by `python -m tools.benchmarks`.",
        "",
        "Shares of the time of the bare eager forward pass of the same model (its seconds in the "
        "first row). Medians of one run, contenders in turn, each warmed by one run. The whole "
        "analysis is the top five, CAM, Grad-CAM at stage 9 and all nine stages; the other tools "
        "make one map. Gradients of B7's first stages take more memory than a network's may: "
        "PyTorch computes them, one stage at a time.",
        "",
        "| | " + " | ".join(titles) + " |",
        "| --- |" + " --- |" * len(compared),
    ]
    for name in names:
        cells = []
        for key, seconds in compared.items():
            if name == "bare eager forward":
                cells.append(f"1.00 ({seconds[name]:.3f} s)")
                continue
            ratio = seconds[name] / seconds["bare eager forward"]
            limit = LIMITS.get(name, {}).get(key)
            verdict = ""
            if limit is not None:
                verdict = f" ({'reached' if ratio <= limit else 'MISSED'}: {limit:g})"
            cells.append(f"{ratio:.3f}{verdict}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    shares = [f"{seconds[ALL_NINE] / seconds[BACK]:.3f}" for seconds in compared.values()]
    lines.append("| all nine, of PyTorch's forward and pass back | " + " | ".join(shares) + " |")
    lines += [
        "",
        f"Peak memory of engine and whole analysis with B7 above the loaded eager model: "
        f"{gigabytes:.2f} GB ({'reached' if gigabytes <= MEMORY_LIMIT else 'MISSED'}: "
        f"{MEMORY_LIMIT:g} GB).",
        "",
        "## Where the time goes",
        "",
        "Milliseconds.",
        "",
        "| | " + " | ".join(titles) + " |",
        "| --- |" + " --- |" * len(compared),
    ]
    for name in next(iter(steps.values())):
        cells = [f"{seconds[name] * 1000:.2f}" for seconds in steps.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs everything, prints the tables and writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--report", type=Path, default=Path(__file__).with_name("RESULTS.md"))
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:  # a process of its own, so that nothing else is in its peak
        print(json.dumps(measure_memory(options.memory_of)))  # noqa: T201
        return
    command = [sys.executable, "-m", "tools.benchmarks", "--memory-of", "b7"]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    gigabytes = float(child.stdout.split()[-1])
    compared, steps = {}, {}
    for key in MODELS:
        compared[key], steps[key] = measure(key, options.rounds)
        print(f"{key} measured", file=sys.stderr)  # noqa: T201
        gc.collect()
    text = report(compared, steps, gigabytes)
    options.report.write_text(text, encoding="utf-8")
    print(text)  # noqa: T201


if __name__ == "__main__":
    main()
