"""Features are computed once; unreadable files are listed; nothing half is kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch

from effnet_viz.arrays import Floats
from effnet_viz.engines.engine import Activations
from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.finetuning import features
from effnet_viz.finetuning.data import FinetuneError, LabelledFile, read
from effnet_viz.finetuning.features import Extracted, extract
from effnet_viz.finetuning.inputs import augmented, batched, content_of, in_order, unchanged
from effnet_viz.finetuning.recipes import RECIPES
from effnet_viz.images.decode import MAX_BYTES, decode
from effnet_viz.models import architectures, variants
from tests.finetuning.made_pictures import class_folders

ENTRY = variants.find("lite0-r64")


class CountingEngine(TorchEngine):
    """Tells how many images it has seen."""

    seen = 0

    def forward(self, images: Floats) -> Activations:
        self.seen += len(images)
        return super().forward(images)


@pytest.fixture(scope="module")
def network() -> architectures.Network:
    return architectures.build(ENTRY, None)


@pytest.fixture
def engine(network: architectures.Network) -> CountingEngine:
    return CountingEngine(network)


def extracted(engine: TorchEngine, source: Path, folder: Path, weights: str = "w") -> Extracted:
    return extract(read(source), engine, ENTRY.preprocessing, weights, folder, progress=False)


def test_features_are_what_the_head_gets_and_are_computed_once(
    engine: CountingEngine, network: architectures.Network, tmp_path: Path
) -> None:
    source = class_folders(tmp_path / "data", 2)
    found = extracted(engine, source, tmp_path)
    assert engine.seen == 4
    for file, row in zip(found.files, found.features, strict=True):
        x, _ = ENTRY.preprocessing(decode(file.path))
        with torch.no_grad():
            expected = network.pre_logits(torch.from_numpy(x), 0)[0].numpy()
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-5)

    (source / "discs" / "00.png").rename(source / "discs" / "renamed.png")
    again = extracted(engine, source, tmp_path)
    assert engine.seen == 4  # the bytes are known, whatever the name
    by_digest = dict(zip(found.digests, found.features, strict=True))
    for digest, row in zip(again.digests, again.features, strict=True):
        np.testing.assert_array_equal(row, by_digest[digest])
    extracted(engine, source, tmp_path, weights="other")
    assert engine.seen == 8


def test_files_that_are_no_pictures_are_skipped_and_listed(
    engine: CountingEngine, tmp_path: Path
) -> None:
    source = class_folders(tmp_path / "data", 1)
    (source / "discs" / "cut.png").write_bytes((source / "discs" / "00.png").read_bytes()[:200])
    (source / "discs" / "empty.jpg").write_bytes(b"")
    (source / "discs" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (source / "stripes" / "notes.txt").write_text("words")
    found = extracted(engine, source, tmp_path)
    assert [file.name for file in found.files] == ["discs/00.png", "stripes/00.png"]
    reasons = dict(found.skipped)
    assert list(reasons) == [
        "discs/cut.png", "discs/empty.jpg", "discs/gone.jpg", "stripes/notes.txt",
    ]  # fmt: skip
    assert "may be damaged" in reasons["discs/cut.png"]
    assert "empty" in reasons["discs/empty.jpg"]
    assert "There is no such file" in reasons["discs/gone.jpg"]
    assert "not a picture" in reasons["stripes/notes.txt"]


def test_nothing_readable(engine: CountingEngine, tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.jpg").write_text("words")
    with pytest.raises(FinetuneError, match=r"None of the 1 files is a picture .*a/x\.jpg"):
        extracted(engine, tmp_path / "data", tmp_path)


def test_a_full_disk_loses_nothing_that_was_kept(
    engine: CountingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = class_folders(tmp_path / "data", 12)
    opened = features._opened

    def small(path: Path) -> sqlite3.Connection:
        store = opened(path)
        store.execute("PRAGMA max_page_count = 28")  # 112 kB: SQLite says that the disk is full
        return store

    monkeypatch.setattr(features, "_opened", small)
    with pytest.raises(FinetuneError, match=r"disk is full.*Make room on the disk and give the"):
        extracted(engine, source, tmp_path)
    monkeypatch.setattr(features, "_opened", opened)
    seen = engine.seen
    assert seen == 24
    found = extracted(engine, source, tmp_path)
    assert len(found.features) == 24
    assert engine.seen - seen == 8  # the first batch of 16 was kept


def test_a_damaged_file_of_features_says_so(engine: CountingEngine, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "data", 1)
    extracted(engine, source, tmp_path)
    [kept] = tmp_path.glob("*.sqlite")
    kept.write_bytes(b"no database " * 400)
    with pytest.raises(FinetuneError, match=r"not a database.*Delete that file"):
        extracted(engine, source, tmp_path)


def test_a_picture_that_changed_meanwhile(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "data", 2)
    [file, *_] = read(source)
    digest = decode(file.path).digest
    assert unchanged(file, digest).digest == digest
    file.path.write_bytes((source / "stripes" / "01.png").read_bytes())
    with pytest.raises(FinetuneError, match=r"discs/00\.png was changed while .* Put the old"):
        unchanged(file, digest)
    file.path.unlink()
    with pytest.raises(FinetuneError, match=r"discs/00\.png could be read before and cannot be"):
        unchanged(file, digest)


def test_a_view_for_training_is_a_square_of_the_picture(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "data", 1)
    photograph = decode(source / "stripes" / "00.png")
    views = [
        augmented(photograph, ENTRY.preprocessing, RECIPES["default"], np.random.default_rng(n))
        for n in (0, 0, 1)
    ]
    assert views[0].shape == (1, 3, 64, 64)
    np.testing.assert_array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


def test_items_keep_their_order_and_failures_come_in_their_turn() -> None:
    assert list(in_order(lambda n: n * n, range(50), ahead=3)) == [n * n for n in range(50)]
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]
    made = in_order(lambda n: 1 // (3 - n), range(9), ahead=3)
    assert [next(made) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_a_file_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES * 3)
    assert len(content_of(LabelledFile(path, "large.bmp", "a", None))) == MAX_BYTES + 1
