"""Labels and their split; what is wrong with data is said in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from effnet_viz.finetuning.data import FinetuneError, LabelledFile, counts, read, split


def table(folder: Path, text: str) -> Path:
    path = folder / "pictures.csv"
    path.write_text(text, encoding="utf-8")
    return path


def files(**pictures: int) -> tuple[list[LabelledFile], list[str]]:
    """So many made-up files of each class, and their digests."""
    made = [
        LabelledFile(Path(f"{label}-{number}"), f"{label}-{number}", label, None)
        for label, count in pictures.items()
        for number in range(count)
    ]
    return made, [f"digest {file.name}" for file in made]


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    for name in ("cats/1.jpg", "cats/more/2.jpg", "dogs/3.png", ".git/config", "cats/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "loose.jpg").write_bytes(b"")
    assert [(file.name, file.label, file.part) for file in read(tmp_path)] == [
        ("cats/1.jpg", "cats", None),
        ("cats/more/2.jpg", "cats", None),
        ("dogs/3.png", "dogs", None),
    ]


def test_a_split_that_somebody_has_made(tmp_path: Path) -> None:
    for name in ("train/cats/1", "val/cats/2", "train/dogs/3", "val/dogs/4", "test/cats/5"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"")
    found = read(tmp_path)
    assert [file.name for file in found] == [
        "train/cats/1", "train/dogs/3", "val/cats/2", "val/dogs/4",
    ]  # fmt: skip
    made = split(found, [file.name for file in found], 0, 0.5)
    assert made.given
    assert [picture.file.name for picture in made.validation] == ["val/cats/2", "val/dogs/4"]


def test_masks_beside_the_classes_belong_to_their_pictures(tmp_path: Path) -> None:
    for name in (
        "cats/1.jpg",
        "cats/2.jpg",
        "dogs/a/3.png",
        "masks/cats/1.png",
        "masks/dogs/a/3.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [(file.name, file.mask) for file in read(tmp_path)] == [
        ("cats/1.jpg", tmp_path / "masks/cats/1.png"),
        ("cats/2.jpg", None),
        ("dogs/a/3.png", tmp_path / "masks/dogs/a/3.png"),
    ]
    path = table(tmp_path, "path,label\ncats/1.jpg,cat\n../outside.jpg,dog\n")
    assert [file.mask for file in read(path)] == [None, tmp_path / "masks/cats/1.png"]


def test_a_class_may_be_called_masks(tmp_path: Path) -> None:
    for name in ("hats/1.jpg", "masks/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    assert [(file.name, file.label) for file in read(tmp_path)] == [
        ("hats/1.jpg", "hats"),
        ("masks/2.jpg", "masks"),
    ]


def test_a_table(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufefflabel,path,note\n“big” cat,a/1.jpg,x\ndog, b.jpg ,\n")
    assert [(file.path, file.name, file.label) for file in read(path)] == [
        (tmp_path / "a/1.jpg", "a/1.jpg", "“big” cat"),
        (tmp_path / "b.jpg", "b.jpg", "dog"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,class\na,b\n", "has no columns `path` and `label`. Name them so"),
        ("path,label\n", "lists no pictures. Write a line for each"),
        ("path,label\na.jpg,cat\nb.jpg,\n", "Line 3 of pictures.csv has no label. Complete it"),
        ("path,label\n,cat\n", "Line 2 of pictures.csv has no path. Complete it"),
        ("path,label\nb.jpg\n", "Line 2 of pictures.csv has no label. Complete it"),
        (
            "path,label\na.jpg,cat\na.jpg,dog\n",
            "The labels of a.jpg do not match: pictures.csv says both 'cat' and 'dog'. Keep",
        ),
        (f"path,label\na.jpg,{'x' * 101}\n", "is no name for a class: it has more than 100"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(FinetuneError) as error:
        read(table(tmp_path, text))
    assert sentence in str(error.value)


def test_a_picture_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0\0\0")
    with pytest.raises(FinetuneError, match=r"photo\.jpg is no CSV file in UTF-8\. Save it"):
        read(path)


def test_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FinetuneError, match=r"There is no folder and no file .*nowhere\. Check"):
        read(tmp_path / "nowhere")
    (tmp_path / "loose.jpg").write_bytes(b"")
    (tmp_path / "cats").mkdir()
    with pytest.raises(FinetuneError, match=r"has no class folders with pictures\. Put the"):
        read(tmp_path)


def test_training_and_validation_have_the_same_classes(tmp_path: Path) -> None:
    for name in ("train/cats/1", "train/dogs/2", "validation/cats/3", "validation/dog/4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(FinetuneError, match="do not match: 'dog', 'dogs' only in one of them"):
        read(tmp_path)


def test_every_class_is_split_by_its_share() -> None:
    made = split(*files(cats=40, dogs=10, newts=2), seed=0, share=0.2)
    assert counts(made) == {
        "cats": {"training": 32, "validation": 8},
        "dogs": {"training": 8, "validation": 2},
        "newts": {"training": 1, "validation": 1},
    }
    names = [picture.file.name for picture in (*made.training, *made.validation)]
    assert len(set(names)) == 52
    for picture in made.training:
        assert made.classes[picture.target] == picture.file.label


def test_the_split_depends_on_the_seed_and_the_pictures_alone() -> None:
    found, digests = files(cats=20, dogs=20)
    made = split(found, digests, 0, 0.2)
    renamed = [replace(file, name=f"other-{file.name}") for file in reversed(found)]
    again = split(renamed, digests[::-1], 0, 0.2)
    assert [p.digest for p in again.validation] == [p.digest for p in made.validation]
    assert again.digest == made.digest
    other = split(found, digests, 1, 0.2)
    assert [p.digest for p in other.validation] != [p.digest for p in made.validation]
    assert other.digest != made.digest


def test_a_picture_that_is_there_twice_is_in_one_part() -> None:
    found, digests = files(cats=10, dogs=10)
    made = split(found, ["same"] * 5 + digests[5:], 0, 0.5)
    assert made.copies == ("cats-1", "cats-2", "cats-3", "cats-4")
    assert len(made.training) + len(made.validation) == 16
    given = [replace(file, part="training") for file in found]
    given[3], given[19] = (replace(given[place], part="validation") for place in (3, 19))
    made = split(given, ["same"] * 5 + digests[5:], 0, 0.5)
    assert [picture.file.name for picture in made.validation] == ["cats-3", "dogs-9"]


def test_what_cannot_be_split() -> None:
    with pytest.raises(FinetuneError, match=r"There is one class only, 'cats', .* Add pictures"):
        split(*files(cats=5), seed=0, share=0.2)
    with pytest.raises(FinetuneError, match=r"Too few readable pictures of 'dogs': .* Add"):
        split(*files(cats=5, dogs=1), seed=0, share=0.2)
    found, digests = files(cats=2, dogs=2)
    digests[2] = digests[0]
    with pytest.raises(
        FinetuneError, match=r"cats-0 \('cats'\) and dogs-0 \('dogs'\) are the same picture\. Del"
    ):
        split(found, digests, 0, 0.5)
