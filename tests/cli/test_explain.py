"""effnet-viz explain: the files hold what the model sees, and nothing is lost or half told."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import effnet_viz
from effnet_viz import Analysis, EngineError
from effnet_viz.arrays import positive_evidence, positive_range
from effnet_viz.cli.main import main
from effnet_viz.images.decode import decode
from effnet_viz.pictures import render
from effnet_viz.pictures.captions import map_caption
from tests.browser.visitor import ROOT
from tests.conftest import SAMPLES, loaded


@pytest.fixture(autouse=True)
def models_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effnet_viz, "load", loaded, raising=False)


def explain(*words: str | Path) -> int:
    return main(["explain", *map(str, words)])


def shown(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_one_photograph(cat: Analysis, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "folder"
    assert explain(SAMPLES / "cat.jpg", "--stage", "5", "--out", out) == 0
    assert {path.name for path in out.iterdir()} == {
        "cat-cam.png", "cat-grad-cam-stage-5.png", "cat.json", "cat.npz",
    }  # fmt: skip
    numbers = json.loads((out / "cat.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(numbers["cam"], cat.cam, rtol=1e-5)
    np.testing.assert_allclose(numbers["map"], cat.grad_cam(5), rtol=1e-5)
    assert (numbers["method"], numbers["stage"]) == ("Grad-CAM", 5)
    assert numbers["target"]["label"] == "tiger cat"
    assert numbers["provenance"] == json.loads(json.dumps(cat.provenance.as_dict()))
    with np.load(out / "cat.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["cam"], cat.cam)

    told = capsys.readouterr()
    assert told.err == ""
    best = [f"{p.probability:.1%}  {p.label}" for p in cat.predictions[:5]]
    assert [line.strip() for line in told.out.splitlines()[1:]] == [
        *best, "The maps explain: tiger cat",
    ]  # fmt: skip


def test_the_picture_is_the_map_with_its_caption(cat: Analysis, tmp_path: Path) -> None:
    explain(SAMPLES / "cat.jpg", "--out", tmp_path)
    picture = decode(SAMPLES / "cat.jpg").reduced(1024)
    height, width = picture.shape[:2]
    limits = positive_range(cat.cam)
    box = cat.crop.box_in(width, height)
    at = cat.attribute("cam").placement
    drawn = render.overlay(picture, positive_evidence(cat.cam), at, box, limits, "magma", 0.55)
    model, described = map_caption(cat.attribute("cam"))
    scale = f"positive evidence, own scale 0 to {render.number(limits[1])}"
    expected = render.sheet(drawn, limits, "magma", [model, f"{described}, {scale}"])
    np.testing.assert_array_equal(shown(tmp_path / "cat-cam.png"), expected)


def test_another_class_by_label_or_index(cat: Analysis, tmp_path: Path) -> None:
    for name, target in (("label", "lynx"), ("index", "287")):
        assert explain(SAMPLES / "cat.jpg", "--target", target, "--out", tmp_path / name) == 0
    by_label, by_index = ((tmp_path / n / "cat.json").read_text() for n in ("label", "index"))
    assert by_label == by_index
    np.testing.assert_allclose(json.loads(by_label)["cam"], cat.for_target("lynx").cam, rtol=1e-5)


def test_what_cannot_be_read_is_told_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, missing = tmp_path / "broken.jpg", tmp_path / "missing.jpg"
    broken.write_bytes((SAMPLES / "cat.jpg").read_bytes()[:300])
    out = tmp_path / "out"
    assert explain(broken, missing, tmp_path, SAMPLES / "espresso.jpg", "--out", out) == 1
    assert (out / "espresso.json").exists()
    assert len(list(out.iterdir())) == 4
    told = capsys.readouterr()
    assert [line.partition(": ")[0] for line in told.err.splitlines()] == [
        str(broken), str(missing), str(tmp_path),
    ]  # fmt: skip
    assert "espresso" in told.out


@pytest.mark.parametrize("error", [EngineError("It failed. Try it."), MemoryError("No room.")])
def test_a_network_that_fails_on_one_is_told(
    error: Exception, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def analyse(*_: object) -> Analysis:
        raise error

    monkeypatch.setattr(effnet_viz, "analyse", analyse, raising=False)
    assert explain(SAMPLES / "cat.jpg", "--out", tmp_path) == 1
    assert capsys.readouterr().err == f"{SAMPLES / 'cat.jpg'}: {error}\n"


def test_no_file_is_written_over_another(tmp_path: Path) -> None:
    """Two photographs of one name, and one that is called like a picture of the first."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder, sample in zip(folders, ("cat", "espresso"), strict=True):
        folder.mkdir()
        shutil.copy(SAMPLES / f"{sample}.jpg", folder / "photo.jpg")
    mine = tmp_path / "photo-cam.png"
    Image.new("RGB", (50, 50)).save(mine)
    before = mine.read_bytes()
    assert explain(*(folder / "photo.jpg" for folder in folders), mine, "--out", tmp_path) == 0
    assert mine.read_bytes() == before
    targets = [
        json.loads((tmp_path / f"photo-{number}.json").read_text())["target"]["label"]
        for number in (2, 3)
    ]
    assert targets == ["tiger cat", "espresso"]
    assert (tmp_path / "photo-cam-cam.png").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--model", "b9"], "There is no model 'b9'. Choose one of: lite0, "),
        (["--model", "b0-d4"], "No weights were ever published for this architecture."),
        (["--target", "tiger cats"], "There is no class 'tiger cats'."),
        (["--target", "1000"], "There is no class 1000. Classes are 0 to 999."),
        (["--stage", "10"], "There is no stage 10. Choose one of 1 to 9."),
        (["--out", str(SAMPLES / "cat.jpg")], "Cannot write into "),
    ],
)
def test_wrong_usage_is_one_sentence(
    options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert explain(SAMPLES / "cat.jpg", *options) == 2
    told = capsys.readouterr()
    assert told.err.startswith(sentence)
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_without_a_photograph_there_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        explain()
    assert end.value.code == 2
    assert "PHOTO" in capsys.readouterr().err


def test_several_photographs_show_their_progress_on_a_terminal(tmp_path: Path) -> None:
    terminal, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    photos = [SAMPLES / "cat.jpg", SAMPLES / "espresso.jpg"]
    run = subprocess.run(
        [sys.executable, "-m", "effnet_viz.cli", "explain", *photos, "--out", tmp_path],
        stdout=subprocess.PIPE, stderr=slave, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    os.close(slave)
    drawn = b""
    with suppress(OSError):  # the end of what a closed terminal holds
        while True:
            drawn += os.read(terminal, 65536)
    os.close(terminal)
    assert b"2/2" in drawn
    assert run.stdout.count("The maps explain") == 2
    assert "2/2" not in run.stdout
