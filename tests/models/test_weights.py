"""Weight files: where they are, and what is known of them before they are opened."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from effnet_viz.models import advice, fetching, weights, zoo
from effnet_viz.models.weights import PackageFile, Readiness, RemoteFile, UserCheckpoint

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.mark.parametrize("named", ["TORCH_HOME", "XDG_CACHE_HOME", "neither"])
def test_the_folder_is_the_one_torch_uses(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert weights.folder() == tmp_path / "torch" / "hub" / "checkpoints"
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if named != "neither":
        monkeypatch.setenv(named, "~/somewhere")
    assert weights.folder() == Path(torch.hub.get_dir()) / "checkpoints"


PUBLISHED = [
    entry for entry in zoo.MODELS.values() if not isinstance(entry.weights, UserCheckpoint)
]


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.key)
def test_every_published_file_carries_its_hash(entry: zoo.ModelEntry) -> None:
    filename = entry.weights.filename
    assert len(weights.hash_prefix(filename)) == 8
    path = weights.path_of(entry.weights)
    assert path is not None
    assert path.name == filename


def test_what_has_no_hash_is_put_in_place_by_hand() -> None:
    by_hand = {
        key: entry.weights
        for key, entry in zoo.MODELS.items()
        if isinstance(entry.weights, UserCheckpoint)
    }
    assert set(by_hand) == {
        "timm-b0-ra4", "timm-b1-ra4", "mobilenetv1-100", "mobilenetv1-100h", "mobilenetv1-125",
    }  # fmt: skip
    for key, source in by_hand.items():
        assert fetching.readiness(zoo.MODELS[key]) is Readiness.UNREACHABLE
        said = advice.missing(source)
        assert said.startswith("These weights are published without a hash")
        assert f"`model.safetensors` of `{source.published_as}`" in said
        assert f"as `{source.filename}` into" in said
        assert zoo.MODELS[key].native_resolution == zoo.MODELS[key].resolution


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.key)
def test_the_size_of_every_published_file_is_known(entry: zoo.ModelEntry) -> None:
    published = entry.weights
    assert not isinstance(published, UserCheckpoint)
    assert entry.published is not None
    size = weights.published_size(published)
    if entry.key == "wide-resnet50-2":  # torchvision saved it in half precision
        assert 1.0 < size / (2 * entry.published.parameters) < 1.03
    elif isinstance(published, RemoteFile) and not published.stated:
        # What is known is the tensors: 4 bytes a parameter, and their statistics.
        tensors = published.megabytes * 1024**2 / (4 * entry.published.parameters)
        assert 1.0 < tensors < 1.03
        assert size == pytest.approx(1.1 * published.megabytes * 1024**2, abs=1)
    else:
        # 4 bytes a parameter, and at most 3 % for statistics, names and alignment.
        assert 1.0 < size / (4 * entry.published.parameters) < 1.03
    if isinstance(published, PackageFile):
        path = weights.path_of(published)
        assert path is not None
        assert 0 <= size - path.stat().st_size < 2048


def test_a_folder_that_may_not_be_looked_into_has_no_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def forbidden(_: Path) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", forbidden)
        assert not weights.is_there(tmp_path)
