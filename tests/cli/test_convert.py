"""`effnet-viz convert`: what is asked for is loaded, which converts it, and waited for."""

from __future__ import annotations

import pytest

from effnet_viz import WeightsError
from effnet_viz.cli.main import main
from effnet_viz.engines import conversions
from effnet_viz.lab import demo
from effnet_viz.models import model


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been loaded and waited for, in its order."""
    found: list[str] = []

    def load(key: str) -> None:
        if key == "b0":
            raise WeightsError("There is no way to its weights. Choose another.")
        found.append(key)

    monkeypatch.setattr(model, "load", load)
    monkeypatch.setattr(demo, "models", lambda: found.append("lab"))
    monkeypatch.setattr(conversions, "wait", lambda: found.append("waited"))
    return found


def test_the_default_model_and_the_lab(done: list[str]) -> None:
    assert main(["convert"]) == 0
    assert done == ["lite0", "waited", "lab", "waited"]


def test_what_cannot_be_had_is_said_and_the_others_go_on(
    done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "b0", "lite1", "lite1"]) == 1
    assert done == ["lite1", "waited"]
    assert "b0: There is no way to its weights. Choose another.\n" in capsys.readouterr().err


def test_an_unknown_model_is_said_before_anything_is_done(
    done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "lite0", "b99"]) == 2
    assert done == []
    assert "b99" in capsys.readouterr().err
