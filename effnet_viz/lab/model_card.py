"""results.json and the model card: what stands beside the shipped weights."""

from __future__ import annotations

from typing import Any

from effnet_viz.assets import LAB
from effnet_viz.lab import scenes
from effnet_viz.lab.runs import (
    HELD_OUT_VENDORS,
    SHIPPED_RUN,
)
from effnet_viz.lab.sprites import CLASSES, VENDORS, all_but
from effnet_viz.models.published import FAMILY

MODEL_CARD = LAB / "MODEL_CARD.md"

Json = dict[str, Any]


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
