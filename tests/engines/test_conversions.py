"""Conversions on disk: made once in another process, whole or not there; damaged ones again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from effnet_viz.arrays import Floats
from effnet_viz.engines import compiled, conversions, create, openvino_engine
from effnet_viz.engines.adapters import as_network
from effnet_viz.engines.compiled import CachedEngine
from effnet_viz.engines.conversions import FORWARD, GRADIENTS, ConversionError, Recipe
from effnet_viz.engines.network import Network
from effnet_viz.engines.structure import Structure
from effnet_viz.engines.structures import kept
from effnet_viz.engines.summarize import summarize
from effnet_viz.engines.torch_engine import TorchEngine
from tests.engines.networks import images
from tests.engines.test_engine import assert_close, assert_near

PATIENCE = 120.0
SIDE = 64


def made(seed: str) -> Network:
    """What the recipe makes, here and in the other process."""
    import torchvision

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed))
        return as_network(torchvision.models.mobilenet_v2(width_mult=0.25, num_classes=5).eval())


def broken(message: str) -> Network:
    raise ValueError(message)


RECIPE = Recipe(__name__, "made", ("1",), SIDE)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with both conversions, and with them compiled."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(conversions.CACHE, str(folder))
        conversions.fetch(RECIPE)
        wait_for(compiled._on_this(GRADIENTS))  # the last that is made
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for a test alone."""
    subprocess.run(["cp", "-a", str(filled), str(tmp_path / "cache")], check=True)
    monkeypatch.setenv(conversions.CACHE, str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "_kept", OrderedDict())
    return tmp_path / "cache"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(conversions.CACHE, str(tmp_path / "empty"))
    monkeypatch.setattr(conversions, "_children", {})
    return tmp_path / "empty"


def wait_for(kind: str) -> None:
    until = time.monotonic() + PATIENCE
    while conversions.read(RECIPE, kind) is None:
        assert time.monotonic() < until
        time.sleep(0.1)


def all_of(recipe: Recipe) -> set[str]:
    """The entries that a recipe has in the end."""
    kinds = (FORWARD, GRADIENTS)
    return {f"{recipe.key}-{name}" for kind in kinds for name in (kind, compiled._on_this(kind))}


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_both_passes_are_those_of_eager_pytorch(folder: Path) -> None:
    assert entries(folder) == all_of(RECIPE)
    engine, eager = CachedEngine(RECIPE), TorchEngine(made("1"))
    x = images(SIDE, 3).numpy()
    ours, expected = engine.forward(x), eager.forward(x)
    assert_close(ours.logits, expected.logits)
    targets = [0, 4, 2]
    evidence = engine.explain(x, ours, targets)
    assert list(evidence) == list(ours.stages) == list(expected.stages)
    for stage, found in evidence.items():
        activation = expected.stages[stage]
        gradient = eager.gradient(activation, stage, targets)
        products = activation * gradient
        total = gradient.sum((2, 3))
        for array, theirs in (
            (found.grad_cam, (activation * total[:, :, None, None]).sum(1)),
            (found.weights, gradient.mean((2, 3))),
            (found.products, products.sum((2, 3))),
            (found.product_map, products.sum(1)),
        ):
            assert_near(array, theirs)
            assert not array.flags.writeable
    assert_near(
        engine.gradient(ours.stages[2], 2, targets), eager.gradient(ours.stages[2], 2, targets)
    )
    assert eager.head is not None
    assert engine.head is not None
    assert np.array_equal(engine.head.weight, eager.head.weight)
    with pytest.raises(ValueError, match="3 images have 1 target"):
        engine.explain(x, ours, [1])
    with pytest.raises(IndexError, match="no class 5"):
        engine.explain(x, ours, [1, 5, 2])


def test_until_the_gradients_are_there_none_are_given(folder: Path) -> None:
    engine = CachedEngine(RECIPE)
    place = folder / f"{RECIPE.key}-{GRADIENTS}"
    place.rename(folder / "elsewhere")
    x = images(SIDE, 1).numpy()
    seen = engine.forward(x)
    assert engine.explain(x, seen, [1]) == {}
    (folder / "elsewhere").rename(place)
    assert set(engine.explain(x, seen, [1])) == set(seen.stages)


def test_gradients_used_longest_ago_leave_the_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compiled._gradients(RECIPE)
    assert first is not None
    assert compiled._gradients(RECIPE) is first
    other = replace(RECIPE, arguments=("2",))
    (folder / f"{RECIPE.key}-{GRADIENTS}").rename(folder / f"{other.key}-{GRADIENTS}")
    monkeypatch.setattr(compiled, "KEPT_BYTES", int(1.5 * first.nbytes))
    assert 100_000 < first.nbytes < 100_000_000
    assert compiled._gradients(other) is not None
    assert list(compiled._kept) == [other.key]
    assert compiled._gradients(RECIPE) is None  # it is nowhere any more


def results(engine: CachedEngine) -> list[Floats]:
    x = images(SIDE, 1).numpy()
    seen = engine.forward(x)
    evidence = engine.explain(x, seen, [3]).values()
    return [seen.logits, *seen.stages.values(), *(one.grad_cam for one in evidence)]


def nonsense(place: Path) -> None:
    (place / "compiled.blob").write_bytes(b"something else")


@pytest.mark.parametrize("harm", ["gone", "changed", "of another version"])
def test_what_is_kept_compiled_gives_the_same_as_compiled_now(
    harm: str, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = results(CachedEngine(RECIPE))
    assert len(kept) > 10
    assert caplog.text == ""
    monkeypatch.setattr(compiled, "_kept", OrderedDict())
    for kind in (FORWARD, GRADIENTS):
        place = folder / f"{RECIPE.key}-{compiled._on_this(kind)}"
        match harm:
            case "gone":
                shutil.rmtree(place)
            case "changed":
                nonsense(place)
            case "of another version":
                shutil.rmtree(place)
                conversions.write(RECIPE, compiled._on_this(kind), nonsense, {})
    now = results(CachedEngine(RECIPE))
    for one, other in zip(kept, now, strict=True):
        assert np.array_equal(one, other)
    said = {"gone": "", "changed": "is damaged", "of another version": "is compiled anew"}
    assert said[harm] in caplog.text


@pytest.mark.parametrize("harm", ["truncated", "changed", "gone", "no JSON", "another"])
def test_a_damaged_entry_is_logged_and_removed(
    harm: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = folder / f"{RECIPE.key}-{FORWARD}"
    binary = place / "model.bin"
    match harm:
        case "truncated":
            os.truncate(binary, 1000)
        case "changed":
            content = bytearray(binary.read_bytes())
            content[len(content) // 2] ^= 1
            binary.write_bytes(content)
        case "gone":
            binary.unlink()
        case "no JSON":
            (place / "content.json").write_text("{")
        case "another":
            (place / "content.json").write_text('{"files": [1], "told": {}}')
    assert conversions.read(RECIPE, FORWARD) is None
    assert "is damaged" in caplog.text
    assert not place.exists()
    assert conversions.read(RECIPE, GRADIENTS) is not None


@pytest.mark.exhaustive
def test_all_who_ask_wait_for_one_process(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    original = subprocess.Popen

    def counting(*arguments: object, **options: object) -> object:
        started.append(arguments)
        return original(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", counting)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(conversions.fetch, [RECIPE] * 4))
    assert len({entry.folder for entry in found}) == 1
    assert len(started) == 1
    conversions._children[RECIPE.key].wait(PATIENCE)
    assert entries(empty) == all_of(RECIPE)


def test_two_processes_at_once_leave_one_entry(empty: Path) -> None:
    program = (
        "from tests.engines.test_conversions import RECIPE, conversions\n"
        "print(conversions.fetch(RECIPE).folder)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = {process.communicate(timeout=PATIENCE)[0] for process in both}
    assert told == {f"{empty / RECIPE.key}-{FORWARD}\n"}
    wait_for(GRADIENTS)
    assert not [path for path in empty.iterdir() if path.name.startswith(".unfinished")]


def test_a_killed_conversion_leaves_nothing_and_is_made_by_the_next(empty: Path) -> None:
    child = conversions._child(RECIPE)
    child.kill()
    child.wait(PATIENCE)
    assert not entries(empty) if empty.exists() else True
    assert conversions.fetch(RECIPE).model.exists()
    conversions._children[RECIPE.key].wait(PATIENCE)


def test_a_full_disk_leaves_nothing(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(place: Path) -> None:
        (place / "model.bin").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        conversions.write(RECIPE, FORWARD, full, {})
    assert list(empty.iterdir()) == []
    # Where nothing can be kept, the network is converted here.
    readonly = empty / "file"
    readonly.write_bytes(b"")
    monkeypatch.setenv(conversions.CACHE, str(readonly / "below"))
    with pytest.raises(ConversionError):
        conversions.fetch(RECIPE)
    engine = create.create_cached(RECIPE)
    assert isinstance(engine, openvino_engine.OpenVINOEngine)


@pytest.mark.usefixtures("empty")
def test_what_is_wrong_with_a_network_is_said_by_what_makes_it() -> None:
    recipe = Recipe(__name__, "broken", ("Its weights are NaN.",), SIDE)
    with pytest.raises(ConversionError):
        conversions.fetch(recipe)
    with pytest.raises(ValueError, match=r"Its weights are NaN\."):
        create.create_cached(recipe)


def test_another_version_or_recipe_is_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        RECIPE.key,
        replace(RECIPE, arguments=("2",)).key,
        replace(RECIPE, resolution=96).key,
        replace(RECIPE, function="other").key,
    }
    with monkeypatch.context() as patch:
        patch.setattr(conversions, "_versions", lambda: ["openvino 1"])
        keys.add(RECIPE.key)
    with monkeypatch.context() as patch:
        patch.setattr(conversions, "_code", lambda: "other code")
        keys.add(RECIPE.key)
    assert len(keys) == 6
    assert RECIPE.key in keys


def test_room_is_made_for_the_newest(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(place: Path) -> None:
        (place / "model.bin").write_bytes(bytes(400_000))

    monkeypatch.setenv(conversions.MOST_BYTES, "1")
    recipes = [replace(RECIPE, arguments=(str(number),)) for number in range(4)]
    for age, recipe in enumerate(recipes[:3]):
        conversions.write(recipe, FORWARD, fill, {})
        content = empty / f"{recipe.key}-{FORWARD}" / "content.json"
        if content.exists():
            os.utime(content, (1_000_000 + age, 1_000_000 + age))
    assert conversions.read(recipes[1], FORWARD) is not None  # it is used again
    abandoned = empty / ".unfinished-old"
    abandoned.mkdir()
    os.utime(abandoned, (1_000_000, 1_000_000))
    conversions.write(recipes[3], FORWARD, fill, {})
    assert entries(empty) == {f"{recipes[number].key}-{FORWARD}" for number in (1, 3)}
    assert not abandoned.exists()


# Structures


def counted() -> Structure:
    return summarize(made("1"), SIDE)


def never() -> Structure:
    raise AssertionError("it is on disk")


def test_a_structure_is_read_off_a_network_once(empty: Path) -> None:
    first = kept(RECIPE, counted)
    assert first == counted()
    assert kept(RECIPE, never) == first
    [place] = empty.iterdir()
    place.rename(empty / "elsewhere")
    with pytest.raises(AssertionError, match="on disk"):
        kept(RECIPE, never)


@pytest.mark.parametrize("stages", [7, [{"number": 1}], [{"number": 1, "other": 2}], None])
def test_a_damaged_structure_is_made_again(
    stages: object, empty: Path, caplog: pytest.LogCaptureFixture
) -> None:
    conversions.write(RECIPE, "structure", lambda _: None, {"stages": stages})
    assert entries(empty) == {f"{RECIPE.key}-structure"}
    assert kept(RECIPE, counted) == counted()
    assert "is damaged" in caplog.text
    assert kept(RECIPE, never) == counted()


def test_without_room_a_structure_is_read_off_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    monkeypatch.setenv(conversions.CACHE, str(file / "below"))
    for _ in range(2):
        assert kept(RECIPE, counted) == counted()
    assert "is not kept" in caplog.text
