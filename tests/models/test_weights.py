"""Weight files: where they are, and what is known of them before they are opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from effnet_viz.models import weights, zoo
from effnet_viz.models.weights import PackageFile

pytestmark = pytest.mark.usefixtures("own_folder")


def test_the_folder_is_the_one_torch_uses(tmp_path: Path) -> None:
    assert weights.folder() == tmp_path / "torch" / "hub" / "checkpoints"


@pytest.mark.parametrize("entry", zoo.MODELS.values(), ids=lambda entry: entry.key)
def test_every_weight_file_of_the_zoo_carries_its_hash(entry: zoo.ModelEntry) -> None:
    filename = entry.weights.filename
    assert len(weights.hash_prefix(filename)) == 8
    path = weights.path_of(entry.weights)
    assert path is not None
    assert path.name == filename


@pytest.mark.parametrize("entry", zoo.MODELS.values(), ids=lambda entry: entry.key)
def test_the_size_of_every_published_file_is_known(entry: zoo.ModelEntry) -> None:
    published = entry.weights
    assert not isinstance(published, weights.UserCheckpoint)
    assert entry.published is not None
    size = weights.published_size(published)
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
