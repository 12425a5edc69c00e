"""Files of Keras: what it computes comes out here, and what does not fit or is hostile does not."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from effnet_viz.models import (
    architectures,
    checkpoints,
    files,
    hdf5,
    held,
    keras_files,
    own,
    recognition,
    weights,
)
from effnet_viz.models.held import Checkpoint
from effnet_viz.models.published import FAMILY
from effnet_viz.models.weights import RefusedFileError
from effnet_viz.models.zoo import ModelEntry
from effnet_viz.processes import Limits
from tests.models import keras_writer
from tests.models.keras_writer import IMAGENET, SIDES, STATISTICS

ENDINGS = (".keras", ".h5", ".weights.h5")


@pytest.fixture(scope="module")
def by_keras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    keras_writer.write(folder, *SIDES)
    return folder


@pytest.fixture(autouse=True)
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path / "networks"))
    monkeypatch.setattr(own, "_read", {})
    monkeypatch.setattr(files, "_digests", {})
    return tmp_path / "networks"


def entry_of(networks: Path, file: Path) -> ModelEntry:
    """The entry of the network in a file, in a folder of its own."""
    (networks / "a").mkdir(parents=True)
    shutil.copy(file, networks / "a" / file.name)
    network = own.networks()["own-a"]
    assert network.entry is not None, network.problem
    return network.entry


def probabilities(entry: ModelEntry, pixels: np.ndarray) -> np.ndarray:
    """What the entry's network gives for pixels (B, R, R, 3), 0 to 255: (B, classes)."""
    state, _ = checkpoints.load_state_dict(entry)
    mean, std = (
        torch.tensor(its, dtype=torch.float32)[:, None, None]
        for its in (entry.preprocessing.mean, entry.preprocessing.std)
    )  # (3, 1, 1)
    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - mean) / std  # (B, 3, R, R)
    with torch.no_grad():
        return architectures.build(entry, state)(x).softmax(-1).numpy()


def assert_as_keras(entry: ModelEntry, computed: Path, rtol: float = 1e-4) -> None:
    with np.load(computed) as of_keras:
        pixels, expected = of_keras["pixels"], of_keras["probabilities"]
    # The two pictures differ in every class: there is something to compare.
    assert np.abs(np.log(expected[0] / expected[1])).mean() > 0.05
    np.testing.assert_allclose(probabilities(entry, pixels), expected, rtol=rtol, atol=1e-7)


# What Keras computes


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", SIDES)
def test_a_network_gives_what_keras_computes(
    name: str, ending: str, networks: Path, by_keras: Path
) -> None:
    entry = entry_of(networks, by_keras / f"{name}{ending}")
    assert entry.card.architecture == "timm tf_efficientnet_b0"
    assert entry.resolution == (224 if ending == ".weights.h5" else SIDES[name])
    if (name, ending) == ("sequential", ".weights.h5"):
        # Weights alone do not tell of the layer before the network.
        assert entry.preprocessing.std == pytest.approx(np.sqrt(STATISTICS[1]))
        return
    assert_as_keras(entry, by_keras / f"{name}.npz")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_visitor_opens_the_same(ending: str, networks: Path, by_keras: Path) -> None:
    file = by_keras / f"whole{ending}"
    opened = recognition.read_checkpoint(file.name, file.read_bytes())
    from_folder = entry_of(networks, file)
    assert opened.preprocessing == from_folder.preprocessing
    assert (opened.architecture, opened.recipe) == (from_folder.architecture, from_folder.recipe)
    assert opened.labels == from_folder.labels
    assert opened.weights.filename == file.name
    held.hold(Checkpoint(opened, file.read_bytes()))
    try:
        ours, _ = checkpoints.load_state_dict(opened)
    finally:
        held.release(opened.key)
    theirs, _ = checkpoints.load_state_dict(from_folder)
    assert all(torch.equal(ours[name], its) for name, its in theirs.items())


@pytest.mark.exhaustive
@pytest.mark.parametrize("member", [member.name.lower() for member in FAMILY[1:]])
def test_every_member_gives_what_keras_computes(
    member: str, networks: Path, tmp_path: Path
) -> None:
    keras_writer.write(tmp_path, member)
    for ending in ENDINGS:
        entry = entry_of(networks, tmp_path / f"{member}{ending}")
        assert entry.card.architecture == f"timm tf_efficientnet_{member}"
        # Rounding adds up over as many as 55 blocks.
        assert_as_keras(entry, tmp_path / f"{member}.npz", rtol=1e-3)
        shutil.rmtree(networks)


def changed(file: Path, target: Path, change: Callable[[h5py.File], None]) -> Path:
    """A copy of an HDF5 file with something else in it."""
    shutil.copy(file, target)
    with h5py.File(target, "r+") as there:
        change(there)
    return target


def as_keras_2(file: h5py.File) -> None:
    """The weights alone, under the names that Keras 2 gave them."""
    del file.attrs["model_config"]
    paths: list[str] = []
    file.visititems(lambda path, its: paths.append(path) if hasattr(its, "shape") else None)
    for path in paths:
        name = path.replace("dwconv/kernel", "dwconv/depthwise_kernel")
        file.move(path, f"{name.removeprefix('model_weights/')}:0")
    del file["model_weights"]


@pytest.mark.parametrize("name", ["whole", "nested", "tutorial"])
def test_weights_alone_with_the_names_of_keras_2(
    name: str, networks: Path, by_keras: Path, tmp_path: Path
) -> None:
    file = changed(by_keras / f"{name}.h5", tmp_path / "weights.hdf5", as_keras_2)
    assert_as_keras(entry_of(networks, file), by_keras / f"{name}.npz")


def without_names(file: h5py.File) -> None:
    """As Keras up to 3.3 wrote it: layers have the names of their classes alone."""
    file.visititems(lambda _, its: its.attrs.pop("name", None) and None)


def test_layers_without_names_are_ordered_by_their_numbers(
    networks: Path, by_keras: Path, tmp_path: Path
) -> None:
    file = changed(by_keras / "nested.weights.h5", tmp_path / "a.weights.h5", without_names)
    assert_as_keras(entry_of(networks, file), by_keras / "nested.npz")


def test_half_precision_is_read(networks: Path, by_keras: Path, tmp_path: Path) -> None:
    def halve(file: h5py.File) -> None:
        kernel = file["layers/conv2d/vars/0"][()]
        del file["layers/conv2d/vars/0"]
        file["layers/conv2d/vars/0"] = kernel.astype(">f2")

    file = changed(by_keras / "whole.weights.h5", tmp_path / "a.weights.h5", halve)
    before, _ = checkpoints.load_state_dict(entry_of(networks, by_keras / "whole.weights.h5"))
    shutil.rmtree(networks)
    after, _ = checkpoints.load_state_dict(entry_of(networks, file))
    assert torch.equal(after["conv_stem.weight"], before["conv_stem.weight"].half())


def test_the_network_itself_says_what_it_does_to_pixels(networks: Path, by_keras: Path) -> None:
    for name, mean, std in (
        ("whole", STATISTICS[0], np.sqrt(STATISTICS[1])),
        ("imagenet", *IMAGENET),  # divided by √std twice, the second time in a layer of its own
        # (1.5 · pixel - 20) / 255 first
        (
            "sequential",
            (np.array(STATISTICS[0]) + 20 / 255) / 1.5,
            np.sqrt(STATISTICS[1]) / 1.5,
        ),
    ):
        preprocessing = entry_of(networks, by_keras / f"{name}.keras").preprocessing
        assert preprocessing.mean == pytest.approx(mean)
        assert preprocessing.std == pytest.approx(std)
        shutil.rmtree(networks)


def test_a_network_without_layers_for_pixels_has_the_published_preprocessing(
    networks: Path, by_keras: Path, tmp_path: Path
) -> None:
    def unprepared(file: h5py.File) -> None:
        del file["layers/normalization"]

    file = changed(by_keras / "whole.weights.h5", tmp_path / "a.weights.h5", unprepared)
    entry = entry_of(networks, file)
    assert (entry.preprocessing.mean, entry.preprocessing.std) == IMAGENET
    assert "assumed as published (Keras)" in entry.recipe


def test_a_description_goes_before_what_the_file_says(networks: Path, by_keras: Path) -> None:
    (networks / "a").mkdir(parents=True)
    (networks / "a" / "network.json").write_text(json.dumps({"format": 1, "resolution": 192}))
    (networks / "a" / "labels.txt").write_text("owl\nwren\nswift")
    shutil.copy(by_keras / "nested.keras", networks / "a")
    entry = own.networks()["own-a"].entry
    assert entry is not None
    assert (entry.resolution, entry.labels) == (192, ("owl", "wren", "swift"))


@pytest.mark.parametrize(("side", "resolution"), [(None, 224), (300, 288), (224, 224)])
def test_a_network_built_for_no_size_has_one_where_padding_is_the_same(
    side: int | None, resolution: int, by_keras: Path
) -> None:
    def resized(config: str) -> str:
        return config.replace("230, 230", f"{side}, {side}" if side else "null, null")

    data = with_config(by_keras / "sequential.keras", resized)
    assert keras_files.read(data, ".keras").resolution(224) == resolution


# What does not fit


def problem_with(data: bytes, ending: str, networks: Path) -> str:
    """The sentences about a file with this content."""
    (networks / "bad").mkdir(parents=True)
    (networks / "bad" / f"a{ending}").write_bytes(data)
    network = own.networks()["own-bad"]
    assert network.entry is None
    assert network.problem.endswith(".")
    return network.problem


def moved(before: str, after: str) -> Callable[[h5py.File], None]:
    return lambda file: file.move(before, after)


def with_array(path: str, array: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        if path in file:
            del file[path]
        file[path] = array

    return change


def deleted(path: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(path)


def second_network(file: h5py.File) -> None:
    file.copy("layers/functional", "layers/functional_1")


BLOCK = "model_weights/block2a_bn/block2a_bn"

DOES_NOT_FIT: dict[str, tuple[str, Callable[[h5py.File], None], str]] = {
    "a variable is missing": (
        "whole.h5", deleted(f"{BLOCK}/gamma"),
        r"holds no weights of timm tf_efficientnet_b0: `block2a_bn/gamma` is missing\. Save an",
    ),
    "another shape": (
        "whole.h5", with_array(f"{BLOCK}/gamma", np.ones(95, np.float32)),
        r"`block2a_bn/gamma` has the shape 95 instead of 96\.",
    ),
    "another shape of a kernel": (
        "whole.weights.h5",
        with_array("layers/conv2d_3/vars/0", np.ones((1, 1, 33, 16), np.float32)),
        r"`block1a_project_conv/kernel` has the shape 1×1×33×16 instead of 1×1×32×16",
    ),
    "another layer": (
        "whole.h5", with_array("model_weights/extra/extra/scale", np.ones(3, np.float32)),
        "`extra/scale` does not belong to it",
    ),
    "integers": (
        "whole.h5", with_array(f"{BLOCK}/gamma", np.ones(96, np.int8)),
        r"holds `block2a_bn/gamma` as int8, and weights are floating-point numbers",
    ),
    "not finite": (
        "whole.h5", with_array(f"{BLOCK}/gamma", np.full(96, np.nan, np.float32)), "not finite",
    ),
    "a negative variance": (
        "whole.h5", with_array(f"{BLOCK}/moving_variance", np.full(96, -1, np.float32)),
        "holds -1 in `block2a_bn/moving_variance`, and a variance is never negative",
    ),
    "no dense layer": (
        "nested.weights.h5", deleted("layers/dense"),
        r"without a classifier: it has no dense layer, as with include_top=False\. Save the whole",
    ),
    "two dense layers": (
        "nested.h5", with_array("model_weights/hidden/hidden/kernel", np.ones((1280, 64), "f4")),
        r"has 2 dense layers \(`(birds|hidden)`, `(birds|hidden)`\), and class activation maps",
    ),
    "one output": (
        "nested.weights.h5", with_array("layers/dense/vars/0", np.ones((1280, 1), np.float32)),
        r"ends in one output \(`birds`\), a yes or no.* Train it with a dense layer of two",
    ),
    "other features": (
        "nested.weights.h5", with_array("layers/dense/vars/0", np.ones((62720, 3), np.float32)),
        "`birds/kernel` has the shape 62720×3 instead of 1280×3",
    ),
    "a block too few": (
        "whole.weights.h5", deleted("layers/conv2d_64"),
        "holds no EfficientNet B0 to B7: it has 64 convolutions, of which 32 have a bias",
    ),
    "batch norms too few": (
        "whole.weights.h5", deleted("layers/batch_normalization_48"),
        r"holds 48 layers `batch_normalization`, and an EfficientNet with its convolutions has 49",
    ),
    "EfficientNetV2": (
        "whole.h5",
        with_array(
            "model_weights/block2a_expand_conv/block2a_expand_conv/kernel", np.ones((3, 3, 16, 96))
        ),
        r"`block2a_expand_conv/kernel` is a convolution of 3×3, and theirs are of 1×1",
    ),
    "EfficientNetV2 in numbers": (
        "whole.weights.h5", with_array("layers/conv2d_4/vars/0", np.ones((3, 3, 16, 96))),
        r"`conv2d_4` is a convolution of 3×3, and theirs are of 1×1",
    ),
    "another network": (
        "whole.h5", moved("model_weights/stem_conv/stem_conv", "model_weights/conv1"),
        r"holds no EfficientNet of keras.applications: its layers are `",
    ),
    "two networks": ("nested.weights.h5", second_network, r"holds 2 networks \(`layers/func"),
    "two networks of old": (
        "nested.h5", lambda file: file.copy("model_weights/efficientnetb0", "model_weights/more"),
        "twice, so it holds several networks",
    ),
    "statistics of one channel too many": (
        "whole.weights.h5", with_array("layers/normalization/vars/0", np.ones(4, np.float32)),
        "normalizes 4 channels, and photographs have 3",
    ),
    "statistics that are no numbers": (
        "whole.weights.h5", with_array("layers/normalization/vars/1", np.full(3, np.inf)),
        "normalizes pixels by statistics that are no numbers of pixels",
    ),
    "bfloat16": (
        "whole.weights.h5", with_array("layers/conv2d/vars/0", np.zeros((3, 3, 3, 32), "V2")),
        r"holds `layers/conv2d/vars/0`, which is no array of numbers\. Save it anew with Keras",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOES_NOT_FIT)
def test_what_does_not_fit_is_named(
    case: str, networks: Path, by_keras: Path, tmp_path: Path
) -> None:
    name, change, sentence = DOES_NOT_FIT[case]
    data = changed(by_keras / name, tmp_path / name, change).read_bytes()
    if case in ("not finite", "a negative variance"):
        (networks / "a").mkdir(parents=True)
        (networks / "a" / name).write_bytes(data)
        entry = own.networks()["own-a"].entry
        assert entry is not None
        with pytest.raises(checkpoints.WeightsError, match=sentence):
            checkpoints.load_state_dict(entry)
    else:
        assert re.search(sentence, problem_with(data, ".h5", networks))


# Configurations


def with_config(file: Path, change: Callable[[str], str]) -> bytes:
    """A .keras file with another configuration."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                content = change(content.decode()).encode()
            target.writestr(name, content)
    return buffer.getvalue()


def replaced(before: str, after: str, count: int = -1) -> Callable[[str], str]:
    def change(config: str) -> str:
        assert before in config
        return config.replace(before, after, count)

    return change


CONFIGURATIONS: dict[str, tuple[Callable[[str], str], str]] = {
    "a Lambda": (
        replaced('"class_name": "RandomFlip"', '"class_name": "Lambda"'),
        r"has the layer `random_flip` \(`Lambda`\), which is not computed here, as no code of a "
        r"file runs\. Save an EfficientNet",
    ),
    "other pooling": (
        replaced(
            '"class_name": "GlobalAveragePooling2D", "config": {"name": "global_average_pooling2d"',
            '"class_name": "GlobalMaxPooling2D", "config": {"name": "global_max"',
        ),
        r"has the layer `global_max` \(`GlobalMaxPooling2D`\), which is not computed here",
    ),
    "sigmoid": (
        replaced('"units": 3, "activation": "softmax"', '"units": 3, "activation": "sigmoid"'),
        "has the layer `birds` with activation `sigmoid`, and here it is `softmax`",
    ),
    "another epsilon": (
        replaced('"epsilon": 0.001', '"epsilon": 1e-05', 1),
        "has the layer `stem_bn` with epsilon `1e-05`, and here it is `0.001`",
    ),
    "another activation": (
        replaced('"activation": "silu"', '"activation": "relu"', 1),
        "with activation `relu`, and here it is `swish`",
    ),
    "a class of its own": (
        lambda config: config.replace("Functional", "Birds", 1).replace(
            '"class_name": "Functional"', '"class_name": "Birds"', 1
        ),
        r"holds a model of a class of its own, `Birds`, whose code is not run\. Save its weights",
    ),
    "another padding": (
        replaced('"padding": [[0, 1], [0, 1]]', '"padding": [[1, 1], [1, 1]]', 1),
        "pads otherwise than an EfficientNet for 128 pixels",
    ),
    "an odd side": (
        lambda config: (
            config.replace("[null, 128, 128, 3]", "[null, 65, 65, 3]")
            .replace("[[0, 1], [0, 1]]", "[[1, 1], [1, 1]]")
            .replace("[[1, 2], [1, 2]]", "[[2, 2], [2, 2]]")
        ),
        r"This network was built for 65 pixels\. Resolution is a multiple of 2 pixels\. Choose 64 "
        r"or 66 instead of 65\. Write the one to use as “resolution” into network\.json\.",
    ),
    "rescaled by nothing": (
        replaced('"scale": 0.00392156862745098', '"scale": 0.0'),
        "normalizes pixels by statistics that are no numbers of pixels",
    ),
    "a scale that is no number": (
        replaced('"scale": 0.00392156862745098', '"scale": "much"'),
        "is damaged: its configuration cannot be read",
    ),
    "an input of other rank": (
        replaced('"batch_shape": [null, 128, 128, 3]', '"batch_shape": [null, 128]'),
        "is damaged: its configuration cannot be read",
    ),
    "no JSON": (lambda config: config[:-2], "is damaged: its configuration cannot be read"),
    "brackets": (lambda _: "[" * 100_000, "is damaged: its configuration cannot be read"),
    "nothing": (lambda _: "{}", "is damaged: its configuration cannot be read"),
    "long": (lambda config: config + " " * 2**22, "has a configuration far longer"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_configuration_of_something_else_is_refused(
    case: str, networks: Path, by_keras: Path
) -> None:
    change, sentence = CONFIGURATIONS[case]
    data = with_config(by_keras / "nested.keras", change)
    assert re.search(sentence, problem_with(data, ".keras", networks))


# Hostile files


def written(make: Callable[[h5py.File], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        make(file)
    return buffer.getvalue()


def zipped(parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def external_values(file: h5py.File) -> None:
    file.create_dataset("a", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "a", (4,))
    file.create_virtual_dataset("a", layout)


def cycle(file: h5py.File) -> None:
    file.create_group("a")["b"] = file["/"]


def thousands(file: h5py.File) -> None:
    for number in range(hdf5.MOST_OBJECTS + 1):
        file.create_group(f"{number}")


def twice(file: h5py.File) -> None:
    file["a"] = np.ones(10_000)
    for name in "bcd":
        file[name] = file["a"]


def long_text(file: h5py.File) -> None:
    file.attrs["model_config"] = "x" * (2**22 + 1)


def link(its: object) -> Callable[[h5py.File], None]:
    return lambda file: file.__setitem__("a", its)


SMALL = written(lambda file: file.__setitem__("a/vars/0", np.ones(4)))

HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": (".h5", lambda: b"", "is incomplete: it ends after 0 bytes"),
    "its beginning": (".h5", lambda: SMALL[:5], "is incomplete: it ends after 5 bytes"),
    "half of it": (".h5", lambda: SMALL[: len(SMALL) // 2], "is incomplete: it ends after"),
    "a web page": (".h5", lambda: b"<html>Please sign in</html>", "is no HDF5 file. Save it"),
    "a web page as zip": (".keras", lambda: b"<html>", "is no .keras file, which is a zip file"),
    "a link to a file": (
        ".h5", lambda: written(link(h5py.ExternalLink("/etc/passwd", "/"))),
        "was refused, because `a` is a link to something else",
    ),
    "a link within it": (".h5", lambda: written(link(h5py.SoftLink("/a"))), "`a` is a link to"),
    "values in a file": (".h5", lambda: written(external_values), "`a` are in another file"),
    "values in a virtual file": (".h5", lambda: written(virtual), "`a` are in another file"),
    "a compressed gigabyte": (
        ".h5",
        lambda: written(
            lambda file: file.create_dataset(
                "a", (2**28,), "f4", chunks=(2**22,), compression="gzip"
            )
        ),
        "holds `a` in pieces or compressed, which Keras never does",
    ),
    "a petabyte that was never written": (
        ".h5", lambda: written(lambda file: file.create_dataset("a", (2**48,), "f4")),
        "values of `a` are missing",
    ),
    "one array in four places": (".h5", lambda: written(twice), "its arrays overlap"),
    "a group in itself": (".h5", lambda: written(cycle), "its groups lie deeper than those of any"),
    "thousands of groups": (".h5", lambda: written(thousands), "holds far more than the weights"),
    "a long name": (
        ".h5", lambda: written(lambda file: file.create_group("x" * 201)),
        "holds far more than the weights",
    ),
    "texts": (
        ".h5", lambda: written(link(np.array(["a"], h5py.string_dtype()))), "no array of numbers"
    ),
    "a compound": (
        ".h5", lambda: written(link(np.zeros(2, [("b", "f4"), ("c", "f4")]))),
        "no array of numbers",
    ),
    "references": (
        ".h5",
        lambda: written(lambda file: file.create_dataset("a", data=file.ref, dtype=h5py.ref_dtype)),
        "no array of numbers",
    ),
    "a long configuration": (".h5", lambda: written(long_text), "model_config` is too long"),
    "nothing in it": (".h5", lambda: written(lambda _: None), "no EfficientNet of keras.applicat"),
    "another file": (".h5", lambda: SMALL, "its layers are `a`"),
    "another zip": (".keras", lambda: zipped({"a": b""}), "is a zip file, but none of Keras"),
    "a compressed zip": (
        ".keras",
        lambda: zipped(
            {"config.json": b"{}", "model.weights.h5": bytes(10**6)}, zipfile.ZIP_DEFLATED
        ),
        "is compressed, which Keras never does",
    ),
    "a zip in a zip": (
        ".keras",
        lambda: zipped({"config.json": b"{}", "model.weights.h5": zipped({"a": b""})}),
        "is no HDF5 file",
    ),
    "a zip of thousands": (
        ".keras", lambda: zipped({f"{number}": b"" for number in range(3000)}),
        "has a list of parts far longer",
    ),
    "a cut zip": (
        ".keras", lambda: zipped({"config.json": b"{}", "model.weights.h5": SMALL})[:-9],
        "is incomplete",
    ),
    "bytes of a part changed": (
        ".keras",
        lambda: zipped({"config.json": b"{}", "model.weights.h5": SMALL}).replace(b"HDF", b"HDG"),
        "its parts cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(case: str, networks: Path) -> None:
    ending, content, sentence = HOSTILE[case]
    assert sentence in problem_with(content(), ending, networks)


def test_what_never_ends_or_takes_all_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "limits", lambda _: Limits(0.005, 2**30, 30))
    many = written(lambda file: [file.create_group(f"{number}") for number in range(9000)])
    with pytest.raises(RefusedFileError, match="reading it does not come to an end"):
        hdf5.read(many, (), ())
    monkeypatch.setattr(hdf5, "limits", lambda _: Limits(10, 2**16, 30))
    with pytest.raises(RefusedFileError, match="HDF5 cannot read it"):
        hdf5.read(written(link(np.ones(10**6))), (), ())


def test_damaged_files_are_read_or_refused(by_keras: Path) -> None:
    """Bytes of HDF5's own structures are changed; values are left out, as there are millions."""

    def outline(file: h5py.File) -> None:
        with h5py.File(by_keras / "whole.h5") as source:
            source.visititems(
                lambda path, its: (
                    file.create_dataset(path, data=its[()].ravel()[:2])
                    if isinstance(its, h5py.Dataset) and "block1" in path
                    else None
                )
            )

    good = written(outline)
    random = np.random.default_rng(0)
    refused = []
    for _ in range(150):
        data = bytearray(good)
        for place in random.integers(0, len(data), random.integers(1, 9)):
            data[place] ^= 1 << int(random.integers(8))
        try:
            content = hdf5.read(bytes(data), (), ())
            assert all(array.dtype.kind in "fiub" for array in content.arrays.values())
        except RefusedFileError as error:
            refused.append(error.remedy)
    assert 0 < len(refused) < 150
    assert all(refused)


def test_the_file_is_read_without_keras_and_torch_stays_out_of_the_reader() -> None:
    """The process that reads has little in it: it starts quickly, and nothing to attack."""
    from tests.test_imports import imported_by

    assert not imported_by("import effnet_viz.models.hdf5") & {"torch", "timm", "keras"}
    assert "keras" not in imported_by("import effnet_viz.models.own")
    assert set(weights.KERAS_ENDINGS) <= set(own.WEIGHTS)
