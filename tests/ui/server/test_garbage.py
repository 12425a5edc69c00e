"""When garbage is collected."""

from __future__ import annotations

import tomllib

from effnet_viz.ui.server import garbage
from tests.browser.visitor import ROOT


def test_garbage_is_collected_when_it_is_quiet_and_not_put_off_for_ever() -> None:
    busy, quiet = 2 * garbage.QUIET, 0.0
    worth, nothing = 2 * garbage.WORTH_COLLECTING, 0.0
    assert garbage.is_time_to_collect(quiet, worth, 1.0)
    assert not garbage.is_time_to_collect(quiet, nothing, 1000.0)
    assert not garbage.is_time_to_collect(busy, worth, 1.0)
    assert garbage.is_time_to_collect(busy, worth, garbage.LONGEST_WITHOUT)


def test_streamlit_does_not_collect_after_every_run() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["runner"]["postScriptGC"] is False
