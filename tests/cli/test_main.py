"""One entry point: it imports nothing heavy but the command that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from effnet_viz import __version__, cli
from effnet_viz.cli import serve
from effnet_viz.cli.main import COMMANDS, main
from effnet_viz.ui.server import process, start
from tests.browser.visitor import ROOT


@pytest.mark.parametrize(
    "words", [["--help"], ["explain", "--help"], ["finetune", "--help"], ["serve", "--help"]]
)
def test_help_does_not_wait_for_torch(words: list[str]) -> None:
    code = f"""
import sys
from effnet_viz.cli.main import main
try:
    main({words!r})
except SystemExit as end:
    print("heavy:", {{"torch", "scipy", "cv2", "streamlit"}} & set(sys.modules), end.code)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.endswith("heavy: set() 0\n")


def test_every_module_is_a_command_with_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    modules = {path.stem for path in Path(cli.__file__).parent.glob("[a-z]*.py")}
    assert {name for name, _ in COMMANDS} == modules - {"main"}
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    for name, summary in COMMANDS:
        assert any(line.split() == [name, *summary.split()] for line in told.splitlines())


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"effnet-viz {__version__}\n"


@pytest.mark.parametrize("words", [[], ["look"], ["--quick", "explain"]])
def test_wrong_usage_names_the_commands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_serve_passes_options_on_to_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--server.port", "8600", "--server.headless", "true", "--theme.base=dark"]
    passed: list[object] = []

    def serve(options: list[str], *, share: bool, metrics: bool) -> None:
        passed.append((options, share, metrics))

    monkeypatch.setattr(process, "calm_many_threads", lambda: None)  # see test_serve
    monkeypatch.setattr(start, "serve", serve)
    assert main(["serve", *options]) == 0
    assert main(["serve", "--share", *options, "--metrics"]) == 0
    assert passed == [(options, False, False), (options, True, True)]


def test_serve_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda _: None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "The app needs Streamlit: pip install 'effnet-viz[app]'\n"


def test_the_lab_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "networks"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
