"""Write what a model looks at: the CAM and another map of photographs, drawn and as numbers."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from effnet_viz.attribution.methods import (
    CAM,
    GRAD_CAM,
    METHODS,
    Method,
    MethodRefusedError,
    Place,
)
from effnet_viz.attribution.methods import find as find_method

# Whatever loads torch is imported where it is needed: help and mistyped options come at once.
if TYPE_CHECKING:
    from effnet_viz import Analysis
    from effnet_viz.arrays import Pixels
    from effnet_viz.attribution.attribution import Attribution
    from effnet_viz.images.photograph import Photograph

LONGEST = 1024
"""Pixels: the longer side of what is drawn on."""
SHORTEST = 512
"""Pixels: a smaller photograph is enlarged to it as far as whole factors do."""
BEST = 5
"""How many classes are printed."""


def run(arguments: Sequence[str]) -> int:
    """Explain photographs: 0, 1 when some could not be, 2 when nothing could be begun."""
    parser = argparse.ArgumentParser(
        prog="effnet-viz explain",
        description=__doc__,
        epilog="For every photograph: NAME-cam.png and the map of the method with caption, such as "
        "NAME-grad-cam-stage-K.png, NAME.json and NAME.npz. Methods: "
        f"{', '.join(METHODS)}. Exit code: 0, all explained; 1, some could not be; 2, nothing was "
        "begun, because the command is wrong or the model cannot be used.",
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="picture files")
    parser.add_argument(
        "--model", metavar="KEY", help="such as lite1, b0 or b0-r448 (default: the app's)"
    )
    parser.add_argument(
        "--target",
        metavar="CLASS",
        help="label or index of the class to explain (default: the most probable one)",
    )
    parser.add_argument(
        "--method",
        default=GRAD_CAM.key,
        metavar="KEY",
        help="how the map is made (default: %(default)s; all are listed below)",
    )
    parser.add_argument(
        "--rather-than",
        metavar="CLASS",
        help="the class that finer-cam tells it from (default: the most probable other one)",
    )
    parser.add_argument(
        "--stage",
        type=int,
        default=6,
        metavar="K",
        help="of the map, where its method looks at one (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="FOLDER", help="(default: where you are)"
    )
    chosen = parser.parse_args(arguments)

    from tqdm import tqdm

    from effnet_viz import EngineError, ImageError, UnknownModelError, WeightsError, analyse, load
    from effnet_viz.images.decode import decode
    from effnet_viz.models.model import classes_of
    from effnet_viz.models.structures import structure_of
    from effnet_viz.models.variants import find
    from effnet_viz.models.zoo import DEFAULT

    photos: list[Path] = chosen.photos
    out: Path = chosen.out
    stage: int = chosen.stage
    target, other = _index_or_label(chosen.target), _index_or_label(chosen.rather_than)
    try:
        method = find_method(chosen.method)
        entry = find(chosen.model or DEFAULT)
        for named in (target, other):
            if named is not None:
                classes_of(entry).index(named)
        last = structure_of(entry).last
        if not 1 <= stage <= last:
            raise ValueError(f"There is no stage {stage}. Choose one of 1 to {last}.")
        out.mkdir(parents=True, exist_ok=True)
        model = load(entry.key)
    except (ValueError, UnknownModelError, WeightsError, EngineError, MemoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"Cannot write into {out} ({error.strerror}). Choose another --out.\n")
        return 2

    code = 0
    suffixes = _suffixes(method, stage)
    names = _names(photos, out, suffixes)
    with tqdm(total=len(photos), unit="photo", disable=None if len(photos) > 1 else True) as bar:
        for photo, name in zip(photos, names, strict=True):
            try:
                photograph = decode(photo)
                result = analyse(photograph, model, target)
                made = result.attribute(method, method.stage_of(stage, last), other=other)
                files = [out / f"{name}{suffix}" for suffix in suffixes]
                for file, content in zip(files, _contents(photograph, result, made), strict=True):
                    file.write_bytes(content)
            except (ImageError, EngineError, MethodRefusedError, MemoryError) as error:
                bar.write(f"{photo}: {error}", file=sys.stderr)
                code = 1
            except OSError as error:
                bar.write(
                    f"{photo}: {error.strerror}. Check its path and the folder written to.",
                    file=sys.stderr,
                )
                code = 1
            else:
                bar.write(_summary(photo, photograph, result, files))
            bar.update()
    return code


def _index_or_label(target: str | None) -> int | str | None:
    return int(target) if target and target.isdecimal() else target


def _suffixes(method: Method, stage: int) -> tuple[str, ...]:
    """The ends of the names of the files that one photograph gives."""
    at = f"-stage-{stage}" if method.place is Place.STAGE else ""
    drawn = dict.fromkeys(("-cam.png", f"-{method.key}{at}.png"))
    return (*drawn, ".json", ".npz")


def _names(photos: Sequence[Path], out: Path, suffixes: Sequence[str]) -> list[str]:
    """The beginning of each photograph's file names: its own name, numbered where that is taken.

    So no file is written over another one's or over a photograph.
    """
    folder = out.resolve()
    taken = {str(photo.resolve()).casefold() for photo in photos}
    names = []
    for photo in photos:
        for number in itertools.count(1):
            name = photo.stem if number == 1 else f"{photo.stem}-{number}"
            files = {str(folder / f"{name}{suffix}").casefold() for suffix in suffixes}
            if taken.isdisjoint(files):
                break
        taken |= files
        names.append(name)
    return names


def _contents(photograph: Photograph, result: Analysis, made: Attribution) -> tuple[bytes, ...]:
    """What the files hold, in the order of _suffixes."""
    from effnet_viz.pictures import render
    from effnet_viz.pictures.encode import encode
    from effnet_viz.pictures.numbers import as_json, as_npz

    picture = render.enlarge_cells(photograph.reduced(LONGEST), SHORTEST)  # (H, W, 3)
    drawn = [result.attribute(CAM)] if made.method is CAM else [result.attribute(CAM), made]
    return (
        *(encode(_sheet(picture, attribution), "png") for attribution in drawn),
        as_json(result, made).encode(),
        as_npz(result, made),
    )


def _sheet(picture: Pixels, attribution: Attribution) -> Pixels:
    """The positive evidence of a map over the picture, with the caption that names it."""
    from effnet_viz.arrays import positive_evidence, positive_range
    from effnet_viz.pictures import render
    from effnet_viz.pictures.captions import map_caption

    height, width = picture.shape[:2]
    values, box = attribution.values, attribution.crop.box_in(width, height)
    limits = positive_range(values)
    positive = positive_evidence(values)  # (h, w)
    drawn = render.overlay(picture, positive, attribution.placement, box, limits, "magma", 0.55)
    low, high = (render.number(limit) for limit in limits)
    caption = map_caption(attribution)
    caption[-1] += f", positive evidence, own scale {low} to {high}"
    return render.sheet(drawn, limits, "magma", caption)


def _summary(photo: Path, photograph: Photograph, result: Analysis, files: Sequence[Path]) -> str:
    """What is printed of one photograph."""
    return "\n  ".join(
        [
            f"{photo}: {', '.join(map(str, files))}",
            *photograph.notes,
            *(f"{p.probability:6.1%}  {p.label}" for p in result.predictions[:BEST]),
            f"The maps explain: {result.target.label}",
        ]
    )
