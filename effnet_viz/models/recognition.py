"""A network of one's own to an entry: what its file holds, and what its description says of it.

`own` says what a folder may hold. A checkpoint that a visitor opens is read by the same rules, from
its bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import timm

from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models import (
    checkpoints,
    files,
    held,
    keras_files,
    naming,
    tensor_files,
    variants,
)
from effnet_viz.models.advice import COPY_AGAIN, display_name
from effnet_viz.models.architectures import expected_state
from effnet_viz.models.classes import Classes, imagenet
from effnet_viz.models.fetching import LARGEST_FILE
from effnet_viz.models.naming import Recognised
from effnet_viz.models.own import DESCRIPTION, LABELS, WEIGHTS, OwnNetwork, UnusableNetworkError
from effnet_viz.models.pickles import Containers, Outline
from effnet_viz.models.published import FAMILY
from effnet_viz.models.weights import HeldFile, OwnFile, RefusedFileError, is_there
from effnet_viz.models.zoo import MODELS, ModelEntry, UnknownModelError

FORMAT = 1
"""Of network.json."""

ASSUMED = "its own; preprocessing assumed as published"
"""The recipe of a network that comes without a description."""

TOLD = "its own; preprocessing as in its file"
"""The same where the network has layers for it."""

_FILE_NAME = re.compile(r"[\w.-]{1,100}")

_TEXT_BYTES = 4 * 2**20
"""Of network.json and of a file of labels: fifty thousand classes have less."""

_LONGEST_LABEL = 200

_TITLE = 60
"""Letters of a title."""

_FIELDS = {
    "format": int, "title": str, "architecture": str, "resolution": int, "classes": list,
    "recipe": str, "weights_sha256": str, "provenance": dict,
}  # fmt: skip


def plain_text(text: str, letters: int) -> str:
    """Somebody's words without what Markdown or HTML could read, at most so many letters."""
    kept = "".join(c if c.isalnum() or c in " .,;()/+%'-" else " " for c in text[: 2 * letters])
    return " ".join(kept.split())[:letters].strip(" -.+") or "own network"


def described(key: str, path: Path) -> OwnNetwork:
    """The network in a folder, or why it cannot be used."""
    title = plain_text(path.name, _TITLE)
    try:
        description = _description(path / DESCRIPTION)
        title = plain_text(description.get("title", title), _TITLE)
        return OwnNetwork(key, title, _entry(key, title, path, description))
    except _ProblemError as problem:
        return OwnNetwork(key, title, None, str(problem))


class _ProblemError(Exception):
    """Why a network cannot be used and what to do: whole sentences."""


def _refusal(name: str, problem: str, remedy: str) -> _ProblemError:
    return _ProblemError(f"{display_name(name)} {problem}. {remedy}.")


def _entry(key: str, title: str, path: Path, description: Mapping[str, Any]) -> ModelEntry:
    weights = _weights_of(path)
    try:
        content = files.read(weights, LARGEST_FILE)
        sha256, opened = content.sha256, checkpoints.open_own(content.data, weights.suffix)
        found, keras = opened.containers, opened.keras
        del content, opened
        if description.get("weights_sha256", sha256) != sha256:
            raise _refusal(
                DESCRIPTION,
                f"was written for other weights than those in {display_name(weights.name)}",
                "Copy both files again from where the network was trained",
            )
        own = _own(found, keras, OwnFile(weights, sha256), title, description)
        labels = _labels(path, description, len(own.labels or ()))
    except variants.VariantError as error:
        raise _ProblemError(str(error)) from None
    except RefusedFileError as refused:
        raise _refusal(weights.name, refused.problem, refused.remedy) from None
    return replace(own, key=key, labels=labels)


def _own(
    found: Containers,
    keras: keras_files.KerasNetwork | None,
    weights: OwnFile | HeldFile,
    title: str,
    description: Mapping[str, Any],
) -> ModelEntry:
    """The network in a file, its classes numbered, without a key.

    Raises RefusedFileError and VariantError.
    """
    network = naming.recognise(found)
    built = _built_by(network, found[network.container], description.get("architecture"))
    if keras is not None:
        built = replace(built, preprocessing=_told_by(keras, built.preprocessing))
    recipe = ASSUMED if keras is None or keras.normalization is None else TOLD
    own = replace(
        built,
        key="",
        title=title,
        preprocessing=built.preprocessing.at(
            description.get("resolution", built.preprocessing.resolution)
        ),
        weights=weights,
        recipe=plain_text(description["recipe"], 200)
        if "recipe" in description
        else f"{recipe} ({network.title})",
        published=None,
        base=None,
        like=built.like,
        labels=numbered(network.classes),
    )
    told = keras is not None and isinstance(weights, OwnFile) and "resolution" not in description
    _check_size(own, told)
    checkpoints.check_own(found, expected_state(own), own.card.architecture)
    return own


def _weights_of(path: Path) -> Path:
    try:
        there = sorted(one for one in path.iterdir() if one.suffix in WEIGHTS)
    except OSError as error:
        raise _refusal(
            path.name,
            f"cannot be looked into ({error.strerror or error})",
            "Give the account that runs effnet-viz the right to read it",
        ) from None
    usual = [one for one in there if one.name == "weights.safetensors"]
    found = usual or there
    if len(found) == 1:
        if not _FILE_NAME.fullmatch(found[0].name):
            raise _refusal(
                found[0].name,
                "has a name that pages cannot show",
                "Rename it to letters, digits, dots, hyphens and underscores",
            )
        return found[0]
    listed = ", ".join(display_name(one.name) for one in found[:3])
    raise _refusal(
        path.name,
        f"holds {len(found)} files of weights ({listed})" if found else "holds no file of weights",
        f"Put one `weights.safetensors`, or one {', '.join(WEIGHTS[:-1])} or {WEIGHTS[-1]} file, "
        "there",
    )


# Which architecture

_MEMBER = re.compile(r"(torchvision|timm|composer) ((?:tf_)?efficientnet_(?:b([0-7])|lite([0-4])))")


def _built_by(network: Recognised, outline: Outline, named: str | None) -> ModelEntry:
    """The entry whose builder makes this network; `named` is what its description says."""
    entry = _recognised(network, outline) if named is None else _named(named)
    if entry.library != network.scheme.library:
        raise _refusal(
            DESCRIPTION,
            f"says that this is {entry.library} {entry.architecture}, and the names of the tensors "
            f"are those of {network.scheme.title}",
            "Correct its “architecture”, or leave it out, and it is recognised",
        )
    return entry


def _named(named: str) -> ModelEntry:
    matched = _MEMBER.fullmatch(named)
    if matched:
        return _member(matched[1], matched[2])
    try:
        if named.startswith(variants.OWN):
            raise UnknownModelError(named)
        entry = variants.find(named)
    except UnknownModelError:
        raise _refusal(
            DESCRIPTION,
            f"names the architecture {display_name(named)}, which is not known",
            "Write the key of a model of the app, such as lite0 or b0, or library and "
            "architecture, such as timm tf_efficientnet_b0",
        ) from None
    return replace(entry, like=entry.base or entry.key)


def _recognised(network: Recognised, outline: Outline) -> ModelEntry:
    library, width, depth = network.scheme.library, network.width, network.depth
    family = [(member.width, member.depth) for member in FAMILY]
    if not network.exact or (width, depth) not in family:
        other = _other_of_timm(network, outline)
        if other is not None:
            return other
    if (width, depth) in family:
        number = family.index((width, depth))
        port = "tf_" if network.scheme.is_port else ""
        return _member(library, f"{port}efficientnet_{'lite' if network.lite else 'b'}{number}")
    base = "lite0" if network.lite and network.scheme.is_port else "b0"
    if MODELS[base].library != library or network.lite != (base == "lite0"):
        raise RefusedFileError(
            f"holds a network of width {width:g} and depth {depth:g}, which {library} has under no "
            "name",
            naming.OTHER_NETWORK,
        )
    return replace(MODELS[base], width=width, depth=depth, like=base)


def _other_of_timm(network: Recognised, outline: Outline) -> ModelEntry | None:
    """One of timm's that is none of B0 to B7 and Lite: EfficientNetV2, EdgeTPU, B8, MobileNet, ….

    The number of parameters tells which; `check_own` then compares every shape. Where entries have
    one architecture, or two that differ in what leaves no trace, the first counts.
    """
    if network.scheme.library != "timm" or network.scheme.is_port:
        return None
    features = outline[f"{network.prefix}{network.scheme.classifier}.weight"].shape[1]
    published = naming.parameters(network, outline) + len(imagenet()) * (features + 1)
    for entry in MODELS.values():
        figure = entry.published
        if entry.library == "timm" and figure is not None and figure.parameters == published:
            return replace(entry, like=entry.key)
    return None


def _member(library: str, architecture: str) -> ModelEntry:
    """A member of the family in a library; its preprocessing is what was published with it."""
    for entry in MODELS.values():
        if (entry.library, entry.architecture) == (library, architecture):
            return replace(entry, like=entry.key)
    matched = _MEMBER.fullmatch(f"{library} {architecture}")
    if matched is None or (library != "timm" and (matched[4] or "tf_" in architecture)):
        raise RefusedFileError(
            f"would be {library} {architecture}, which does not exist", naming.OTHER_NETWORK
        )
    member = FAMILY[int(matched[3] or matched[4])]
    usual = MODELS[f"b{matched[3] or 0}"]
    config = timm.models.get_pretrained_cfg(architecture)
    preprocessing = usual.preprocessing
    if library == "timm" and config is not None:
        resolution = config.input_size[-1]
        preprocessing = ResizeAndCrop(
            resize=math.floor(resolution / config.crop_pct),
            resolution=resolution,
            interpolation="bilinear" if config.interpolation == "bilinear" else "bicubic",
            mean=_three(config.mean),
            std=_three(config.std),
        )
    return replace(
        usual,
        library=_LIBRARIES[library],
        architecture=architecture,
        width=member.width,
        depth=member.depth,
        preprocessing=preprocessing,
    )


def _check_size(own: ModelEntry, told: bool) -> None:
    """`told`: its resolution is the one that it was built for in Keras. Raises VariantError."""
    listed = MODELS.get(own.like or "")
    if listed is not None and not own.scaled and own.resolution == listed.resolution:
        return  # B8 is larger than what can be made by width and depth
    try:
        variants.check_limits(own.width, own.depth, own.resolution)
    except variants.VariantError as error:
        if not told:
            raise
        raise variants.VariantError(
            f"This network was built for {own.resolution} pixels. {error} Write the one to use as "
            f"“resolution” into {DESCRIPTION}."
        ) from None


def _told_by(keras: keras_files.KerasNetwork, published: ResizeAndCrop) -> ResizeAndCrop:
    """The published preprocessing with what the network's own layers do, and for its own size."""
    found = published.at(keras.resolution(published.resolution))
    if keras.normalization is None:
        return found
    return replace(found, mean=keras.normalization.mean, std=keras.normalization.std)


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue


_LIBRARIES: dict[str, naming.Library] = {
    "torchvision": "torchvision",
    "timm": "timm",
    "composer": "composer",
}


# Descriptions and labels


def _text(path: Path) -> str:
    try:
        _check_text_size(path.name, path.stat().st_size, _TEXT_BYTES)
        return _decoded(path.name, files.read(path, _TEXT_BYTES).data)
    except OSError as error:
        raise _refusal(
            path.name, f"cannot be read ({error.strerror or error})", COPY_AGAIN
        ) from None
    except RefusedFileError as refused:
        raise _refusal(path.name, refused.problem, refused.remedy) from None


def _check_text_size(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise _refusal(
            name,
            f"is too large: {size / 2**20:.1f} MB",
            f"It may have {limit / 2**20:.0f} MB: leave out what is not needed",
        )


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal(name, "is no text in UTF-8", "Save it as UTF-8") from None


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=tensor_files.without_duplicates)
    except (ValueError, RecursionError):
        raise _refusal(name, "is no JSON, or names something twice", COPY_AGAIN) from None


def _description(path: Path) -> Mapping[str, Any]:
    """What network.json says, checked; empty where there is none."""
    if not is_there(path):
        return {}
    said = _json(path.name, _text(path))
    if not isinstance(said, dict) or "format" not in said:
        raise _refusal(path.name, "has no “format”", f'Write {{"format": {FORMAT}, …}} into it')
    if said["format"] != FORMAT:
        raise _refusal(
            path.name,
            f"has another format than {FORMAT}, the one that is read here",
            "Use the version of effnet-viz that wrote it, or a newer one",
        )
    unknown = [name for name in said if name not in _FIELDS]
    if unknown:
        raise _refusal(
            path.name,
            f"has fields that are not known: {', '.join(map(display_name, unknown[:3]))}",
            f"It may have these: {', '.join(_FIELDS)}",
        )
    for name, value in said.items():
        if not isinstance(value, _FIELDS[name]) or isinstance(value, bool):
            kind = {int: "a whole number", str: "a text", list: "a list", dict: "an object"}
            raise _refusal(
                path.name, f"has a “{name}” that is not {kind[_FIELDS[name]]}", "Correct it"
            )
    low, high = variants.RESOLUTIONS
    if not low <= said.get("resolution", low) <= high:
        raise _refusal(
            path.name, f"has a “resolution” that is not {low} to {high} pixels", "Correct it"
        )
    return said


def _labels(path: Path, description: Mapping[str, Any], classes: int) -> tuple[str, ...]:
    """Of the classes, in the order of the logits: one for each, all different."""
    found: dict[str, tuple[str, ...]] = {}
    if "classes" in description:
        found[DESCRIPTION] = _checked(DESCRIPTION, description["classes"], classes)
    for name in LABELS:
        if is_there(path / name):
            found[name] = _labels_in(name, _text(path / name), classes)
    if len(set(found.values())) > 1:
        first, second, *_ = found
        raise _refusal(
            second, f"names other classes than {display_name(first)}", "Keep the right one alone"
        )
    if found:
        return next(iter(found.values()))
    return numbered(classes)


def numbered(classes: int) -> tuple[str, ...]:
    """The labels of classes that nobody has named."""
    if classes == len(imagenet()):
        return tuple(imagenet())
    return tuple(f"class {number}" for number in range(classes))


def _labels_in(name: str, text: str, classes: int) -> tuple[str, ...]:
    listed = _json(name, text) if name.endswith("json") else _lines(text)
    return _checked(name, listed, classes)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.rstrip().split("\n")]


def _checked(name: str, listed: Any, classes: int) -> tuple[str, ...]:
    remedy = "Name one class for every logit, in their order"
    if isinstance(listed, dict):
        numbered = [str(number) for number in range(len(listed))]
        if set(listed) != set(numbered):
            raise _refusal(name, f"does not number its classes 0 to {len(listed) - 1}", remedy)
        listed = [listed[number] for number in numbered]
    if not isinstance(listed, list):
        raise _refusal(name, "is no list of labels", remedy)
    if len(listed) != classes:
        raise _refusal(
            name, f"names {len(listed):,} classes, and the network has {classes:,}", remedy
        )
    for place, label in enumerate(listed):
        fits = isinstance(label, str) and label.strip() and label.isprintable()
        if not fits or len(label) > _LONGEST_LABEL:
            raise _refusal(
                name,
                f"has a label, number {place}, that is no text of 1 to {_LONGEST_LABEL} letters",
                remedy,
            )
    try:
        return tuple(Classes(listed))
    except ValueError:
        twice = next(label for label in listed if listed.count(label) > 1)
        raise _refusal(
            name, f"names two classes {display_name(twice)}", "Give every class a label of its own"
        ) from None


# A checkpoint that a visitor opens

_UPLOADED_TEXT_BYTES = 2**20


def read_checkpoint(name: str, data: bytes) -> ModelEntry:
    """The network in a file of this name; its classes are numbered, or ImageNet's.

    Names, shapes and sizes are looked at before any tensor is made, then all values. Raises
    UnusableNetworkError.
    """
    name = _plain_name(name)
    ending = Path(name).suffix
    if ending not in WEIGHTS:
        raise UnusableNetworkError(
            f"{display_name(name)} is no file of weights that is read here. Choose one that ends "
            f"with {', '.join(WEIGHTS)}."
        )
    try:
        opened = checkpoints.open_own(data, ending)
        weights = HeldFile(name, hashlib.sha256(data).hexdigest())
        title = plain_text(Path(name).stem, _TITLE)
        own = _own(opened.containers, opened.keras, weights, title, {})
        if opened.keras is None:  # whose arrays are there
            _check_has_values(own, len(data))
        del opened
        checkpoints.check(own, data, ending)
    except variants.VariantError as error:
        raise UnusableNetworkError(f"{display_name(name)} cannot be used. {error}") from None
    except RefusedFileError as refused:
        raise UnusableNetworkError(str(_refusal(name, refused.problem, refused.remedy))) from None
    return labelled(own, own.labels or ())


def read_labels(name: str, data: bytes, classes: int) -> tuple[str, ...]:
    """So many labels: JSON where the name says so, else one a line. Raises UnusableNetworkError."""
    try:
        _check_text_size(name, len(data), _UPLOADED_TEXT_BYTES)
        return _labels_in(name.lower(), _decoded(name, data), classes)
    except _ProblemError as problem:
        raise UnusableNetworkError(str(problem)) from None


def labelled(entry: ModelEntry, labels: tuple[str, ...]) -> ModelEntry:
    """An opened checkpoint with these labels, under a key that says all that it is."""
    assert isinstance(entry.weights, HeldFile)
    whole = entry.weights.sha256, entry.weights.filename, labels
    digest = hashlib.sha256(repr(whole).encode()).hexdigest()
    return replace(entry, key=f"{held.PREFIX}{digest[:12]}", labels=labels)


def _plain_name(name: str) -> str:
    """A file name that pages can show, with its ending."""
    ending = Path(name).suffix.lower()[:20]
    stem = re.sub(r"[^\w.-]", "_", Path(name).stem, flags=re.ASCII)
    return stem[:60] + re.sub(r"[^\w.]", "_", ending, flags=re.ASCII)


def _check_has_values(own: ModelEntry, nbytes: int) -> None:
    """Tensors can be views of few numbers, and take all their memory only in a network."""
    numbers = sum(tensor.numel() for tensor in expected_state(own).values())
    if 2 * numbers > nbytes:
        raise RefusedFileError(
            f"says that it holds {numbers:,} numbers, and has {nbytes:,} bytes",
            "Save it anew with `torch.save(network.state_dict(), …)`",
        )
