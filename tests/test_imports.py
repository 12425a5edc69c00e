"""What each part of the package brings with it when it is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import effnet_viz
from effnet_viz.cli import convert
from effnet_viz.models import zoo
from effnet_viz.ui.lab import bench_networks
from tests.browser.visitor import ROOT


def imported_by(code: str) -> set[str]:
    """Names of all modules there are after this code ran in a fresh interpreter."""
    ending = "\nimport sys\nprint('\\n' + ' '.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code + ending], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(run.stdout.splitlines()[-1].split())


def test_the_package_alone_brings_neither_torch_nor_streamlit() -> None:
    found = imported_by("import effnet_viz")
    assert "effnet_viz" in found
    assert not found & {"torch", "torchvision", "timm", "numpy", "streamlit"}


def test_every_public_name_loads_and_only_those() -> None:
    for name in effnet_viz.__all__:
        assert getattr(effnet_viz, name).__name__.removeprefix("effnet_viz.") == name
    for name in ("explain", "Explanation", "cam"):
        with pytest.raises(AttributeError, match=name):
            getattr(effnet_viz, name)


def test_every_public_name_is_documented() -> None:
    for name in effnet_viz.__all__:
        assert getattr(effnet_viz, name).__doc__


def shown(page: str) -> set[str]:
    """What a server has imported when it has shown a page, its networks being converted."""
    return imported_by(
        "from streamlit.testing.v1 import AppTest\n"
        "import effnet_viz.ui.server.start\n"
        f"page = AppTest.from_file({page!r}, default_timeout=120).run()\n"
        "assert page.get('bidi_component') and not page.exception"
    )


@pytest.fixture(scope="module")
def served() -> set[str]:
    """The same of the main page."""
    assert convert.run([zoo.DEFAULT]) == 0
    return shown("app.py")


HEAVY = {"torch", "torchvision", "timm", "captum", "pytorch_grad_cam"}


def test_a_server_explains_its_first_photograph_without_torch(served: set[str]) -> None:
    assert "openvino" in served
    assert not served & HEAVY


def test_the_scaling_lab_opens_without_torch() -> None:
    assert convert.run([*bench_networks.FIRST]) == 0
    found = shown("pages/scaling_lab.py")
    assert "openvino" in found
    assert not found & HEAVY


def test_a_server_that_explains_a_photograph_trains_nothing(served: set[str]) -> None:
    assert "effnet_viz.ui.explain.explanation" in served
    training = ("effnet_viz.lab", "effnet_viz.finetuning")
    assert not {name for name in served if name.startswith(training)}


def test_the_first_picture_does_not_wait_for_statistics(served: set[str]) -> None:
    assert "scipy" in served
    assert "scipy.stats" not in served
