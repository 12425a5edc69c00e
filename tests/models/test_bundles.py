"""Weights in one file: what comes out is what went in, and nothing else gets in."""

from __future__ import annotations

import errno
import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from effnet_viz.cli.main import main
from effnet_viz.models import bundles, weights, zoo
from effnet_viz.models.bundles import LIST, Bundled, BundleError, pack, unpack
from effnet_viz.models.weights import RemoteFile, UserCheckpoint
from tests.models.weight_files import CONTENT, NARROW, Server, first_half_only, place, saved
from tests.models.weight_files import narrow_state as state

pytestmark = pytest.mark.usefixtures("own_folder")


def silent(_: str, __: int, ___: int) -> None:
    pass


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

    monkeypatch.setattr(bundles, "fsync", full)
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
