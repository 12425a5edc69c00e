"""A network that has forgotten what some of its stages had learnt."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from effnet_viz.engines.engine import memory_errors
from effnet_viz.engines.network import Network


def randomize(network: Network, position: int, images: Tensor, seed: int = 0) -> Network:
    """A private copy of a network at a position of a cascade, 0 to n + 1 for n stages.

    Random are the head (and the pooling, should it have weights) from position 1, and the last
    `position` - 1 stages; every other tensor keeps its bits. Weights are drawn as before training,
    by the initialiser of EfficientNet's own code, which torchvision and timm have taken over:
    convolutions from a normal distribution of variance 2 / fan_out, linear layers evenly between
    ± 1 / sqrt(outputs), biases 0, norms 1 and 0. (The standard deviation of the trained tensor, the
    other usual choice, is itself learnt.) Parameters of any other layer are shuffled. The values
    of a tensor depend on `seed` and its name alone, so they are the same at all later positions.

    Running means and variances of batch norms are no weights, and none that are set in advance fit:
    the trained ones belong to other inputs, and with 0 and 1 the last stage of a random B0 varies
    by 1e-5 (each squeeze-and-excitation halves what it gets). So those of random stages are
    measured, at each position anew, on `images` (B, 3, R, R) and their mirror images: on a grid of
    one cell, a single image has no variance. It keeps activations near 1 after any other layers,
    and it cannot mend what a trained part gives them: untrained networks of torchvision fade to
    1e-13 before their last stages. Raises ValueError for another position and MemoryError.
    """
    stages = len(network.stages)
    if not 0 <= position <= stages + 1:
        raise ValueError(f"There is no position {position}. Positions are 0 to {stages + 1}.")
    made = copy.deepcopy(network)
    if position == 0:
        return made
    parts = (made.pool, made.head, *made.stages[stages - position + 1 :])
    random = {id(module) for part in parts for module in part.modules()}
    norms: list[_NormBase] = []
    for name, module in made.named_modules():
        if id(module) in random:
            _initialise(module, name, seed)
            if isinstance(module, _NormBase) and module.running_mean is not None:
                norms.append(module)
    _measure(made, norms, images)
    return made


def _initialise(module: nn.Module, name: str, seed: int) -> None:
    """Random values for the module's own parameters, in place."""
    for key, parameter in module.named_parameters(recurse=False):
        generator = _generator(f"{seed} {name}.{key}")
        with torch.no_grad():
            match module:
                case _ConvNd() if key == "weight":  # (C', C / groups, k, k)
                    fan_out = parameter[:, 0].numel() / module.groups
                    parameter.normal_(0, (2 / fan_out) ** 0.5, generator=generator)
                case nn.Linear() if key == "weight":  # (C', C)
                    bound = module.out_features**-0.5
                    parameter.uniform_(-bound, bound, generator=generator)
                case _NormBase() | nn.GroupNorm() | nn.LayerNorm() if key == "weight":  # (C,)
                    parameter.fill_(1)
                case _ConvNd() | nn.Linear() | _NormBase() | nn.GroupNorm() | nn.LayerNorm():
                    parameter.fill_(0)  # the bias, (C,)
                case _:
                    order = torch.randperm(parameter.numel(), generator=generator)
                    parameter.copy_(parameter.flatten()[order].view_as(parameter))


def _generator(name: str) -> torch.Generator:
    digest = hashlib.sha256(name.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _measure(network: Network, norms: Sequence[_NormBase], images: Tensor) -> None:
    """Running means and variances of these norms from the images and their mirror images."""
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0  # nothing of what was there before
        norm.train()
    with memory_errors("random weights"), torch.no_grad():
        network(torch.cat([images, images.flip(-1)]))  # (2 B, 3, R, R)
    for norm in norms:
        norm.eval()
