"""A link to what a visitor sees: who can open it, and what is not in it."""

from __future__ import annotations

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from effnet_viz.ui import words
from effnet_viz.ui.layout.sharing import names_checkpoint, shareable, without_photograph
from effnet_viz.ui.server import address
from tests.conftest import SAMPLES
from tests.ui.opening import open_app, tell

HERE = "http://localhost:8501/?image=cat&target=tiger+cat"


def in_network(monkeypatch: pytest.MonkeyPatch, found: str | None) -> None:
    monkeypatch.setattr(address, "local_network_address", lambda: found)


@pytest.mark.parametrize(
    ("link", "shared"),
    [
        (HERE, "http://192.168.1.5:8501/?image=cat&target=tiger+cat"),
        ("http://127.0.0.1:8501/compare_scaling", "http://192.168.1.5:8501/compare_scaling"),
        ("http://[::1]:8501/?pin=0.5%2C0.5", "http://192.168.1.5:8501/?pin=0.5%2C0.5"),
        ("http://localhost/app/?image=cat", "http://192.168.1.5/app/?image=cat"),
    ],
)
def test_others_open_the_address_in_the_network(
    link: str, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_network(monkeypatch, "192.168.1.5")
    for everywhere in ("0.0.0.0", "::", ""):
        assert shareable(link, everywhere) == (shared, "")


@pytest.mark.parametrize(
    "link", ["http://192.168.1.5:8501/?image=cat", "https://maps.example/app/?image=cat"]
)
def test_a_link_that_others_can_open_stays(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_network(monkeypatch, "10.0.0.7")
    assert shareable(link, "0.0.0.0") == (link, "")
    assert shareable(link, "127.0.0.1") == (link, "")  # through a proxy on this computer


@pytest.mark.parametrize("bound", ["127.0.0.1", "localhost", "::1"])
def test_of_a_server_for_this_computer_alone_it_is_said(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_network(monkeypatch, "192.168.1.5")
    assert shareable(HERE, bound) == (HERE, words.SHARE_HERE_ONLY)


def test_without_a_network_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    in_network(monkeypatch, None)
    assert shareable(HERE, "0.0.0.0") == (HERE, words.SHARE_NO_ADDRESS)


@pytest.mark.parametrize(
    ("link", "left"),
    [
        (
            "http://a.example/x?image=upload-1&target=tiger+cat&pin=0.5%2C0.5",
            "http://a.example/x?target=tiger+cat&pin=0.5%2C0.5",
        ),
        ("http://a.example/?image=upload-1", "http://a.example/"),
        ("http://a.example/?stage=3", "http://a.example/?stage=3"),
        # None of the networks and many of them are choices, too.
        (
            "http://a.example/?members=&image=upload-1&roles=a&roles=b",
            "http://a.example/?members=&roles=a&roles=b",
        ),
    ],
)
def test_without_the_photograph_a_link_says_the_rest(link: str, left: str) -> None:
    assert without_photograph(link) == left


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("model=upload-0123456789ab", True),
        ("members=upload-0123456789ab,lite0", True),
        ("members=lite0%2Cupload-0123456789ab", True),
        ("model=lite0&image=upload-1", False),
        ("", False),
    ],
)
def test_a_link_to_a_checkpoint_is_told(query: str, named: bool) -> None:
    assert names_checkpoint(f"http://localhost:8501/?{query}") == named


# What the page shows


def ask(page: AppTest, link: object) -> list[str]:
    """Asks to share; the link in the dialog, if there is one."""
    tell(page, "actions", "share", link)
    return [code.value for code in page.code]


@pytest.fixture
def shared_server(monkeypatch: pytest.MonkeyPatch) -> None:
    in_network(monkeypatch, "192.168.1.5")
    get_option = config.get_option
    monkeypatch.setattr(
        config,
        "get_option",
        lambda name: "0.0.0.0" if name == "server.address" else get_option(name),
    )


@pytest.mark.usefixtures("shared_server")
def test_the_link_and_its_code_are_shown_once() -> None:
    page = open_app()
    assert not page.get("dialog")
    assert ask(page, HERE) == ["http://192.168.1.5:8501/?image=cat&target=tiger+cat"]
    assert words.SHARE_CODE in [caption.value for caption in page.caption]
    assert page.image
    page.run()
    assert not page.code


@pytest.mark.usefixtures("shared_server")
def test_of_an_own_photograph_nothing_is_in_the_link() -> None:
    page = open_app()
    content = (SAMPLES / "espresso.jpg").read_bytes()
    page.file_uploader(key="files").upload("cup.jpg", content, "image/jpeg").run()
    assert ask(page, "http://localhost:8501/?image=upload-1&stage=5") == [
        "http://192.168.1.5:8501/?stage=5"
    ]
    assert words.SHARE_OWN in [caption.value for caption in page.caption]


@pytest.mark.usefixtures("shared_server")
def test_of_an_own_checkpoint_its_key_is_in_the_link_and_that_is_said() -> None:
    page = open_app()
    link = "http://192.168.1.5:8501/?model=upload-0123456789ab"
    assert ask(page, link) == [link]
    assert words.SHARE_CHECKPOINT in [caption.value for caption in page.caption]


def test_where_nobody_else_can_open_it_there_is_no_code() -> None:
    page = open_app()
    assert ask(page, HERE) == [HERE]
    assert [info.value for info in page.info] == [words.SHARE_HERE_ONLY]
    assert not page.image


@pytest.mark.usefixtures("shared_server")
def test_a_link_too_long_for_a_code_is_shown_without_one() -> None:
    link = "http://a.example/?x=" + "9" * 5_000
    page = open_app()
    assert ask(page, link) == [link]
    assert not page.error
    assert not page.image
    assert words.SHARE_CODE not in [caption.value for caption in page.caption]


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        [HERE],
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://localhost:99999999/",
        "http://localhost:port/",
    ],
)
def test_nonsense_is_no_link(told: object) -> None:
    page = open_app()
    assert ask(page, told) == []
    assert not page.get("dialog")
    assert not page.error


def test_a_page_that_stops_early_shows_the_link_at_once() -> None:
    """And not the page after it, which nobody has asked for a link to."""
    page = open_app(image="upload-1")  # waits for the photograph, and there is nothing else
    assert ask(page, HERE) == [HERE]
    tell(page, "strip", "kept", [])
    assert not page.code
