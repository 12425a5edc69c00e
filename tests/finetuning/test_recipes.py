"""Recipes: learning rates of stages and steps, what is dropped, which statistics stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from timm.layers.drop import DropPath
from torch import nn
from torchvision.ops import StochasticDepth

from effnet_viz.engines.adapters import as_network
from effnet_viz.finetuning import recipes
from effnet_viz.finetuning.data import FinetuneError
from effnet_viz.finetuning.network import head_of, set_drops, to_training_mode, with_classes
from effnet_viz.finetuning.recipes import RECIPES
from effnet_viz.models import architectures, variants
from effnet_viz.models.zoo import ModelEntry

LITE, B0 = variants.find("lite0"), variants.find("b0")


def module_of(entry: ModelEntry) -> nn.Module:
    return with_classes(entry, architectures.module_of(entry, None).state_dict(), 3)


@pytest.mark.parametrize("entry", [LITE, B0], ids=lambda entry: entry.key)
def test_another_head_and_nothing_else(entry: ModelEntry) -> None:
    before = architectures.module_of(entry, None).state_dict()
    after = module_of(entry).state_dict()
    assert list(after) == list(before)
    other = [name for name in before if not torch.equal(before[name], after[name])]
    name, head = head_of(module_of(entry))
    assert other == [f"{name}.weight", f"{name}.bias"]
    assert head.out_features == 3


def test_every_stage_learns_more_slowly_than_the_one_after_it() -> None:
    module = module_of(LITE)
    recipe = RECIPES["default"]
    optimizer = recipes.optimizer_of(module, recipe, batch=64)
    rates = {
        id(parameter): group["lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert len(rates) == len(list(module.parameters()))
    network = as_network(module)
    assert rates[id(head_of(module)[1].weight)] == pytest.approx(2 * 5e-4)  # twice its batch
    for number, stage in enumerate(network.stages, start=1):
        expected = 2 * 5e-4 * 0.7 ** (len(network.stages) - number + 1)
        for parameter in stage.parameters():
            assert rates[id(parameter)] == pytest.approx(expected)


def test_biases_and_batch_norms_do_not_decay() -> None:
    optimizer = recipes.optimizer_of(module_of(LITE), RECIPES["paper"], batch=4096)
    for group in optimizer.param_groups:
        assert group["lr"] == pytest.approx(0.256)
        decays = {parameter.ndim > 1 for parameter in group["params"]}
        assert decays == {group["weight_decay"] == 1e-5}
        assert (group["alpha"], group["momentum"], group["eps"]) == (0.9, 0.9, 0.001)


def rates_of(key: str, epochs: int, steps: int) -> np.ndarray:  # type: ignore[type-arg]
    """Of the head before every step, as shares of the peak."""
    layer = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    schedule = recipes.schedule_of(optimizer, RECIPES[key], epochs, steps)
    rates = []
    for step in range(epochs * steps):
        schedule.step_update(step)
        rates.append(optimizer.param_groups[0]["lr"])
    return np.array(rates)


def test_the_papers_schedule() -> None:
    rates = rates_of("paper", epochs=10, steps=5)
    np.testing.assert_allclose(rates, 0.97 ** (np.arange(50) // 12))  # 2.4 epochs are 12 steps


def test_composers_schedule_rises_for_its_warm_up_and_falls_to_zero_as_a_cosine() -> None:
    rates = rates_of("composer", epochs=100, steps=1)
    np.testing.assert_allclose(rates[:4], np.arange(4) / 4)
    np.testing.assert_allclose(rates[4:], 0.5 * (1 + np.cos(np.pi * np.arange(96) / 96)))


@pytest.mark.parametrize("entry", [LITE, B0], ids=lambda entry: entry.key)
def test_drop_connect_rises_and_only_acts_in_training(entry: ModelEntry) -> None:
    module = module_of(entry)
    nn.init.normal_(head_of(module)[1].weight)
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = module.eval()(x)
        set_drops(module, 0.3, 0.2)
        assert torch.equal(module(x), before)
        module.train()
        assert not torch.equal(module(x), module(x))
    shares = [
        part.drop_prob if isinstance(part, DropPath) else part.p
        for part in module.modules()
        if isinstance(part, DropPath | StochasticDepth)
    ]
    assert shares == sorted(shares)
    assert 0 < shares[-1] < 0.2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.functional, "dropout", lambda x, p, *_, **__: x * 0 if p == 0.3 else x)
        assert torch.equal(module(x)[0], head_of(module)[1].bias)


def test_batch_norms_keep_their_statistics_where_told() -> None:
    module = module_of(LITE)
    x = torch.rand(2, 3, 64, 64)
    for kept in (True, False):
        before = module.state_dict()["bn1.running_mean"].clone()
        to_training_mode(module, statistics=not kept)
        assert module.training
        module(x)
        assert torch.equal(module.state_dict()["bn1.running_mean"], before) == kept


def test_an_unknown_recipe_names_the_choices() -> None:
    with pytest.raises(FinetuneError, match=r"no recipe 'adam'\. Choose one of: default, composer"):
        recipes.find("adam")
    assert recipes.find("paper") is RECIPES["paper"]
