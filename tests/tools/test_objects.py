"""The collection of objects is made again from a package, and what is wrong with it is told."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from effnet_viz.arrays import Pixels
from effnet_viz.assets import OBJECTS
from effnet_viz.scenes.treatment import MARGIN, treated
from tools.objects import collection
from tools.objects.__main__ import main
from tools.objects.collection import LONGEST, PackageError, Polygon, digest, object_mask

WRITTEN = {
    "name": "disc", "what": "a red disc", "labels": ["croquet ball"], "source": "toys/disc.png",
    "author": None, "terms": "public domain",
}  # fmt: skip


def drawn(side: int = 60, radius: int = 20) -> Image.Image:
    """A red disc with a green fringe on a transparent ground, and a speck in a corner."""
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)
    middle = side // 2
    for r, colour in ((radius, (0, 255, 0, 255)), (radius - 1, (255, 0, 0, 255))):
        pen.ellipse((middle - r, middle - r, middle + r, middle + r), fill=colour)
    pen.point((1, 1), fill=(0, 0, 255, 255))
    return image


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder as dpkg-deb unpacks one, with one picture."""
    file = tmp_path / "package" / collection.STAMPS / "toys" / "disc.png"
    file.parent.mkdir(parents=True)
    drawn().save(file)
    return tmp_path / "package"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection whose table a person has written."""
    folder = tmp_path / "collection"
    folder.mkdir()
    shutil.copy(OBJECTS / collection.LICENCE, folder)
    collection.write_table({"licence": "GPL-2.0-or-later", "objects": [WRITTEN]}, folder)
    return folder


def row(folder: Path) -> dict[str, Any]:
    [only] = collection.read_table(folder)["objects"]
    return dict(only)


def test_a_collection_is_made_and_is_as_it_was_when_made_again(
    package: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(package), "--folder", str(folder)]) == 0
    assert capsys.readouterr().out == "1 objects of 1 classes, all as the table says.\n"
    picture = (folder / "disc.webp").read_bytes()
    made = row(folder)
    assert made["sha256"] == digest(picture)
    source = package / collection.STAMPS / "toys/disc.png"
    assert made["source_sha256"] == digest(source.read_bytes())
    assert made["width"] == made["height"] == 41 + 2 * MARGIN
    assert {key: made[key] for key in WRITTEN} == WRITTEN

    assert main([str(package), "--folder", str(folder)]) == 0
    assert (folder / "disc.webp").read_bytes() == picture
    assert row(folder) == made
    assert main([str(package), "--folder", str(folder), "--check"]) == 0
    assert main(["--folder", str(folder), "--check"]) == 0


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is Debian's: it is not here")
def test_a_package_file_gives_what_a_folder_gives(package: Path, tmp_path: Path) -> None:
    control = package / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(
        "Package: stamps\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n"
        "Description: a disc\n",
        encoding="utf-8",
    )
    file = tmp_path / "stamps.deb"
    subprocess.run(["dpkg-deb", "--build", package, file], check=True, capture_output=True)
    names = ["toys/disc.png"]
    assert collection.read_sources(file, names) == collection.read_sources(package, names)
    with pytest.raises(PackageError, match=r"toys/cube\.png"):
        collection.read_sources(file, ["toys/cube.png"])
    file.write_bytes(b"no package")
    with pytest.raises(PackageError, match="no Debian package"):
        collection.read_sources(file, names)


def test_without_dpkg_a_folder_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match="give the folder"):
        collection.read_sources(tmp_path / "stamps.deb", ["toys/disc.png"])


def change_picture(folder: Path) -> None:
    Image.new("RGBA", (9, 9), "red").save(folder / "disc.webp")


def change_source_and_its_hash(folder: Path) -> None:
    pixels = np.zeros((9, 9, 4), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=True)
    (folder / "disc.webp").write_bytes(file.getvalue())
    change(folder, sha256=digest(file.getvalue()), width=9, height=9)


def change(folder: Path, **cells: Any) -> None:
    table = json.loads((folder / collection.TABLE).read_text(encoding="utf-8"))
    table["objects"][0] |= cells
    collection.write_table(table, folder)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (change_picture, "disc.webp is not the file of the table."),
        (change_source_and_its_hash, "disc.webp is not what comes out of toys/disc.png."),
        (lambda folder: (folder / "disc.webp").unlink(), "disc.webp is not in the folder."),
        (lambda folder: (folder / "a.txt").touch(), "a.txt is in the folder, not in the table."),
        (lambda folder: (folder / "GPL-2.txt").write_text("MIT"), "GPL-2.txt is not the text"),
        (lambda folder: change(folder, labels=["frisbee dog"]), "There is no class 'frisbee dog'"),
        (lambda folder: change(folder, labels=[]), "disc has no accepted label."),
        (lambda folder: change(folder, width=3), "the table says otherwise"),
        (lambda folder: change(folder, source_sha256="0"), "toys/disc.png in the package is not"),
    ],
)
def test_what_is_wrong_is_told(
    spoil: Callable[[Path], object],
    told: str,
    package: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    collection.make(package, folder)
    spoil(folder)
    assert main([str(package), "--folder", str(folder), "--check"]) == 1
    sentences = capsys.readouterr().out.splitlines()
    assert told in sentences[0]
    assert not any("all as the table says" in sentence for sentence in sentences)


def test_a_row_lacks_what_was_never_made(folder: Path) -> None:
    assert collection.problems(folder) == ["disc has no width, height, source_sha256, sha256."]


def test_a_folder_that_is_too_large_is_told(
    package: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.make(package, folder)
    assert collection.problems(folder) == []
    size = sum(path.stat().st_size for path in folder.iterdir())
    monkeypatch.setattr(collection, "LIMIT", size)
    [sentence] = collection.problems(folder)
    assert f"has {size} bytes" in sentence


def test_another_picture_than_was_looked_at_is_refused_and_nothing_written(
    package: Path, folder: Path
) -> None:
    collection.make(package, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    drawn(radius=25).save(package / collection.STAMPS / "toys" / "disc.png")
    with pytest.raises(PackageError, match=r"another picture.*Look at it"):
        collection.make(package, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_package_is_needed_to_make_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "name the package" in capsys.readouterr().err


# The treatment of the cut edge


def treated_whole(source: Pixels, cut: Sequence[Polygon] = ()) -> Pixels:
    """As the collection does it."""
    return treated(source[..., :3], object_mask(source, cut), LONGEST)


def test_fringe_and_specks_go_and_the_outline_stays() -> None:
    source = np.asarray(drawn())
    pixels = treated_whole(source)
    opacity = pixels[..., 3]
    seen = pixels[opacity > 0]
    assert seen[:, 2].max() == 0  # the blue speck
    green = (source[..., 3] > 0) & (source[..., 1] > 0)
    assert green.sum() > 100
    assert (seen[:, 1] > 0).sum() < green.sum() / 10  # the fringe
    disc = source[10:51, 10:51, 3] >= 128
    inner = slice(MARGIN, -MARGIN)
    assert np.array_equal(opacity[inner, inner] >= 128, disc)


def test_opacity_is_the_mask_smoothed_slowly() -> None:
    generator = np.random.default_rng(0)
    source = np.zeros((24, 30, 4), np.uint8)
    source[4:20, 5:25, 3] = 255 * (generator.random((16, 20)) < 0.9)
    pixels = treated_whole(source)
    rows, columns = np.nonzero(source[..., 3])
    height, width = np.ptp(rows) + 1 + 2 * MARGIN, np.ptp(columns) + 1 + 2 * MARGIN
    assert pixels.shape == (height, width, 4)
    weights = np.outer([1, 2, 1], [1, 2, 1])
    for y in range(height):
        for x in range(width):
            total = 0
            for i in range(3):
                for j in range(3):
                    row = y + rows.min() - MARGIN + i - 1
                    column = x + columns.min() - MARGIN + j - 1
                    total += weights[i, j] * int(source[row, column, 3] > 0)
            assert pixels[y, x, 3] == round(255 * total / 16)


def test_a_thin_part_keeps_its_place_and_colour() -> None:
    source = np.zeros((20, 60, 4), np.uint8)
    source[2:18, 2:18] = (255, 0, 0, 255)
    source[10, 18:58] = (0, 0, 255, 255)  # one pixel wide
    pixels = treated_whole(source)
    line = pixels[MARGIN + 8, MARGIN + 20 : -MARGIN - 2]
    assert (line == (0, 0, 255, 128)).all()


def test_polygons_are_cut_away() -> None:
    whole, half = (
        treated_whole(np.asarray(drawn())),
        treated_whole(np.asarray(drawn()), [[(0, 30), (59, 30), (59, 59), (0, 59)]]),
    )
    assert half.shape[1] == whole.shape[1]
    assert half.shape[0] == 20 + 2 * MARGIN  # rows 10 to 29


def test_what_is_large_is_reduced_and_its_proportions_stay() -> None:
    source = np.zeros((800, 1000, 4), np.uint8)
    source[100:700, 100:900] = (10, 200, 30, 255)
    pixels = treated_whole(source)
    assert pixels.shape == (round((LONGEST - 2 * MARGIN) * 600 / 800) + 2 * MARGIN, LONGEST, 4)
    assert (pixels[pixels[..., 3] > 0][:, :3] == (10, 200, 30)).all()


def test_nothing_to_see_is_an_error() -> None:
    with pytest.raises(ValueError, match="half opaque"):
        treated_whole(np.full((5, 5, 4), 100, np.uint8))
