"""Own networks: recognised by their tensors, described, labelled, or refused with a sentence."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from effnet_viz.analysis.pointing_game import entry_for_mosaic
from effnet_viz.engines.summarize import init_empty_weights
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import (
    architectures,
    checkpoints,
    fetching,
    files,
    model,
    own,
    variants,
    weights,
    zoo,
)
from effnet_viz.models.weights import Readiness, WeightsError
from effnet_viz.models.zoo import UnknownModelError
from tests.models.hostile_files import HOSTILE, Call, deflated_bomb
from tests.models.own_files import COMPOSER, LUKEMELAS, Dialect, State, logits, put, written
from tests.models.weight_files import saved

X = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))

CLASSES = 7


@pytest.fixture(autouse=True)
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path / "networks"))
    monkeypatch.setattr(own, "_read", {})
    monkeypatch.setattr(files, "_digests", {})
    # Converting a network for another engine takes seconds, and its files are the same.
    monkeypatch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
    return tmp_path / "networks"


@cache
def small() -> State:
    """Of torchvision's B0 at a quarter of width and depth, with three classes."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = architectures.scaled("efficientnet_b0", 0.25, 0.25, 3)
    return dict(module.state_dict())


def entry_of(key: str) -> zoo.ModelEntry:
    network = own.networks()[key]
    assert network.entry is not None, network.problem
    return network.entry


def problem_of(key: str) -> str:
    network = own.networks()[key]
    assert network.entry is None
    with pytest.raises(own.UnusableNetworkError) as caught:
        variants.find(key)
    assert str(caught.value) == network.problem
    assert network.problem.endswith(".")
    assert str(weights.networks_folder()) not in network.problem
    return network.problem


def loaded_logits(key: str, x: torch.Tensor = X) -> torch.Tensor:
    entry = entry_of(key)
    state, _ = checkpoints.load_state_dict(entry)
    with torch.no_grad():
        return architectures.build(entry, state)(x)


def disturbed(module: nn.Module) -> nn.Module:
    """With statistics as after training, so that a wrong epsilon or order shows."""
    random = torch.Generator().manual_seed(2)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2, generator=random)
            part.running_var.uniform_(0.01, 1, generator=random)
    return module.eval()


# Naming schemes


@pytest.mark.parametrize(
    ("dialect", "architecture"),
    [(LUKEMELAS, "timm tf_efficientnet_b0"), (COMPOSER, "composer efficientnet_b0")],
    ids=["EfficientNet-PyTorch", "Composer"],
)
def test_a_network_under_other_names_gives_its_own_logits(
    dialect: Dialect, architecture: str, networks: Path
) -> None:
    state = written(dialect, CLASSES)
    put(networks / "b0", state)
    assert entry_of("own-b0").card.architecture == architecture
    expected = logits(dialect, state, X)
    assert expected.std() > 0.1
    torch.testing.assert_close(loaded_logits("own-b0"), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("timm", "efficientnet_b0"),
        ("timm", "efficientnet_b2"),
        ("timm", "efficientnet_lite0"),
        ("torchvision", "efficientnet_b1"),
        ("torchvision", "efficientnet_b3"),
    ],
)
def test_a_network_of_a_library_gives_its_own_logits(
    library: str, name: str, networks: Path
) -> None:
    module = disturbed(
        timm.create_model(name, num_classes=CLASSES)
        if library == "timm"
        else torchvision.models.get_model(name, num_classes=CLASSES)
    )
    put(networks / "n", module.state_dict(), "weights.safetensors")
    entry = entry_of("own-n")
    assert entry.card.architecture == f"{library} {name}"
    assert entry.labels == tuple(f"class {number}" for number in range(CLASSES))
    with torch.no_grad():
        assert torch.equal(loaded_logits("own-n"), module(X))


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("efficientnet_es", "es"),
        ("tf_efficientnet_em", "em"),  # the padding leaves no trace
        ("efficientnet_b1_pruned", "timm-b1-pruned"),
        ("tf_efficientnetv2_b0", "v2-b0"),
        ("efficientnetv2_rw_t", "v2-rw-t"),
        ("mobilenetv2_050", "mobilenetv2-050"),
    ],
)
def test_another_one_of_timm_is_recognised(name: str, like: str, networks: Path) -> None:
    module = disturbed(timm.create_model(name, num_classes=CLASSES))
    put(networks / "n", module.state_dict(), "weights.safetensors", title="Mine")
    entry, listed = entry_of("own-n"), zoo.MODELS[like]
    assert entry.card.architecture == listed.card.architecture
    assert entry.preprocessing == listed.preprocessing
    if name == listed.architecture:
        with torch.no_grad():
            assert torch.equal(loaded_logits("own-n"), module(X))


def test_b8_is_recognised_although_nothing_is_larger(networks: Path) -> None:
    with init_empty_weights():
        module = timm.create_model("tf_efficientnet_b8", num_classes=CLASSES)
    zeros = {name: torch.zeros((), dtype=its.dtype) for name, its in module.state_dict().items()}
    shapes = {name: its.shape for name, its in module.state_dict().items()}
    put(networks / "n", {name: its.expand(shapes[name]) for name, its in zeros.items()})
    entry = entry_of("own-n")
    assert entry.architecture == "tf_efficientnet_b8"
    assert entry.preprocessing == zoo.MODELS["tf-b8-ap"].preprocessing


def test_a_description_says_which_of_two_networks_with_the_same_names_it_is(
    networks: Path,
) -> None:
    """Padding and epsilon leave no trace in a state dict."""
    module = disturbed(timm.create_model("tf_efficientnet_b0", num_classes=CLASSES))
    put(networks / "port", module.state_dict(), architecture="timm tf_efficientnet_b0")
    put(networks / "guess", module.state_dict())
    with torch.no_grad():
        expected = module(X)
    assert torch.equal(loaded_logits("own-port"), expected)
    assert not torch.allclose(loaded_logits("own-guess"), expected, rtol=1e-2)


def test_the_published_lite_file_is_the_model_of_the_zoo(networks: Path) -> None:
    published = weights.path_of(zoo.MODELS["lite0"].weights)
    assert published is not None
    put(networks / "lite", torch.load(published, weights_only=True))
    entry = entry_of("own-lite")
    of_zoo, found = zoo.MODELS["lite0"], checkpoints.load_state_dict(entry)[0]
    assert (entry.architecture, entry.preprocessing) == (of_zoo.architecture, of_zoo.preprocessing)
    assert entry.labels == tuple(model.classes_of(of_zoo))
    expected, _ = checkpoints.load_state_dict(of_zoo)
    assert all(torch.equal(found[name], its) for name, its in expected.items())


ADAM = {
    "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(4)}},
    "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0]}],
}


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: its for name, its in state.items()}


def halved(state: State) -> State:
    return {name: its / 2 if its.is_floating_point() else its for name, its in state.items()}


def composer(averaged: State, trained: State, *, ema_started: bool) -> object:
    """What Composer's trainer saves of its model and of the algorithm EMA, in a list of pairs."""
    ema = {
        "repr": "EMA(half_life='1000ba')", "ema_started": ema_started,
        "ema_weights_active": False, "ema_model": prefixed("module.", averaged),
        "training_model": prefixed("module.", halved(trained)),
    }  # fmt: skip
    algorithms = [("LabelSmoothing", {"repr": "LabelSmoothing(0.1)"}), ("EMA", ema)]
    model = prefixed("module.", trained)
    return {"state": {"model": model, "algorithms": algorithms, "optimizers": {"Adam": ADAM}}}


WRAPPED: dict[str, Callable[[State], object]] = {
    "plain": dict,
    "DataParallel": lambda s: prefixed("module.", s),
    "Lightning": lambda s: {
        "epoch": 3,
        "state_dict": {**prefixed("model.", s), "criterion.weight": torch.ones(3)},
        "optimizer_states": [ADAM],
        "pytorch-lightning_version": "2.5.0",
    },
    "Lightning, compiled": lambda s: {"state_dict": prefixed("net._orig_mod.", s)},
    "Composer": lambda s: {
        "state": {"model": prefixed("module.", s), "optimizers": {"Adam": ADAM}},
        "rng": [None],
    },
    "Composer with an average": lambda s: composer(s, halved(s), ema_started=True),
    "Composer before its average has started": lambda s: composer(halved(s), s, ema_started=False),
    "timm's training": lambda s: {
        "arch": "b0", "state_dict": {n: its * 0 for n, its in s.items()}, "optimizer": ADAM,
        "state_dict_ema": s, "metric": 0.5,
    },
    "averaged": lambda s: {
        "model": {n: its * 0 for n, its in s.items()},
        "ema_model": {**prefixed("module.", s), "n_averaged": torch.tensor(9)},
    },
    "model_state_dict": lambda s: {"model_state_dict": s, "optimizer_state_dict": ADAM},
    "one layer as head": lambda s: {n.replace("fier.1", "fier"): its for n, its in s.items()},
    "without counters": lambda s: {n: its for n, its in s.items() if "num_batches" not in n},
    "half precision": lambda s: {
        n: its.half() if its.is_floating_point() else its for n, its in s.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPPED)
def test_what_training_libraries_put_around_a_state_dict_is_taken_off(
    wrap: str, networks: Path
) -> None:
    put(networks / "a", WRAPPED[wrap](small()), "last.ckpt")
    entry = entry_of("own-a")
    assert (entry.width, entry.depth, len(entry.labels or ())) == (0.25, 0.25, 3)
    state, _ = checkpoints.load_state_dict(entry)
    for name, its in small().items():
        if "num_batches" not in name:
            torch.testing.assert_close(state[name].float(), its, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("width", "depth"), [(1, 1), (1.4, 0.5), (0.25, 3), (1, 1.1), (2, 1)])
def test_width_and_depth_are_inferred(width: float, depth: float, networks: Path) -> None:
    with torch.random.fork_rng():
        module = architectures.scaled("efficientnet_b0", width, depth, 2)
    put(networks / "a", module.state_dict())
    entry = entry_of("own-a")
    expected = {name: its.shape for name, its in module.state_dict().items()}
    assert {
        name: its.shape for name, its in architectures.expected_state(entry).items()
    } == expected


# The folder


def test_a_folder_becomes_a_model(networks: Path) -> None:
    put(
        networks / "Birds & <b>bees",
        small(),
        title="Birds **of** <i>ours</i>",
        architecture="b0-w0.25-d0.25",
        resolution=64,
        classes=["owl", "wren", "swift"],
        recipe="5 epochs from `b0`",
        provenance={"date": "today"},
    )
    [(key, network)] = own.networks().items()
    assert key == "own-birds-b-bees"
    assert network.title == "Birds of i ours /i"
    entry = entry_of(key)
    assert fetching.readiness(entry) is Readiness.READY
    made = model.load(key)
    assert made.id.weights[:64] == fetching.fetch(entry).sha256
    assert tuple(made.classes) == ("owl", "wren", "swift")
    assert made.preprocessing.resolution == 64
    assert made.card.recipe == "5 epochs from b0"
    assert made.card.published is None
    assert made.weights_name == "weights.pth"
    assert made.trained
    assert np.array_equal(made.engine.head.weight, small()["classifier.1.weight"].numpy())
    assert made.module()(torch.rand(1, 3, 64, 64)).shape == (1, 3)
    assert model.load_exactly(made.id).id == made.id
    assert model.load(key, untrained=True).classes == made.classes
    larger = model.load(f"{key}-r128")
    assert entry_for_mosaic(entry) == variants.find(f"{key}-r128")
    assert (larger.preprocessing.resolution, larger.id.weights[:64]) == (128, made.id.weights[:64])
    assert key in model.list_models()


def test_what_a_result_depends_on_is_in_the_identity(networks: Path) -> None:
    ids = []
    for description in (
        {"classes": ["a", "b", "c"]},
        {"classes": ["c", "b", "a"]},
        {"classes": ["a", "b", "c"], "resolution": 64},
    ):
        put(networks / "a", small(), **description)
        ids.append(model.load("own-a").id)
    assert len(set(ids)) == 3
    with pytest.raises(WeightsError, match="replaced while it was in use"):
        model.load_exactly(ids[0])


def test_other_content_is_noticed(networks: Path) -> None:
    put(networks / "a", small())
    before = entry_of("own-a")
    first = model.load("own-a")
    put(networks / "a", {**small(), "classifier.1.bias": torch.full((3,), 5.0)})
    with pytest.raises(WeightsError, match="was replaced while it was in use"):
        checkpoints.load_state_dict(before)
    with pytest.raises(WeightsError, match="was replaced while it was in use"):
        first.module()
    assert model.load("own-a").id != first.id
    (networks / "a" / "weights.pth").unlink()
    with pytest.raises(WeightsError, match=r"no longer in the folder of own networks\. Whoever"):
        fetching.fetch(before)
    (networks / "a").rmdir()
    with pytest.raises(UnknownModelError, match="no network 'own-a' in the folder"):
        variants.find("own-a")


def test_a_network_is_read_once(networks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(networks / "a", small())
    put(networks / "b", {"x": torch.ones(1)})
    own.networks()
    monkeypatch.setattr(files, "read", lambda *_: pytest.fail("read again"))
    assert list(own.networks()) == ["own-a", "own-b"]


def test_names_of_folders_give_keys_of_their_own(networks: Path) -> None:
    for name in ("my net", "My-Net", "日本", "x" * 80):
        put(networks / name, small())
    (networks / ".hidden").mkdir()
    (networks / "a file.txt").write_text("")
    keys = list(own.networks())
    assert len(set(keys)) == 4
    assert {"own-my-net", "own-" + "x" * 24} < set(keys)
    for key in keys:
        assert variants.find(f"{key}-r96").resolution == 96
    assert set(keys) < set(own.ModelKeys())
    assert "own-none" not in own.ModelKeys()
    assert "class 2" in own.ClassLabels()


def test_without_a_folder_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own.networks() == {}
    monkeypatch.delenv("EFFNET_VIZ_NETWORKS")
    assert own.networks() == {}
    with pytest.raises(UnknownModelError, match="no network 'own-a'"):
        variants.find("own-a")


# Labels


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "owl\nwren\r\n swift \n\n"),
        ("labels.txt", "\ufeffowl\nwren\nswift"),
        ("labels.json", '["owl", "wren", "swift"]'),
        ("labels.json", '{"1": "wren", "0": "owl", "2": "swift"}'),
    ],
)
def test_labels_beside_the_weights(name: str, content: str, networks: Path) -> None:
    (put(networks / "a", small()) / name).write_text(content)
    assert entry_of("own-a").labels == ("owl", "wren", "swift")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("labels.txt", "owl\nwren", r"`labels.txt` names 2 classes, and the network has 3\. Name"),
        ("labels.txt", "owl\n\nwren", "number 1, that is no text"),
        ("labels.txt", "owl\nwren\nowl", r"names two classes `owl`\. Give every class"),
        ("labels.txt", b"\xff\xfe\x00", r"is no text in UTF-8\. Save it"),
        ("labels.json", '["owl", 2, "wren"]', "number 1, that is no text"),
        ("labels.json", '{"0": "owl", "1": "wren", "3": "swift"}', "does not number its classes 0"),
        ("labels.json", '{"0": "owl", "0": "wren"}', "is no JSON, or names something twice"),
        ("labels.json", "[" * 100_000, "is no JSON"),
        ("labels.json", '"owl"', "is no list of labels"),
        ("labels.txt", "x" * (4 * 2**20 + 1), r"is too large: 4\.0 MB"),
    ],
)
def test_labels_that_do_not_match_are_refused_in_a_sentence(
    name: str, content: str | bytes, sentence: str, networks: Path
) -> None:
    path = put(networks / "a", small()) / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    put(networks / "b", small())
    assert own.networks()["own-b"].entry is not None
    assert re.search(sentence, problem_of("own-a"))


def test_labels_that_contradict_the_description_are_refused(networks: Path) -> None:
    folder = put(networks / "a", small(), classes=["owl", "wren", "swift"])
    (folder / "labels.txt").write_text("owl\nwren\nswift")
    assert entry_of("own-a").labels == ("owl", "wren", "swift")
    (folder / "labels.txt").write_text("owl\nswift\nwren")
    assert "`labels.txt` names other classes than `network.json`" in problem_of("own-a")


# Refusals


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ({"format": 2}, "has another format than 1"),
        ({"colour": "red", "<b>": 1}, "has fields that are not known: `colour`, `?b?`. It may"),
        ({"title": 3}, "has a “title” that is not a text"),
        ({"resolution": True}, "has a “resolution” that is not a whole number"),
        ({"resolution": 10**9}, "has a “resolution” that is not 64 to 1344 pixels"),
        ({"resolution": 65}, "Resolution is a multiple of 2 pixels"),
        ({"architecture": "b99"}, "names the architecture `b99`, which is not known"),
        ({"architecture": "own-a"}, "names the architecture `own-a`, which is not known"),
        ({"architecture": "b0"}, "holds no weights of torchvision efficientnet_b0"),
        ({"architecture": "lite0"}, "says that this is timm tf_efficientnet_lite0, and the names"),
        ({"weights_sha256": "0" * 64}, "was written for other weights than those in `weights.pth`"),
        ({"classes": ["a"]}, "`network.json` names 1 classes, and the network has 3"),
    ],
)
def test_a_description_that_is_wrong_is_refused_in_a_sentence(
    description: dict[str, object], sentence: str, networks: Path
) -> None:
    put(networks / "a", small(), **description)
    assert sentence in problem_of("own-a")


def test_a_description_without_a_format_is_refused(networks: Path) -> None:
    folder = put(networks / "a", small())
    for text in ("{}", "[]", "{", json.dumps({"title": "x"})):
        (folder / "network.json").write_text(text)
        assert "`network.json`" in problem_of("own-a")


STEM = "features.0.0.weight"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _: {"x": torch.ones(1)}, "holds no EfficientNet that is known: its tensors begin"),
        (lambda _: {"epoch": 3}, "holds no state dict"),
        (
            lambda s: prefixed("module.", {n: its for n, its in s.items() if "8.1.bias" not in n}),
            "`module.features.8.1.bias` is missing",
        ),
        (lambda s: {**s, "extra": torch.ones(1)}, "`extra` does not belong to it"),
        (
            lambda s: {**s, "features.8.1.bias": torch.ones(4)},
            "`features.8.1.bias` has the shape 4 instead of",
        ),
        (
            lambda s: {n: its for n, its in s.items() if "classifier" not in n},
            "holds an EfficientNet without a classifier: `classifier.1.weight`",
        ),
        (
            lambda s: {
                **s,
                "classifier.1.weight": torch.zeros(1).expand(10**6, 320),
            },
            "tells 1,000,000 classes apart, and here it is 2 to 50,000",
        ),
        (
            lambda s: {**prefixed("teacher.", s), **prefixed("student.", s)},
            "holds 2 networks (`teacher`, `student`)",
        ),
        (lambda s: {**s, STEM: s[STEM].to(torch.int8)}, f"holds `{STEM}` as int8"),
        (
            lambda _: torchvision.models.mobilenet_v2(num_classes=3).state_dict(),
            "holds no EfficientNet that is known",
        ),
        (
            lambda _: timm.create_model("efficientnet_cc_b0_4e", num_classes=3).state_dict(),
            "holds no weights of timm efficientnet_b0: `",
        ),
        (
            lambda _: {
                **timm.create_model("efficientnet_es", num_classes=3).state_dict(),
                "conv_stem.weight": torch.ones(32, 3, 1, 9),
            },
            "holds no weights of timm efficientnet_es: `conv_stem.weight` has the shape 32×3×1×9",
        ),
        (
            lambda s: {"state": {"model": s}, "rng": [timedelta(1)]},
            "was refused, because it asks for `datetime.timedelta`: only plain named tensors",
        ),
        (
            lambda _: {f"a{number}.{STEM}": torch.ones(1) for number in range(65)},
            "holds 65 first convolutions",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    change: Callable[[State], object], sentence: str, networks: Path
) -> None:
    put(networks / "a", change(small()))
    assert sentence in problem_of("own-a")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named_as_the_file_names_them(
    value: float, networks: Path
) -> None:
    state = {**small(), STEM: torch.full_like(small()[STEM], value)}
    put(networks / "a", {"state_dict": prefixed("model.", state)})
    with pytest.raises(WeightsError, match=rf"not finite .* in `model\.{STEM}`"):
        model.load("own-a")


NOT_HERE = ("a checkpoint of a training", "more parts than tensors")
"""What is refused where a state dict alone is expected, and no more than unusual here."""

AT_LOADING = "tensors that overlap"


def test_no_hostile_file_stops_the_others(networks: Path, tmp_path: Path) -> None:
    put(networks / "good", small())
    marker = tmp_path / "the code has run"
    contents = {
        kind: (hostile.form, hostile.content)
        for kind, hostile in HOSTILE.items()
        if kind not in NOT_HERE
    }
    contents["code"] = ("pth", lambda: saved({"state_dict": {STEM: Call(os.mkdir, str(marker))}}))
    contents["bomb"] = ("pth", deflated_bomb)
    for kind, (form, content) in contents.items():
        folder = networks / ("late" if kind == AT_LOADING else f"bad {kind}")
        folder.mkdir()
        ending = "safetensors" if form == "safetensors" else "pth"
        (folder / f"weights.{ending}").write_bytes(content())
    (networks / "empty").mkdir()
    (networks / "two").mkdir()
    for name in ("a.pth", "b.pt"):
        (networks / "two" / name).write_bytes(b"")
    found = own.networks()
    assert len(found) == len(contents) + 3
    usable = ["own-good", "own-late"]
    assert [key for key, network in found.items() if network.entry] == usable
    for key in found:
        if key not in usable:
            assert problem_of(key)
    with pytest.raises(WeightsError, match="is damaged: its tensors cannot be read"):
        checkpoints.load_state_dict(entry_of("own-late"))
    assert "holds no file of weights. Put one" in problem_of("own-empty")
    assert "holds 2 files of weights (`a.pth`, `b.pt`)" in problem_of("own-two")
    (networks / "two" / "a.pth").unlink()
    (networks / "two" / "b.pt").rename(networks / "two" / "*b*.pt")
    assert "`?b?.pt` has a name that pages cannot show. Rename it" in problem_of("own-two")
    assert not marker.exists()
