"""Weights in one file: what comes out is what went in, and nothing else gets in."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from effnet_viz.cli.main import main
from effnet_viz.engines import conversions
from effnet_viz.engines.conversions import FORWARD, GRADIENTS, Recipe
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import bundles, fetching, model, variants, weights, zoo
from effnet_viz.models.bundles import (
    LIST,
    Bundled,
    BundleError,
    conversions_in,
    pack,
    unpack,
    unpack_conversions,
)
from effnet_viz.models.weights import RemoteFile, UserCheckpoint, WeightFile
from tests.models.weight_files import CONTENT, NARROW, Server, first_half_only, place, saved
from tests.models.weight_files import narrow_state as state

pytestmark = pytest.mark.usefixtures("own_folder")


def silent(_: str, __: int, ___: int) -> None:
    pass


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Of converted networks; nothing is in it."""
    monkeypatch.setenv(conversions.CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def own_file() -> str:
    """The name of a checkpoint of the user's."""
    assert isinstance(NARROW.weights, UserCheckpoint)
    return NARROW.weights.filenames[1]


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> RemoteFile:
    """B0's official file, as if it were a quarter of a megabyte of noise."""
    weight = server.offers(CONTENT)
    monkeypatch.setitem(zoo.MODELS, "b0", replace(zoo.MODELS["b0"], weights=weight))  # type: ignore[arg-type]
    return weight


@pytest.fixture
def bundle(official: RemoteFile, tmp_path: Path) -> Path:
    """With B0's official file and a checkpoint of the user's, which are gone from their places."""
    place(official, CONTENT)
    (weights.folder() / own_file()).write_bytes(saved(state()))
    path = tmp_path / "weights.bundle"
    pack(["b0", "lite0", NARROW.key], path, silent)
    for one in weights.folder().iterdir():
        one.unlink()
    return path


def test_what_comes_out_is_what_went_in(bundle: Path, official: RemoteFile) -> None:
    heard: list[tuple[str, int, int]] = []
    first, second = unpack(bundle, lambda *told: heard.append(told))
    assert (first.path.name, first.was_there) == (official.filename, False)
    assert first.path.read_bytes() == CONTENT
    assert second.path.read_bytes() == saved(state())
    assert (official.filename, len(CONTENT), len(CONTENT)) in heard
    assert [one.was_there for one in unpack(bundle, silent)] == [True, True]
    assert not list(weights.folder().glob(".*"))


def test_a_bundle_is_a_zip_that_says_what_it_holds(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        told = json.loads(archive.read(LIST))
        names = archive.namelist()
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    assert [LIST, *(one["filename"] for one in told["files"])] == names
    assert told["files"][0]["sha256"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.usefixtures("official")
def test_weights_that_are_not_here_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        BundleError, match=r"are not here. Download them first: effnet-viz fetch b0"
    ):
        pack(["b0"], tmp_path / "out", silent)
    with pytest.raises(BundleError, match="come inside packages"):
        pack(["lite0"], tmp_path / "out", silent)
    assert not list(tmp_path.glob("*out*"))


def test_a_full_disk_leaves_nothing(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match=r"The disk is full: .* Free some space and try again"):
        unpack(bundle, silent)
    assert not list(weights.folder().iterdir())


def test_half_a_bundle_is_none(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[: bundle.stat().st_size // 2])
    with pytest.raises(BundleError, match=r"is incomplete, or was never one. Copy it again"):
        unpack(bundle, silent)
    assert not list(weights.folder().iterdir())


def changed(bundle: Path, one: Bundled | dict[str, object], content: bytes, **how: int) -> Path:
    """A bundle that lists this and holds that."""
    told = vars(one) if isinstance(one, Bundled) else one
    with zipfile.ZipFile(bundle, "w", **how) as archive:  # type: ignore[arg-type]
        archive.writestr(LIST, json.dumps({"format": 1, "files": [told]}), zipfile.ZIP_STORED)
        archive.writestr(str(told.get("filename", "x")), content)
    return bundle


def test_nothing_else_gets_in(bundle: Path, official: RemoteFile) -> None:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    right = Bundled(official.filename, "b0", sha256, len(CONTENT))
    other = bytes(len(CONTENT))
    for listed, content, how, said in (
        (right, other, {}, "is damaged in the bundle"),
        (replace(right, sha256=hashlib.sha256(other).hexdigest()), other, {}, "not the official"),
        (right, CONTENT[:-1], {}, "is not in it as it is listed"),
        (right, other, {"compression": zipfile.ZIP_DEFLATED}, "too large, or compressed"),
        (replace(right, filename="../../evil.pth"), CONTENT, {}, "no weight file of"),
        (replace(right, filename="/etc/passwd"), CONTENT, {}, "no weight file of"),
        (replace(right, model="b99"), CONTENT, {}, "not known here"),
        ({"filename": official.filename}, CONTENT, {}, "does not say what it holds"),
        (replace(right, size=len(CONTENT) + 3000), bytes(len(CONTENT) + 3000), {}, "too large"),
    ):
        with pytest.raises(BundleError, match=said):
            unpack(changed(bundle, listed, content, **how), silent)
    assert not weights.folder().exists() or not list(weights.folder().iterdir())
    assert unpack(changed(bundle, right, CONTENT), silent)[0].path.read_bytes() == CONTENT


def test_another_checkpoint_is_not_overwritten(bundle: Path) -> None:
    own = weights.folder() / own_file()
    own.write_bytes(b"precious")
    with pytest.raises(BundleError, match=r"There is another .* Move it away first"):
        unpack(bundle, silent)
    assert own.read_bytes() == b"precious"


# Converted networks

PARTS = {"model.xml": b"<net/>", "model.bin": bytes(1000), "head.npz": b"head"}


@pytest.fixture
def recipe(official: RemoteFile) -> Recipe:
    """What B0 with these official weights is converted by."""
    entry = variants.find("b0")
    file = WeightFile(Path(official.filename), hashlib.sha256(CONTENT).hexdigest())
    return model.recipe_of(entry, file)


@pytest.fixture
def converted(official: RemoteFile, recipe: Recipe, cache: Path, tmp_path: Path) -> Path:
    """A bundle with B0, which is converted; weights and conversions are gone from their places."""
    place(official, CONTENT)

    def fill(folder: Path) -> None:
        for name, content in {**PARTS, "compiled.blob": b"of this machine"}.items():
            (folder / name).write_bytes(content)

    conversions.write(recipe, FORWARD, fill, {"head": True})
    conversions.write(recipe, GRADIENTS, lambda _: None, {"first": None, "why": "too large"})
    path = tmp_path / "converted.bundle"
    pack(["b0", "b0"], path, silent)
    (weights.folder() / official.filename).unlink()
    cache.rename(tmp_path / "elsewhere")
    return path


def test_conversions_are_only_taken_when_asked_for(
    converted: Path, recipe: Recipe, cache: Path
) -> None:
    forward, gradients = conversions_in(converted)
    assert (forward.model, forward.kind, forward.key) == ("b0", FORWARD, recipe.key)
    assert forward.size == sum(map(len, PARTS.values()))
    assert (gradients.kind, gradients.files) == (GRADIENTS, ())
    unpack(converted, silent)
    assert not cache.exists()
    heard: list[str] = []
    assert unpack_conversions(converted, lambda name, *_: heard.append(name)) == (
        [forward, gradients],
        [],
    )
    entry = conversions.read(recipe, FORWARD)
    assert entry is not None
    assert entry.told == {"head": True}
    there = {path.name: path.read_bytes() for path in entry.folder.iterdir()}
    assert there.pop("content.json")
    assert there == PARTS  # compiled code stays on its machine
    assert set(heard) == {f"converted/b0-forward/{name}" for name in PARTS}
    none = conversions.read(recipe, GRADIENTS)
    assert none is not None
    assert none.told == {"first": None, "why": "too large"}
    entry.model.touch()
    before = entry.model.stat()
    unpack_conversions(converted, silent)
    assert entry.model.stat() == before  # what is there is left alone


def test_what_is_packed_is_what_a_model_is_loaded_from(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Recipe] = []

    def note(recipe: Recipe) -> TorchEngine:
        asked.append(recipe)
        return TorchEngine(recipe.network())

    monkeypatch.setattr(model, "create_cached", note)
    model.load("lite0")
    entry = variants.find("lite0")
    assert asked == [model.recipe_of(entry, fetching.fetch(entry))]


def test_conversions_that_do_not_fit_are_left_out(
    converted: Path, official: RemoteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    [reason] = unpack_conversions(converted, silent)[1]
    assert reason == "The weights of EfficientNet-B0 are not here."
    unpack(converted, silent)
    here = conversions.made_with()
    with monkeypatch.context() as patch:
        patch.setattr(conversions, "made_with", lambda: {**here, "openvino": "1.2"})
        assert unpack_conversions(converted, silent) == (
            [],
            [f"They were made with openvino {here['openvino']}, and here is openvino 1.2."],
        )
        relist(converted, lambda told: told["made_with"].update(openvino="\x1b[31m" + 99 * "9"))
        [reason] = unpack_conversions(converted, silent)[1]
        assert reason == f"They were made with openvino 31m{35 * '9'}, and here is openvino 1.2."
    relist(converted, lambda told: told["made_with"].update(here))
    relist(converted, lambda told: told["conversions"][0].update(key="0" * 32))
    placed, left_out = unpack_conversions(converted, silent)
    assert [one.kind for one in placed] == [GRADIENTS]
    assert left_out == ["EfficientNet-B0 has other weights here."]
    assert (weights.folder() / official.filename).read_bytes() == CONTENT


def relist(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The same bundle with another list."""
    with zipfile.ZipFile(bundle) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(content[LIST])
    change(told)
    content[LIST] = json.dumps(told).encode()
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, part in content.items():
            archive.writestr(name, part)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "b99"}, "not known here"),
        ({"kind": "../../evil"}, "`../../evil` of EfficientNet-B0 is no conversion"),
        ({"told": 1}, "does not say what it holds"),
        ({"files": [{}]}, "does not say what it holds"),
        ({"filename": "converted/b0-forward/../../evil"}, "no file of a conversion"),
        ({"filename": "converted/b0-forward/compiled.blob"}, "no file of a conversion"),
        ({"filename": "/etc/passwd"}, "no file of a conversion"),
        ({"size": 7}, "is not in it as it is listed"),
        ({"sha256": "0" * 64}, "is damaged in the bundle"),
    ],
)
def test_a_forged_list_of_conversions_is_refused(
    change: dict[str, object], said: str, converted: Path, cache: Path
) -> None:
    unpack(converted, silent)

    def forge(told: dict[str, Any]) -> None:
        of_file = set(change) & {"filename", "size", "sha256"}
        forward = told["conversions"][0]
        (forward["files"][0] if of_file else forward).update(change)

    relist(converted, forge)
    with pytest.raises(BundleError, match=re.escape(said)):
        unpack_conversions(converted, silent)
    assert not [path for path in cache.glob("*") if path.is_dir()]


def test_a_conversion_that_is_too_large_or_compressed_is_refused(
    converted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bundles, "_LARGEST_CONVERTED", 999)
        with pytest.raises(BundleError, match="too large, or compressed"):
            unpack(converted, silent)
    with zipfile.ZipFile(converted) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(converted, "w") as archive:
        for name, part in content.items():
            packed = name.endswith("model.bin")
            how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            archive.writestr(name, part, how)
    with pytest.raises(BundleError, match="too large, or compressed"):
        unpack_conversions(converted, silent)


def test_a_cache_that_cannot_be_written_is_told(
    converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(converted, silent)
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(conversions.CACHE, str(tmp_path / "file"))
    with pytest.raises(BundleError, match=r"cannot be written .* Choose another folder"):
        unpack_conversions(converted, silent)


# Commands


def test_fetched_bundled_and_unbundled(
    official: RemoteFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert main(["fetch", "b0", "lite0"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"b0: downloaded, sha256 {sha256}"
    assert second.startswith("lite0: was here, sha256 57934424")
    out = tmp_path / "weights.bundle"
    assert main(["bundle", str(out), "b0"]) == 0
    assert capsys.readouterr().out == f"{official.filename}: 0.2 MB, sha256 {sha256}\n"
    (weights.folder() / official.filename).unlink()
    assert main(["unbundle", str(out)]) == 0
    assert capsys.readouterr().out == f"{official.filename}: put into {weights.folder()}\n"
    assert (weights.folder() / official.filename).read_bytes() == CONTENT


def test_converted_networks_are_bundled_and_unbundled(
    converted: Path, cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["unbundle", str(converted)]) == 0
    weight, said = capsys.readouterr().out.splitlines()
    assert "put into" in weight
    assert said.startswith("Its converted networks were left out, for nothing can verify")
    assert said.endswith(f"effnet-viz unbundle --converted {converted}")
    assert not cache.exists()
    assert main(["unbundle", "--converted", str(converted)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "b0, forward: converted, here now",
        "b0, gradients: converted, here now",
    ]
    assert main(["bundle", str(tmp_path / "again"), "b0"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "b0, forward: converted, 0.0 MB",
        "b0, gradients: converted, 0.0 MB",
    ]
    relist(converted, lambda told: told["made_with"].update(torch="0"))
    assert main(["unbundle", "--converted", str(converted)]) == 0
    said = capsys.readouterr().out.splitlines()[1]
    assert said.startswith("Converted networks were left out, and are made here when they are")
    assert "They were made with torch 0, and here is torch " in said


@pytest.mark.usefixtures("official")
def test_what_cannot_be_fetched_is_said(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server.on_get = first_half_only
    assert main(["fetch", "b0"]) == 1
    assert "the connection broke after" in capsys.readouterr().err
    assert main(["fetch", "b0-d4"]) == 1
    assert "No weights were ever published" in capsys.readouterr().err
    assert main(["fetch", "b99"]) == 2
    assert main(["bundle", str(tmp_path / "out"), "b99"]) == 2
    assert main(["bundle", str(tmp_path / "out"), "b0"]) == 1
    assert main(["unbundle", str(tmp_path / "nothing")]) == 1
    assert "cannot be read (No such file or directory)" in capsys.readouterr().err
