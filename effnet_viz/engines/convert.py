"""The process that converts one network; engines.conversions starts it."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from effnet_viz.engines import conversions
from effnet_viz.engines.compiled import keep_compiled
from effnet_viz.engines.conversions import FORWARD, GRADIENTS, Recipe
from effnet_viz.engines.gradient_graph import as_openvino, peak_bytes, trace_gradients
from effnet_viz.engines.network import Network
from effnet_viz.engines.openvino_engine import converted
from effnet_viz.engines.optimize import fold_batch_norms, keep_activations
from effnet_viz.engines.torch_engine import head_of

if TYPE_CHECKING:
    import openvino

GRADIENT_BYTES = 1_000_000_000
"""What the gradients of one network may take; one that takes more begins at a later stage."""

_KEPT = 1.5
"""What OpenVINO keeps, in sizes of what is alive at once: 1.5 for B4 and for B7 from stage 5 on."""


def main() -> None:
    """Convert the networks of the recipes in the first argument: what is not in the cache yet.

    All forward passes come first: somebody waits for them.
    """
    recipes = [
        Recipe(**{**told, "arguments": tuple(told["arguments"])})
        for told in json.loads(sys.argv[1])
    ]
    torch.set_num_threads(1)
    networks: dict[Recipe, Network] = {}
    for kind, convert in ((FORWARD, _convert_forward), (GRADIENTS, _convert_gradients)):
        for recipe in recipes:
            with conversions.alone(recipe):
                if conversions.read(recipe, kind) is None:
                    if recipe not in networks:
                        networks[recipe] = _folded(recipe)
                    convert(recipe, networks[recipe])
                if kind == GRADIENTS:  # the last that anybody waits for
                    keep_compiled(recipe, FORWARD)
                    keep_compiled(recipe, GRADIENTS)
        if hasattr(os, "nice"):
            os.nice(10)  # nobody waits for the rest


def _folded(recipe: Recipe) -> Network:
    network = recipe.network().eval().requires_grad_(False)
    keep_activations(network)
    fold_batch_norms(network, recipe.resolution)
    return network


def _convert_forward(recipe: Recipe, network: Network) -> None:
    model = converted(network, recipe.resolution)
    linear = network.linear_head

    def fill(place: Path) -> None:
        _save(model, place)
        if linear is not None:
            head = head_of(linear)
            np.savez(place / "head.npz", weight=head.weight, bias=head.bias)

    conversions.write(recipe, FORWARD, fill, {"head": linear is not None})


def _convert_gradients(recipe: Recipe, network: Network) -> None:
    """From the first stage on from which a run stays within GRADIENT_BYTES, if there is one."""
    why = f"A run from the last stage takes more than {GRADIENT_BYTES:,} bytes."
    with torch.no_grad():
        x = torch.zeros(1, 3, recipe.resolution, recipe.resolution)
        outputs = network.forward_intermediates(x)
    shapes = [(1, 3, recipe.resolution, recipe.resolution), *(tuple(x.shape) for x in outputs)]
    for first in range(1, len(network.stages) + 1):
        try:
            traced = trace_gradients(network, shapes[first - 1], first)
            # All that is alive at once, and the weights once for each direction.
            weights = sum(4 * parameter.numel() for parameter in network.parameters())
            nbytes = round(_KEPT * (peak_bytes(traced) + 2 * weights))
            if nbytes > GRADIENT_BYTES:
                continue
            model = as_openvino(traced)
        except Exception as error:  # of any library: what cannot be traced goes the eager way
            why = f"{type(error).__name__}: {error}"[:500]
            continue
        conversions.write(
            recipe, GRADIENTS, partial(_save, model), {"first": first, "bytes": nbytes}
        )
        return
    conversions.write(recipe, GRADIENTS, lambda _: None, {"first": None, "why": why})


def _save(model: openvino.Model, place: Path) -> None:
    import openvino

    openvino.save_model(model, place / "model.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main()
