"""What is written: files that are whole or not there, and the folder of a finished network."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from effnet_viz.arrays import Floats
from effnet_viz.finetuning.data import FinetuneError, Picture, Split, counts, is_inside
from effnet_viz.finetuning.recipes import Recipe
from effnet_viz.metrics.intervals import wilson_interval
from effnet_viz.models.validation import CURVES, MASKS, PICTURES, TABLE
from effnet_viz.models.zoo import ModelEntry
from effnet_viz.writing import written_whole

Json = dict[str, Any]

FORMAT = 1
"""Of network.json."""

_SKIPPED = 20
"""How many skipped files the model card names."""


def write_atomically(path: Path, content: bytes) -> None:
    """The file has its old content or all of the new one, whenever this is killed.

    Raises FinetuneError when the disk is full or does not take it.
    """
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> FinetuneError:
    """What a person reads when a file cannot be written."""
    return FinetuneError(
        f"{path} could not be written ({error.strerror or error}). What was saved before is whole: "
        "make room on the disk or check the right to write, and give the same command again."
    )


@dataclass(frozen=True, eq=False)
class Finished:
    """A trained network with all that is told of it."""

    entry: ModelEntry
    """What it was made of."""
    title: str
    state: Mapping[str, Tensor]
    """Under the library's own names."""
    split: Split
    probabilities: Floats
    """(n, classes), of the validation pictures in their order."""
    curves: Sequence[Json]
    """One entry an epoch."""
    best: int
    """Place among the curves of the epoch whose weights these are."""
    recipe: Recipe
    """Of the phase that trains all layers."""
    settings: Json
    base: Json
    """Key, hash and recipe of the weights that it began with."""
    versions: Json
    skipped: Sequence[tuple[str, str]]
    """Name and reason of every file that was no readable picture."""

    @property
    def trained(self) -> str:
        """What of the network was trained, the rest being frozen."""
        return "head" if self.curves[self.best]["phase"] == "head" else "all layers"

    @property
    def targets(self) -> NDArray[np.int64]:
        """(n,), of the validation pictures."""
        return np.array([picture.target for picture in self.split.validation])

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(n,)"""
        best: NDArray[np.int64] = self.probabilities.argmax(1)
        return best

    @property
    def right(self) -> int:
        """Validation pictures whose most probable class is theirs."""
        return int((self.predicted == self.targets).sum())

    @property
    def accuracy(self) -> Json:
        """On the validation pictures, with the 95 % interval of Wilson."""
        n = len(self.targets)
        low, high = wilson_interval(self.right, n)
        return {"right": self.right, "of": n, "share": self.right / n, "low": low, "high": high}


def architecture_of(entry: ModelEntry) -> str:
    """The key that names an entry's tensors: without the input size, which changes none."""
    return entry.key.partition("-r")[0] if entry.base else entry.key


def write(finished: Finished, unfinished: Path, folder: Path) -> None:
    """Write all files into the folder `unfinished` and make it `folder`, in one step.

    Raises FinetuneError when it cannot be written, and when `folder` is there already.
    """
    weights = save(
        {name: tensor.contiguous() for name, tensor in finished.state.items()}, {"format": "pt"}
    )
    digest = hashlib.sha256(weights).hexdigest()
    curves = {"format": FORMAT, "best": finished.best, "epochs": list(finished.curves)}
    files = {
        "weights.safetensors": weights,
        CURVES: _json(curves),
        "confusion.csv": _csv(_confusion_rows(finished)),
        TABLE: _csv(_validation_rows(finished)),
        "README.md": model_card(finished).encode(),
        "network.json": _json(description(finished, digest)),
    }
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _keep_pictures(finished, unfinished)
        for name, content in files.items():
            write_atomically(unfinished / name, content)
        refuse_existing(folder)
        unfinished.rename(folder)
    except OSError as error:
        raise not_written(folder, error) from error


def _keep_pictures(finished: Finished, folder: Path) -> None:
    """The validation pictures and their masks: what the network is wrong about can be looked at.

    As further names of the same files where the disk allows that, else as copies.
    """
    for picture in finished.split.validation:
        name = kept_name(picture)
        _keep(picture.file.path, folder / PICTURES / name)
        if picture.file.mask is not None:
            _keep(picture.file.mask, folder / MASKS / Path(name).with_suffix(".png"))


def kept_name(picture: Picture) -> str:
    """Its path below PICTURES: its name, or its hash where that leads out of the folder."""
    name = picture.file.name
    return name if is_inside(name) else picture.digest + Path(name).suffix


def _keep(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file.resolve(), to)
    except OSError:  # another disk, or one without such names
        shutil.copyfile(file, to)


def refuse_existing(folder: Path) -> None:
    """Raises FinetuneError where there is something at the place of the network."""
    if folder.exists():
        raise FinetuneError(
            f"{folder} is there already, and nothing is written over it. Choose another name "
            "(--name), or move that folder away."
        )


def description(finished: Finished, weights_sha256: str) -> Json:
    """network.json, by which the network is opened."""
    return {
        "format": FORMAT,
        "title": finished.title,
        "architecture": architecture_of(finished.entry),
        "resolution": finished.entry.resolution,
        "classes": list(finished.split.classes),
        "recipe": f"fine-tuned, {finished.trained}, {finished.recipe.key} recipe",
        "weights_sha256": weights_sha256,
        "provenance": {
            "base": finished.base,
            "data": {
                "sha256": finished.split.digest,
                "training": len(finished.split.training),
                "validation": len(finished.split.validation),
                "classes": counts(finished.split),
                "skipped": len(finished.skipped),
                "copies": len(finished.split.copies),
            },
            "split": {
                "seed": None if finished.split.given else finished.settings["seed"],
                "given_by_the_data": finished.split.given,
            },
            "settings": finished.settings,
            "recipe": asdict(finished.recipe),
            "trained": finished.trained,
            "accuracy": finished.accuracy,
            "versions": finished.versions,
        },
    }


def confusion(
    targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Counts (classes, classes): row, what a picture shows; column, what was predicted."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (targets, predicted), 1)
    return matrix


def _confusion_rows(finished: Finished) -> Iterable[Sequence[object]]:
    classes = finished.split.classes
    yield ["label", *classes]
    matrix = confusion(finished.targets, finished.predicted, len(classes))
    for label, row in zip(classes, matrix.tolist(), strict=True):
        yield [label, *row]


def _validation_rows(finished: Finished) -> Iterable[Sequence[object]]:
    classes = finished.split.classes
    yield ["path", "label", "predicted", "probability"]
    for picture, predicted, row in zip(
        finished.split.validation, finished.predicted.tolist(), finished.probabilities, strict=True
    ):
        probability = f"{float(row[picture.target]):.6f}"
        yield [kept_name(picture), picture.file.label, classes[predicted], probability]


def model_card(finished: Finished) -> str:
    """README.md: the model card in Markdown."""
    split, accuracy, entry = finished.split, finished.accuracy, finished.entry
    epoch = finished.curves[finished.best]
    drawn = (
        "The data itself says what is for training and what for validation."
        if split.given
        else f"Drawn from every class by seed {finished.settings['seed']}."
    )
    rows = "\n".join(
        f"| {_cell(label)} | {of['training']} | {of['validation']} |"
        for label, of in counts(split).items()
    )
    settings = "\n".join(f"- {name}: {value}" for name, value in finished.settings.items())
    left_out = "".join(f"\n- {_cell(name)}: {why}" for name, why in finished.skipped[:_SKIPPED])
    more = len(finished.skipped) - _SKIPPED
    if more > 0:
        left_out += f"\n- and {more} more"
    return f"""# {_cell(finished.title)}

{entry.title} at {entry.resolution} pixels, fine-tuned to tell {len(split.classes)} classes apart.
It began with the weights “{finished.base["recipe"]}” (SHA-256 {finished.base["weights_sha256"]}).

**Accuracy on the validation pictures: {accuracy["share"]:.1%}** ({accuracy["right"]} of
{accuracy["of"]}; 95 % interval {accuracy["low"]:.1%} to {accuracy["high"]:.1%}, Wilson).

## What was trained

{_what_was_trained(finished)}
The weights are those of epoch {epoch["epoch"]} of the phase “{epoch["phase"]}”, where the loss on
the validation pictures was smallest.

## Data

{len(split.training)} pictures to learn from, {len(split.validation)} to measure on. {drawn}
Pictures that are there twice count once ({len(split.copies)} copies).

| Class | Training | Validation |
| --- | --- | --- |
{rows}

Files that were no readable pictures and were skipped: {len(finished.skipped)}.{left_out}

## Settings

{settings}

## Limits

- The epoch was chosen on the same validation pictures, so the accuracy is a little too high.
  Measure on further pictures before you rely on it.
- The interval takes the pictures for independent. Several pictures of one scene are not, and make
  it too narrow.
- It knows these classes only, and names one of them for any picture whatever.
- It inherits what the network that it began with saw and did not see.

## Files

`weights.safetensors` and `network.json` are the network; `curves.json` has loss and accuracy of
every epoch, `confusion.csv` what was taken for what (rows: label, columns: prediction), and
`validation.csv` the prediction for each validation picture. These lie in `pictures`, and in `masks`
where the things are known to the pixel.
"""


def _what_was_trained(finished: Finished) -> str:
    if finished.trained == "head":
        tried = any(epoch["phase"] == "all" for epoch in finished.curves)
        return "The linear head alone; all other layers are frozen, those it began with." + (
            " Training all layers after it did not make the loss smaller." if tried else ""
        )
    statistics = "moved with them" if finished.recipe.train_statistics else "stayed frozen"
    return f"The head first, then all layers; the statistics of batch norms {statistics}."


def _cell(text: str) -> str:
    """Text of others, inside a line of Markdown."""
    return "".join("\\" + c if c in "\\`*_[]<>|#&" else c for c in text)


def _json(content: Json) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
