"""The sanity check: the cascade of random weights, and what methods make of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from effnet_viz import Analysis, Model, analyse
from effnet_viz.analysis.randomization import SanityCheck, sanity_check
from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution.methods import (
    METHODS,
    Method,
    MethodRefusedError,
    Task,
)
from effnet_viz.engines.network import Network
from effnet_viz.engines.random_weights import randomize
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.metrics.agreement import rank_correlation
from tests.conftest import SAMPLES, eager
from tests.engines.networks import branching, images

POSITIONS = range(11)
"""As trained, the head, nine stages."""


@pytest.fixture(scope="module")
def network(lite0: Model) -> Network:
    return lite0.module()


@pytest.fixture(scope="module")
def x(cat: Analysis) -> Tensor:
    return torch.tensor(cat.image)  # (1, 3, R, R)


@pytest.fixture(scope="module")
def cascade(network: Network, x: Tensor) -> list[Network]:
    """Lite0 at every position."""
    return [randomize(network, position, x) for position in POSITIONS]


def is_random(name: str, position: int, stages: int = 9) -> bool:
    """Whether a tensor of this name is random at a position."""
    part, number, *_ = name.split(".")
    if part == "stages":
        return int(number) + 1 >= stages - position + 2
    return position > 0


def measured(name: str) -> bool:
    """Whether a tensor is what a batch norm has measured, no weight."""
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


# The cascade


def test_position_0_is_the_network_as_trained(
    lite0: Model, cascade: list[Network], network: Network, x: Tensor
) -> None:
    first, trained = cascade[0].state_dict(), network.state_dict()
    assert first.keys() == trained.keys()
    for name, tensor in trained.items():
        assert torch.equal(first[name], tensor)
        assert first[name].data_ptr() != tensor.data_ptr()
    assert torch.equal(cascade[0](x), lite0.module()(x))


@pytest.mark.parametrize("position", POSITIONS[1:])
def test_what_is_above_has_its_bits_and_what_is_random_stays_the_same(
    cascade: list[Network], network: Network, position: int
) -> None:
    made, last = cascade[position].state_dict(), cascade[-1].state_dict()
    random = 0
    for name, trained in network.state_dict().items():
        if not is_random(name, position):
            assert torch.equal(made[name], trained), name
        elif not measured(name):
            assert torch.equal(made[name], last[name]), name
            assert not torch.equal(made[name], trained), name
            random += 1
    assert random >= 2
    assert not any(parameter.requires_grad for parameter in cascade[position].parameters())
    assert not any(module.training for module in cascade[position].modules())


def test_nothing_learnt_is_left_at_the_end(cascade: list[Network], network: Network) -> None:
    trained = network.state_dict()
    assert all(is_random(name, 10) for name in trained)
    for name, tensor in cascade[-1].state_dict().items():
        if name.endswith("weight") and tensor.ndim > 1:
            correlation = np.corrcoef(tensor.flatten(), trained[name].flatten())[0, 1]
            assert abs(correlation) < 5 / tensor.numel() ** 0.5, name


def test_weights_are_drawn_as_before_training(cascade: list[Network]) -> None:
    """The spread of a 1x1 convolution, of depthwise ones and of the head; norms and biases."""
    for module in cascade[-1].modules():
        if isinstance(module, nn.Conv2d):
            outputs, _, height, width = module.weight.shape
            spread = (2 / (height * width * outputs / module.groups)) ** 0.5
            assert module.weight.std().item() == pytest.approx(spread, rel=0.15)
        elif isinstance(module, nn.Linear):
            bound = 1000**-0.5
            assert 0.99 * bound < module.weight.abs().max().item() <= bound
            assert not module.bias.any()
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert not module.bias.any()


def test_a_seed_gives_the_same_bits_and_another_one_others(
    cascade: list[Network], network: Network, x: Tensor
) -> None:
    before = torch.get_rng_state()
    again, other = (randomize(network, 5, x, seed).state_dict() for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for name, tensor in cascade[5].state_dict().items():
        assert torch.equal(again[name], tensor), name
        if is_random(name, 5) and tensor.ndim > 1:
            assert not torch.equal(other[name], tensor), name
    drawn = [tensor for tensor in cascade[-1].state_dict().values() if tensor.ndim > 1]
    assert len({tensor.sum().item() for tensor in drawn}) == len(drawn)  # no two layers alike


@pytest.mark.parametrize(("key", "untrained"), [("lite0", False), ("b0", True)])
def test_activations_stay_finite_and_logits_differ(key: str, untrained: bool) -> None:
    """An untrained B0 fades on its way (1e-13): no random part can bring that back, but all can."""
    model = eager(key, untrained=untrained)
    seen = analyse(SAMPLES / "cat.jpg", model)
    whole, x = model.module(), torch.tensor(seen.image)
    for position in POSITIONS:
        found = TorchEngine(randomize(whole, position, x)).forward(seen.image)
        for stage, activation in found.stages.items():
            assert np.isfinite(activation).all()
            assert np.ptp(activation) > 0
            if position > 0 and not untrained and is_random(f"stages.{stage - 1}.", position):
                assert 0.1 < activation.std() < 10, (position, stage)
        assert np.isfinite(found.logits).all()
        assert len(np.unique(found.logits)) > 900
        if not untrained or position == 10:
            assert found.logits.std() > 0.1
    assert all(0.1 < activation.std() < 10 for activation in found.stages.values())


def test_running_statistics_of_0_and_1_would_not_do() -> None:
    """What the docstring says of a random B0, as it would be without measuring."""
    model = eager("b0", untrained=True)
    x = torch.tensor(analyse(SAMPLES / "cat.jpg", model).image)
    made = randomize(model.module(), 10, x)
    assert made.forward_intermediates(x)[-1].std() > 0.1
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    assert made.forward_intermediates(x)[-1].std() < 1e-4


class _Scaled(nn.Module):
    """A layer with a parameter of its own, and norms of other kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, 2, 1)
        self.scale = nn.Parameter(torch.arange(4.0).view(1, 4, 1, 1))
        self.norm = nn.GroupNorm(2, 4)
        nn.init.constant_(self.norm.weight, 3)

    def forward(self, x: Tensor) -> Tensor:  # (B, 3, h, w)
        scaled: Tensor = self.norm(self.convolution(x)) * self.scale
        return scaled


def test_other_layers_are_random_as_well() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Network([_Scaled()], nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2)).eval()
        hand_made = branching()
    made = randomize(module, 2, images(8))
    stage = made.stages[0]
    assert isinstance(stage, _Scaled)
    assert sorted(stage.scale.flatten().tolist()) == [0, 1, 2, 3]
    assert (stage.norm.weight == 1).all()
    for name, tensor in randomize(hand_made, 3, images(16)).state_dict().items():
        assert not torch.equal(tensor, hand_made.state_dict()[name]), name


def test_a_grid_of_one_cell_has_a_variance(network: Network) -> None:
    tiny = images(32)
    logits = randomize(network, 10, tiny)(tiny)  # (1, 1000)
    assert torch.isfinite(logits).all()
    assert logits.std() > 0.01


@pytest.mark.parametrize("position", [-1, 11])
def test_there_are_so_many_positions(network: Network, x: Tensor, position: int) -> None:
    with pytest.raises(ValueError, match="Positions are 0 to 10"):
        randomize(network, position, x)


# The check

CHECKED = ("cam", "grad-cam", "gradient-x-activation")


def of_library(key: str, computes: Callable[[Task], Floats]) -> Method:
    """A method of pixels made of a function."""

    @dataclass(frozen=True)
    class Made(Method):
        def run(self, task: Task) -> Floats:
            return computes(task)

    fields = {name: getattr(METHODS["saliency"], name) for name in Method.__dataclass_fields__}
    return Made(**fields | {"key": key, "title": key})


def edges(task: Task) -> Floats:
    """How steep the photograph is: it knows neither network nor class."""
    grey = task.image[0].mean(0).numpy()  # (R, R)
    steep: Floats = ndimage.gaussian_gradient_magnitude(grey, 1)
    return steep


def image_gradient(task: Task) -> Floats:
    """How strongly the score reacts to each pixel."""
    x = task.image.requires_grad_()
    score = task.network(x)[0, task.target]  # ()
    (gradient,) = torch.autograd.grad(score, x)  # (1, 3, R, R)
    values: Floats = gradient[0].abs().amax(0).numpy()  # (R, R)
    return values


@pytest.fixture(scope="module")
def checked(cat: Analysis) -> SanityCheck:
    methods = [*CHECKED, of_library("edges", edges), of_library("gradient", image_gradient)]
    return sanity_check(cat, methods, stage=8)


def test_edges_are_marked_and_maps_that_need_the_weights_are_not(checked: SanityCheck) -> None:
    marked = {key for key, check in checked.methods.items() if check.hardly_changes}
    assert marked == {"edges"}
    assert checked.methods["edges"].rank_correlations == pytest.approx([1] * 11)
    assert checked.methods["edges"].structural_similarities == pytest.approx([1] * 11)
    for key in CHECKED:
        curve = checked.methods[key].rank_correlations
        assert curve[0] == pytest.approx(1)
        assert np.abs(curve[1:]).max() < 0.6
        assert np.abs(curve[-3:]).mean() < 0.3
        assert np.abs(checked.methods[key].structural_similarities[-3:]).mean() < 0.3


def test_the_first_map_is_that_of_the_analysis(cat: Analysis, checked: SanityCheck) -> None:
    """But for what OpenVINO rounds otherwise."""
    for key in CHECKED:
        expected = cat.attribute(key, None if key == "cam" else 8)
        check = checked.methods[key]
        np.testing.assert_allclose(check.maps[0], expected.values, atol=1e-3)
        assert check.placement == expected.placement
        assert check.stage == expected.stage
    assert checked.methods["edges"].placement == Placement.even(224)
    assert checked.methods["edges"].stage is None
    assert checked.probabilities[0] == pytest.approx(cat.target.probability, abs=1e-4)
    assert max(checked.probabilities[1:]) < 0.01


def test_maps_are_those_of_the_random_networks_for_the_same_class(
    cat: Analysis, cascade: list[Network], checked: SanityCheck
) -> None:
    for position in (1, 4, 10):
        engine = TorchEngine(copy.deepcopy(cascade[position]))
        activations = engine.forward(cat.image)
        assert engine.head is not None
        cam = np.einsum("k,kij->ij", engine.head.weight[cat.target.index], activations.stages[9][0])
        found = checked.methods["cam"]
        np.testing.assert_allclose(found.maps[position], cam, atol=1e-4)
        expected = rank_correlation(found.maps[0], found.maps[position])
        assert found.rank_correlations[position] == expected


def test_the_record_is_whole(cat: Analysis, checked: SanityCheck) -> None:
    assert checked.target == cat.target
    assert list(checked.methods) == [*CHECKED, "edges", "gradient"]
    assert not checked.refused
    assert len(checked.probabilities) == 11
    cells = [check.maps.size for check in checked.methods.values()]
    assert cells == [11 * 7 * 7] * 3 + [11 * 224 * 224] * 2
    assert checked.nbytes == 4 * sum(cells)
    for check in checked.methods.values():
        assert check.maps.dtype == np.float32
        assert not check.maps.flags.writeable


def test_a_method_that_refuses_is_left_out_with_its_reason(cat: Analysis) -> None:
    asked = 0

    def refuse_later(task: Task) -> Floats:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise MethodRefusedError("Not here.")
        return edges(task)

    found = sanity_check(cat, ["cam", of_library("moody", refuse_later), "cam"])
    assert list(found.methods) == ["cam"]
    assert found.refused == {"moody": "Not here."}
    assert asked == 3
    assert found.methods["cam"].maps.shape == (11, 7, 7)


def test_a_network_without_a_class_activation_map_has_a_grad_cam(cat: Analysis) -> None:
    def no_head(seen: Analysis) -> Analysis:
        engine = replace_head(seen.model)
        return replace(seen, model=replace(seen.model, engine=engine))

    def replace_head(model: Model) -> TorchEngine:
        whole = model.module()
        whole.head = nn.Sequential(whole.head, nn.Hardswish())
        return TorchEngine(whole)

    found = sanity_check(no_head(cat), ["cam", "grad-cam"])
    assert list(found.methods) == ["grad-cam"]
    assert "no class activation map" in found.refused["cam"]


def test_progress_is_heard_and_can_end_it(cat: Analysis) -> None:
    heard: list[float] = []

    def halves(task: Task) -> Floats:
        task.progress(0.5)
        return edges(task)

    sanity_check(cat, ["cam", of_library("halves", halves)], progress=heard.append)
    steps = [position + part for position in POSITIONS for part in (0, 0.5, 0.75)]
    assert heard == pytest.approx([step / 11 for step in steps] + [1])

    class LeftError(Exception):
        pass

    def leave(done: float) -> None:
        if done > 0:
            raise LeftError

    with pytest.raises(LeftError):
        sanity_check(cat, ["cam", "grad-cam"], progress=leave)


def test_a_method_cannot_spoil_the_maps_of_others(cat: Analysis) -> None:
    def spoil(task: Task) -> Floats:
        for parameter in task.network.parameters():
            parameter.zero_()
        task.image.zero_()
        return np.eye(4, dtype=np.float32)

    def logits(task: Task) -> Floats:
        return task.forward(task.image.numpy())[:, :100].reshape(10, 10)

    methods = [of_library("spoil", spoil), of_library("logits", logits), "cam"]
    found = sanity_check(cat, methods).methods
    alone = sanity_check(cat, methods[1:]).methods
    for key, check in alone.items():
        assert np.array_equal(found[key].maps, check.maps)


def test_the_same_call_gives_the_same_bits(cat: Analysis, checked: SanityCheck) -> None:
    again = sanity_check(cat, CHECKED, stage=8)
    other = sanity_check(cat, CHECKED, stage=8, seed=1)
    for key, check in again.methods.items():
        assert np.array_equal(check.maps, checked.methods[key].maps)
        assert check.rank_correlations == checked.methods[key].rank_correlations
        assert np.array_equal(check.maps[0], other.methods[key].maps[0])
        assert not np.array_equal(check.maps[1], other.methods[key].maps[1])


def test_there_are_so_many_stages(cat: Analysis) -> None:
    with pytest.raises(ValueError, match="There is no stage 10"):
        sanity_check(cat, ["grad-cam"], stage=10)
