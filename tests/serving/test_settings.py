"""Settings of the server, from the environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from effnet_viz.serving import settings
from tests.browser.visitor import ROOT


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings._setting("NO_SUCH_THING", 7) == 7
    monkeypatch.setenv("EFFNET_VIZ_SIZE", "2.5")
    assert settings._setting("SIZE", 7) == 2.5
    for wrong in ("many", "-1", "0", "nan", "inf"):
        monkeypatch.setenv("EFFNET_VIZ_SIZE", wrong)
        with pytest.raises(ValueError, match="EFFNET_VIZ_SIZE"):
            settings._setting("SIZE", 7)


def test_a_part_of_a_slot_is_a_slot() -> None:
    code = "from effnet_viz.serving import settings; print(settings.CONCURRENT)"
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"EFFNET_VIZ_CONCURRENT": "0.5"},
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert run.stdout.strip() == "1"
