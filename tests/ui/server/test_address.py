"""What is told of where the app can be opened."""

from __future__ import annotations

import pytest
from streamlit import config, net_util

from effnet_viz.ui.server import address
from effnet_viz.ui.server.start import EVERYWHERE


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that the server has found free."""
    get_option = config.get_option
    monkeypatch.setattr(
        config, "get_option", lambda name: 8600 if name.endswith("Port") else get_option(name)
    )


def in_network(monkeypatch: pytest.MonkeyPatch, found: str | None) -> None:
    monkeypatch.setattr(net_util, "get_internal_ip", lambda: found)


@pytest.mark.parametrize("bound", ["127.0.0.1", "localhost", "::1"])
def test_for_this_computer_alone_it_says_how_to_share(bound: str) -> None:
    told = address.announcement(bound)
    assert "http://localhost:8600\n" in told
    assert "make app SHARE=1" in told
    assert "effnet-viz serve --share" in told


@pytest.mark.parametrize("bound", [EVERYWHERE, "::"])
def test_a_class_is_told_the_address_in_its_network(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_network(monkeypatch, "192.168.1.5")
    told = address.announcement(bound)
    assert "http://localhost:8600\n" in told
    assert "A class opens http://192.168.1.5:8600\n" in told
    assert "SHARE" not in told


@pytest.mark.parametrize("found", [None, "127.0.0.1"])
def test_without_a_network_it_says_where_to_look(
    found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_network(monkeypatch, found)
    told = address.announcement(EVERYWHERE)
    assert "look into its network settings" in told
    assert "A class opens" not in told


def test_a_named_address_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    in_network(monkeypatch, "192.168.1.5")
    assert address.announcement("10.0.0.7").split() == [
        "effnet-viz", "is", "ready", "at", "http://10.0.0.7:8600",
    ]  # fmt: skip
