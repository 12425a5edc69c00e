"""The folder of photographed objects: its table, its pictures, and whether both are right.

What a person decided stands in the table: which picture of the package, what it shows, which labels
are right for it, who made it, what is cut away. Sizes and hashes are written by `make`.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from effnet_viz.arrays import Mask, Pixels
from effnet_viz.models.classes import UnknownClassError, imagenet
from effnet_viz.scenes.treatment import treated

STAMPS = PurePosixPath("usr/share/tuxpaint/stamps")
"""Where the package has its pictures."""
TABLE = "objects.json"
LICENCE = "GPL-2.txt"
LICENCE_HASH = "8177f97513213526df2cf6184d8ff986c675afb514d4e68a404010521b880643"
"""Of the whole text of the GNU General Public License, version 2."""
LONGEST = 320
"""Pixels of the longer side of what is shipped, at most; smaller pictures are not enlarged."""
LIMIT = 4_000_000
"""Bytes of the whole folder."""
WRITTEN = ("name", "what", "labels", "source", "author", "terms")
"""What a person writes for every object; `note` and `cut` where they are needed."""
COMPUTED = ("width", "height", "source_sha256", "sha256")

Row = dict[str, Any]
Polygon = Sequence[Sequence[int]]
"""Corners (x, y) in pixels of the source."""


class PackageError(Exception):
    """The package is not the one that the collection was made from."""


def make(package: Path, folder: Path) -> None:
    """Write every picture of the table, and its sizes and hashes into the table.

    Raises PackageError where the package lacks a picture, or has another one than was looked at.
    """
    table = read_table(folder)
    rows = table["objects"]
    sources = read_sources(package, [row["source"] for row in rows])
    for row in rows:
        looked_at = row.get("source_sha256")
        if looked_at not in (None, digest(sources[row["source"]])):
            raise PackageError(
                f"{row['source']} is another picture than the one that was looked at. Look at it: "
                f"if all that {TABLE} says of {row['name']} is still right, take its hash out of "
                "the table and run this again."
            )
    for row in rows:
        picture = _encoded(_object(sources[row["source"]], row))
        (folder / f"{row['name']}.webp").write_bytes(picture)
        with Image.open(io.BytesIO(picture)) as image:
            row["width"], row["height"] = image.size
        row["source_sha256"], row["sha256"] = digest(sources[row["source"]]), digest(picture)
    write_table(table, folder)


def _object(source: bytes, row: Row) -> Pixels:
    """An object of the table (h, w, 4), from the file in the package."""
    with Image.open(io.BytesIO(source)) as image:
        pixels = np.asarray(image.convert("RGBA"))  # (H, W, 4)
    return treated(pixels[..., :3], object_mask(pixels, row.get("cut", ())), LONGEST)


def object_mask(source: Pixels, cut: Sequence[Polygon]) -> Mask:
    """(H, W): at least half opaque, and in none of the polygons (a stump that a fox stands on)."""
    height, width = source.shape[:2]
    away = Image.new("1", (width, height))
    for polygon in cut:
        ImageDraw.Draw(away).polygon([(x, y) for x, y in polygon], fill=1)
    mask: Mask = (source[..., 3] >= 128) & ~np.asarray(away)
    return mask


def _encoded(pixels: Pixels) -> bytes:
    """Without loss: what an encoder leaves behind would be one more thing for a network to see."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return file.getvalue()


def read_sources(package: Path, names: Collection[str]) -> dict[str, bytes]:
    """Files below STAMPS, from a .deb or from a folder that one was unpacked into."""
    if package.is_dir():
        paths = {name: package / STAMPS / name for name in names}
        found = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    else:
        found = _from_deb(package, names)
    missing = sorted(set(names) - set(found))
    if missing:
        raise PackageError(
            f"{package} has no {STAMPS / missing[0]} ({len(missing)} of {len(names)} are missing). "
            "Give Debian's tuxpaint-stamps-default, as `apt-get download` leaves it or unpacked."
        )
    return found


def _from_deb(package: Path, names: Collection[str]) -> dict[str, bytes]:
    if not shutil.which("dpkg-deb"):
        raise PackageError(
            "dpkg-deb, which opens Debian's packages, is not here: unpack the package with "
            "another program (ar and tar) and give the folder."
        )
    wanted = {STAMPS / name: name for name in names}
    found = {}
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as unpacking:
        try:
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
                for member in archive:
                    name = wanted.get(PurePosixPath(member.name))
                    file = archive.extractfile(member) if name else None
                    if name and file:
                        found[name] = file.read()
        except tarfile.ReadError as error:
            raise PackageError(f"{package} is no Debian package.") from error
    return found


# The table


def read_table(folder: Path) -> Row:
    """The table of a folder."""
    table: Row = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    return table


def write_table(table: Mapping[str, Any], folder: Path) -> None:
    """One line for an object, so that a difference shows which one has changed."""
    head = json.dumps({key: table[key] for key in table if key != "objects"}, ensure_ascii=False)
    rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in table["objects"])
    (folder / TABLE).write_text(f'{head[:-1]}, "objects": [\n{rows}\n]}}\n', encoding="utf-8")


# Is it right?


def problems(folder: Path, package: Path | None = None) -> list[str]:
    """A sentence for all that is wrong with a folder, and for what is not from the package."""
    rows = read_table(folder)["objects"]
    found = [sentence for row in rows for sentence in _of_row(row)]
    if found:
        return found
    names = [row["name"] for row in rows]
    found = [f"{name} is in the table twice." for name in {n for n in names if names.count(n) > 1}]
    listed = {f"{name}.webp" for name in names} | {TABLE, LICENCE}
    there = {path.name for path in folder.iterdir()}
    found += [f"{name} is not in the folder." for name in sorted(listed - there)]
    found += [f"{name} is in the folder, not in the table." for name in sorted(there - listed)]
    if found:
        return found
    if digest((folder / LICENCE).read_bytes()) != LICENCE_HASH:
        found.append(f"{LICENCE} is not the text of the licence.")
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size >= LIMIT:
        found.append(f"The folder has {size} bytes; it has to stay under {LIMIT}.")
    for row in rows:
        picture = (folder / f"{row['name']}.webp").read_bytes()
        if digest(picture) != row["sha256"]:
            found.append(f"{row['name']}.webp is not the file of the table.")
            continue
        with Image.open(io.BytesIO(picture)) as image:
            if image.size != (row["width"], row["height"]):
                found.append(f"{row['name']}.webp has {image.size}, the table says otherwise.")
    if package is not None:
        found += _made_again(rows, folder, package)
    return found


def _of_row(row: Mapping[str, Any]) -> list[str]:
    name = row.get("name", row)
    missing = [key for key in (*WRITTEN, *COMPUTED) if key not in row]
    if missing:
        return [f"{name} has no {', '.join(missing)}."]
    found = []
    if not row["labels"]:
        found.append(f"{name} has no accepted label.")
    for label in row["labels"]:
        try:
            imagenet().index(str(label))
        except UnknownClassError as error:
            found.append(f"{name}: {error}")
    return found


def _made_again(rows: Sequence[Row], folder: Path, package: Path) -> list[str]:
    sources = read_sources(package, [row["source"] for row in rows])
    found = []
    for row in rows:
        source = sources[row["source"]]
        if digest(source) != row["source_sha256"]:
            found.append(f"{row['source']} in the package is not the file of the table.")
            continue
        with Image.open(folder / f"{row['name']}.webp") as image:
            if not np.array_equal(np.asarray(image.convert("RGBA")), _object(source, row)):
                found.append(f"{row['name']}.webp is not what comes out of {row['source']}.")
    return found


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
