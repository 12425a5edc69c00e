"""What the command's options lead to."""

from __future__ import annotations

import tomllib
from ipaddress import ip_address

import pytest

from effnet_viz.images.decode import MAX_BYTES
from effnet_viz.serving import settings
from effnet_viz.ui.server.start import EVERYWHERE, read_options
from tests.browser.visitor import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_streamlits_options_are_taken() -> None:
    options = ["--server.port", "8600", "--server.headless", "true", "--theme.base=dark"]
    assert read_options(options, share=False) == {
        "server.port": 8600,
        "server.headless": True,
        "theme.base": "dark",
    }


def test_streamlits_variables_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "10.0.0.7")
    assert read_options([], share=True)["server.address"] == "10.0.0.7"


@pytest.mark.parametrize("options", [["--server.prot", "8600"], ["--server.port", "x"], ["app.py"]])
def test_a_wrong_option_is_named(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        read_options(options, share=False)
    assert end.value.code == 2
    assert options[0] in capsys.readouterr().err


def test_only_this_computer_reaches_the_app_unless_it_is_shared() -> None:
    assert ip_address(CONFIG["server"]["address"]).is_loopback
    assert "server.address" not in read_options([], share=False)
    assert read_options([], share=True) == {"server.address": EVERYWHERE}


def test_a_named_address_wins() -> None:
    options = ["--server.address", "10.0.0.7"]
    for share in (True, False):
        assert read_options(options, share=share) == {"server.address": "10.0.0.7"}


def test_an_upload_may_be_larger_than_an_image_by_what_it_is_wrapped_in() -> None:
    assert CONFIG["server"]["maxUploadSize"] * 2**20 == MAX_BYTES + 2**20


def test_where_visitors_open_checkpoints_the_server_takes_files_of_that_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for megabytes, server in ((100, 101), (5, MAX_BYTES // 2**20 + 1)):
        monkeypatch.setattr(settings, "CHECKPOINT_MEGABYTES", megabytes)
        assert read_options([], share=False) == {"server.maxUploadSize": server}
    named = ["--server.maxUploadSize", "50"]
    assert read_options(named, share=False) == {"server.maxUploadSize": 50}


def test_streamlit_shows_no_errors_itself() -> None:
    assert CONFIG["client"]["showErrorDetails"] == "none"
