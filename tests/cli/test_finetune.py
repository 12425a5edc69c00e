"""effnet-viz finetune: from pictures to a network on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from effnet_viz.cli.main import main
from effnet_viz.finetuning import training
from effnet_viz.finetuning.data import FinetuneError
from tests.finetuning.made_pictures import class_folders

QUICK = ["--model", "lite0-r64", "--head-epochs", "4", "--epochs", "0"]


def test_a_network_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = class_folders(tmp_path / "my shapes", 6)
    (data / "discs" / "notes.txt").write_text("no picture")
    monkeypatch.setenv("EFFNET_VIZ_NETWORKS", str(tmp_path / "networks"))
    assert main(["finetune", str(data), *QUICK]) == 0
    network = tmp_path / "networks" / "my-shapes-lite0-r64"
    told = capsys.readouterr()
    assert f"{network}: 2 classes, trained: head.\n" in told.out
    assert "of 2 validation pictures right (95 % interval" in told.out
    assert "EFFNET_VIZ_NETWORKS" not in told.out
    assert "Skipped, because they are no readable pictures: 1\n  discs/notes.txt: " in told.err
    assert json.loads((network / "network.json").read_text())["classes"] == ["discs", "stripes"]

    assert main(["finetune", str(data), *QUICK]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "There is no folder and no file nowhere. Check the path of the pictures.\n"),
        (["x", "--model", "b99"], "There is no model 'b99'. Choose one of: lite0, "),
        (["x", "--model", "resnet50"], "ResNet-50 cannot be fine-tuned here. Choose an"),
        (
            ["x", "--name", "../up"],
            "'../up' is no name for a folder. Choose a --name of at most",
        ),
        (["x", "--batch", "1"], "--batch is at least 2, not 1. Choose another.\n"),
        (["x", "--recipe", "adam"], "There is no recipe 'adam'. Choose one of: default,"),
    ],
)
def test_what_cannot_begin_ends_with_a_sentence(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["finetune", *words]) == 2
    assert capsys.readouterr().err.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = class_folders(tmp_path / "data", 2)
    (tmp_path / "file").write_text("in the way")
    assert main(["finetune", str(data), *QUICK, "--out", str(tmp_path / "file" / "in")]) == 2
    assert "could not be written (Not a directory)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        (KeyboardInterrupt(), 130, "\nStopped. The same command goes on after the last epoch"),
        (FinetuneError("What happened. What to do."), 2, "What happened. What to do.\n"),
        (MemoryError("Too large. Take less."), 2, "Too large. Take less.\n"),
    ],
)
def test_how_it_ends(
    raised: BaseException, code: int, sentence: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fails(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(training, "finetune", fails)
    assert main(["finetune", "x"]) == code
    assert capsys.readouterr().err.startswith(sentence)
