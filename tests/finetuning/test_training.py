"""A two-class toy is learned; a run that was stopped ends with the same bits."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.finetuning import output, recipes, training
from effnet_viz.finetuning.data import FinetuneError
from effnet_viz.finetuning.network import with_classes
from effnet_viz.finetuning.training import Settings, finetune
from effnet_viz.images.decode import decode
from effnet_viz.models import checkpoints, variants
from tests.finetuning.made_pictures import class_folders

TOY = Settings(model="lite0-r64", head_epochs=20, epochs=2, batch=16, patience=20)
ENTRY = variants.find(TOY.model)


@pytest.fixture(scope="module", autouse=True)
def _without_conversion() -> Iterator[None]:
    """PyTorch computes the features: converting the network takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "create", lambda network, _: TorchEngine(network))
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = class_folders(tmp_path_factory.mktemp("data") / "shapes", 24)
    (folder / "discs" / "notes.txt").write_text("no picture")
    (folder / "stripes" / ".hidden.png").write_bytes(b"left out")
    (folder / "stripes" / "twice.png").write_bytes((folder / "stripes" / "00.png").read_bytes())
    return folder


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The networks' folder after a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("networks")
    finetune(pictures, folder, "toy", TOY, progress=False)
    return folder


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def described(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    return found


def test_the_toy_is_learned_and_all_is_written(whole: Path) -> None:
    toy = whole / "toy"
    network = described(toy)
    provenance = network.pop("provenance")
    assert isinstance(provenance, dict)
    assert provenance["accuracy"]["share"] >= 0.9
    assert provenance["accuracy"]["of"] == 10  # a fifth of 24 in each class
    assert provenance["data"]["skipped"] == provenance["data"]["copies"] == 1
    weights = (toy / "weights.safetensors").read_bytes()
    trained = provenance["trained"]
    assert network == {
        "format": 1,
        "title": "toy (EfficientNet-Lite0, 64 px, fine-tuned)",
        "architecture": "lite0",
        "resolution": 64,
        "classes": ["discs", "stripes"],
        "recipe": f"fine-tuned, {trained}, default recipe",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    curves = json.loads((toy / "curves.json").read_text())
    phases = Counter(epoch["phase"] for epoch in curves["epochs"])
    assert phases == {"head": 20, "all": 2}
    losses = [epoch["validation_loss"] for epoch in curves["epochs"]]
    assert curves["best"] == int(np.argmin(losses))
    assert min(losses) < 0.3  # guessing has 0.69; smoothed labels leave 0.2
    head, *matrix = rows(toy / "confusion.csv")
    assert head == ["label", "discs", "stripes"]
    counts = np.array([[int(value) for value in row[1:]] for row in matrix])
    assert counts.sum() == 10
    assert np.trace(counts) == provenance["accuracy"]["right"]
    card = (toy / "README.md").read_text()
    assert f"{provenance['accuracy']['right']} of\n10;" in card
    assert "notes.txt: This is not a picture" in card
    assert ("The head first, then all layers" in card) == (trained == "all layers")
    assert not (whole / training.WORKING / "toy").exists()
    assert sorted(path.name for path in toy.iterdir()) == [
        "README.md", "confusion.csv", "curves.json", "network.json", "pictures", "validation.csv",
        "weights.safetensors",
    ]  # fmt: skip


def test_the_written_weights_predict_what_validation_says(whole: Path, pictures: Path) -> None:
    toy = whole / "toy"
    state, _ = checkpoints.load_state_dict(ENTRY)
    module = with_classes(ENTRY, state, 2).eval()
    module.load_state_dict(load_file(toy / "weights.safetensors"))
    head, *found = rows(toy / "validation.csv")
    assert head == ["path", "label", "predicted", "probability"]
    assert len({name for name, *_ in found}) == 10
    for name, label, predicted, probability in found:
        assert name.startswith(f"{label}/")
        x, _ = ENTRY.preprocessing(decode(pictures / name))
        with torch.no_grad():
            softmax = module(torch.from_numpy(x)).softmax(1)[0]
        classes = ["discs", "stripes"]
        assert classes[int(softmax.argmax())] == predicted
        assert float(softmax[classes.index(label)]) == pytest.approx(float(probability), abs=1e-3)


@pytest.mark.parametrize("saves", [3, 20, 21], ids=["in the head", "between", "in all layers"])
def test_a_stopped_run_ends_with_the_same_bits(
    whole: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: int
) -> None:
    done = 0
    save = training._Run._save

    def stopping(run: training._Run, *arguments: object) -> None:
        nonlocal done
        if done == saves:
            raise KeyboardInterrupt
        save(run, *arguments)  # type: ignore[arg-type]
        done += 1

    monkeypatch.setattr(training._Run, "_save", stopping)
    with pytest.raises(KeyboardInterrupt):
        finetune(pictures, tmp_path, "toy", TOY, progress=False)
    assert not (tmp_path / "toy").exists()
    monkeypatch.setattr(training._Run, "_save", save)
    finetune(pictures, tmp_path, "toy", TOY, progress=False)
    files = [file for file in (whole / "toy").rglob("*") if file.is_file()]
    assert len(files) > 6
    for file in files:
        other = tmp_path / "toy" / file.relative_to(whole / "toy")
        assert other.read_bytes() == file.read_bytes(), file.name


def test_all_layers_learn_where_the_head_has_not(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "HEAD_LEARNING_RATE", 0.0)
    settings = replace(TOY, head_epochs=1, epochs=3, batch=8)
    _, made = finetune(pictures, tmp_path, "toy", settings, progress=False)
    assert made.trained == "all layers"
    assert made.accuracy["share"] >= 0.9
    assert described(tmp_path / "toy")["recipe"] == "fine-tuned, all layers, default recipe"
    state, _ = checkpoints.load_state_dict(ENTRY)
    changed = {
        name for name, tensor in made.state.items()
        if name in state and not torch.equal(tensor, state[name])
    }  # fmt: skip
    assert "conv_stem.weight" in changed
    assert "bn1.running_mean" not in changed  # which this recipe leaves alone


HEAD = replace(TOY, head_epochs=2, epochs=0)
"""Takes half a second."""


def test_a_kill_at_any_moment_of_writing_leaves_no_half_network(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write ends with fsync; after the first two, checkpoints, come the network's six."""
    fsync, written = os.fsync, 0

    def stopping(file: int) -> None:
        nonlocal written
        written += 1
        if written == limit:
            raise KeyboardInterrupt
        fsync(file)

    for limit in (1, 3, 5, 8):
        written = 0
        monkeypatch.setattr(os, "fsync", stopping)
        with pytest.raises(KeyboardInterrupt):
            finetune(pictures, tmp_path, f"toy-{limit}", HEAD, progress=False)
        assert not (tmp_path / f"toy-{limit}").exists()
        monkeypatch.setattr(os, "fsync", fsync)
        finetune(pictures, tmp_path, f"toy-{limit}", HEAD, progress=False)
    whole = {
        file.name: file.read_bytes() for file in (tmp_path / "toy-1").iterdir() if file.is_file()
    }
    assert len(whole) == 6
    for limit in (3, 5, 8):
        for name in ("weights.safetensors", "curves.json", "validation.csv"):
            assert (tmp_path / f"toy-{limit}" / name).read_bytes() == whole[name]


def test_a_full_disk_leaves_the_last_checkpoint(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / training.WORKING / "toy" / "checkpoint.pt"
    fsync, written = os.fsync, 0

    def full(file: int) -> None:
        nonlocal written
        written += 1
        if written > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(file)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FinetuneError) as error:
        finetune(pictures, tmp_path, "toy", HEAD, progress=False)
    assert str(error.value) == (
        f"{checkpoint} could not be written (No space left on device). What was saved before is "
        "whole: make room on the disk or check the right to write, and give the same command again."
    )
    assert len(torch.load(checkpoint, weights_only=True)["curves"]) == 1
    assert {path.name for path in checkpoint.parent.iterdir()} == {"lock", "checkpoint.pt"}
    monkeypatch.setattr(os, "fsync", fsync)
    _, made = finetune(pictures, tmp_path, "toy", HEAD, progress=False)
    assert [epoch["epoch"] for epoch in made.curves] == [1, 2]


def test_a_run_goes_on_with_the_same_pictures_and_settings_only(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(output, "write", _stop)
        with pytest.raises(KeyboardInterrupt):
            finetune(pictures, tmp_path, "toy", HEAD, progress=False)
    for other, named in (
        (replace(HEAD, seed=1), "seed, pictures"),
        (replace(HEAD, recipe="paper"), "recipe"),
        (replace(HEAD, head_epochs=3, batch=8), "head_epochs, batch"),
    ):
        with pytest.raises(FinetuneError, match=rf"toy was begun with other {named}\. Give"):
            finetune(pictures, tmp_path, "toy", other, progress=False)
    (tmp_path / training.WORKING / "toy" / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(FinetuneError, match=r"is damaged and toy cannot go on from it\. Delete it"):
        finetune(pictures, tmp_path, "toy", HEAD, progress=False)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_nothing_is_written_over_a_network(whole: Path, pictures: Path) -> None:
    before = (whole / "toy" / "network.json").read_bytes()
    with pytest.raises(FinetuneError, match=r"is there already, and nothing is written over"):
        finetune(pictures, whole, "toy", HEAD, progress=False)
    assert (whole / "toy" / "network.json").read_bytes() == before


def test_a_run_in_another_process_is_left_alone(pictures: Path, tmp_path: Path) -> None:
    working = tmp_path / training.WORKING / "toy"
    working.mkdir(parents=True)
    with (
        FileLock(working / "lock"),
        pytest.raises(FinetuneError, match=r"Another process trains toy in .*. Wait for it, or"),
    ):
        finetune(pictures, tmp_path, "toy", HEAD, progress=False)


def test_training_that_diverges_says_so(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "HEAD_LEARNING_RATE", float("inf"))
    with pytest.raises(FinetuneError, match=r"diverged in epoch 1 of the phase “head”.* Choose"):
        finetune(pictures, tmp_path, "toy", HEAD, progress=False)


def test_a_phase_ends_when_it_becomes_no_better(pictures: Path, tmp_path: Path) -> None:
    settings = replace(HEAD, head_epochs=300, patience=2, batch=4)
    _, made = finetune(pictures, tmp_path, "toy", settings, progress=False)
    assert "The linear head alone" in (tmp_path / "toy" / "README.md").read_text()
    losses = [epoch["validation_loss"] for epoch in made.curves]
    assert len(losses) < 300
    assert made.best == int(np.argmin(losses)) == len(losses) - 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"head_epochs": 0}, "--head-epochs is at least 1, not 0. Choose another."),
        ({"epochs": -1}, "--epochs is at least 0, not -1. Choose another."),
        ({"batch": 1}, "--batch is at least 2, not 1. Choose another."),
        ({"validation": 1.0}, "--validation is between 0 and 1, not 1. Choose another, such as"),
        ({"recipe": "adam"}, "There is no recipe 'adam'. Choose one of: default, composer, paper."),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FinetuneError) as error:
        Settings(**wrong)
    assert sentence in str(error.value)
