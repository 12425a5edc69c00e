"""What is installed is whole: the wheel alone explains a photograph and serves the app."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from playwright.sync_api import Page, expect

from effnet_viz import __version__
from tests.browser.visitor import ROOT, explained, go_to, serving

BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "app.py")
BUILT_FROM_FOLDERS = ("effnet_viz", "pages", "assets", ".streamlit")
OF_THE_README = {"assets/screenshot.png", "assets/comparison.webp"}
"""Pictures that the app does not need."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a source distribution of a copy: the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("build")
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, folder)
    for name in BUILT_FROM_FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    build = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", folder],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert build.returncode == 0, build.stdout
    [path] = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, which only borrows the packages it depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet",
         "--disable-pip-version-check", "--ignore-installed", "--no-deps", "--no-index", wheel],
        check=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory from which the checkout cannot be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_wheel_holds_everything_that_the_checkout_has(wheel: Path) -> None:
    files = subprocess.run(
        ["git", "ls-files", "effnet_viz", *BUILT_FROM_FOLDERS, "app.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert len(files) > 150
    expected = {
        name if name.startswith("effnet_viz/") else f"effnet_viz/shipped/{name}"
        for name in set(files) - OF_THE_README
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = {n.partition("licenses/")[2] for n in archive.namelist() if "licenses/" in n}
    assert held == expected
    assert {
        "LICENSE", "assets/CREDITS.md", "assets/lab/licences/MIT-fluent-emoji.txt",
        "assets/objects/GPL-2.txt",
    } <= licences  # fmt: skip


def test_the_installed_package_explains_a_sample(installed: Path, elsewhere: Path) -> None:
    where = "import effnet_viz; from effnet_viz.assets import SAMPLES; print(effnet_viz.__file__)"
    package, samples = output(
        installed / "bin" / "python", "-c", f"{where}; print(SAMPLES)"
    ).splitlines()
    assert Path(package).is_relative_to(installed)
    assert Path(samples).is_relative_to(installed)

    told = output(
        installed / "bin" / "effnet-viz", "explain", Path(samples, "espresso.jpg"), "--stage", "4"
    )
    assert "The maps explain: espresso" in told
    assert {path.name for path in elsewhere.iterdir()} == {
        "espresso-cam.png", "espresso-grad-cam-stage-4.png", "espresso.json", "espresso.npz",
    }  # fmt: skip
    numbers = json.loads((elsewhere / "espresso.json").read_text(encoding="utf-8"))
    assert numbers["predictions"][0]["label"] == "espresso"
    assert numbers["provenance"]["versions"]["effnet-viz"] == __version__
    assert sum(p["probability"] for p in numbers["predictions"]) == pytest.approx(1)


@pytest.mark.usefixtures("elsewhere")
def test_the_installed_package_has_the_trained_lab(installed: Path) -> None:
    code = """
from effnet_viz.lab import results, runs, sprites
print(all(runs.path_of(run).is_file() for run in runs.runs()), results.load().scenes > 0)
print(len(sprites.of_vendors("Google").targets))
"""
    assert output(installed / "bin" / "python", "-c", code).split() == ["True", "True", "24"]


@pytest.mark.browser
def test_the_installed_app_is_served_from_any_folder(
    installed: Path, elsewhere: Path, page: Page
) -> None:
    command = str(installed / "bin" / "effnet-viz")
    program = f"""
import os, sys
os.chdir({str(elsewhere)!r})
os.execv({command!r}, [{command!r}, "serve", *sys.argv[1:]])
"""
    with serving(elsewhere, ["-c", program]) as url:
        page.goto(url)
        explained(page, "tiger cat")
        go_to(page, "Scaling lab")
        expect(page.get_by_text("Drag it, and watch where they look.")).to_be_visible()


def test_the_installed_app_has_its_own_settings(installed: Path, elsewhere: Path) -> None:
    """Those beside the main page, although another folder has some too."""
    (elsewhere / ".streamlit").mkdir()
    (elsewhere / ".streamlit" / "config.toml").write_text("[server]\nmaxUploadSize = 7\n")
    code = """
from streamlit import config
from streamlit.web.server.starlette.starlette_server import UvicornRunner
from effnet_viz.cli.main import main
from effnet_viz.ui.server import process
names = "server.maxUploadSize", "theme.light.primaryColor", "client.showSidebarNavigation"
UvicornRunner.run = lambda self: print(self._app.script_path, *map(config.get_option, names))
process.prepare = lambda: None
main(["serve"])
"""
    script, *options = output(installed / "bin" / "python", "-c", code).split()
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert Path(script).is_relative_to(installed)
    assert (Path(script).parent / "pages" / "models.py").is_file()
    allowed = settings["server"]["maxUploadSize"]
    assert options == [str(allowed), settings["theme"]["light"]["primaryColor"], "False"]
    assert allowed != 7


def requirements(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def pinned(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return requirements([line for line in lines if line and line[0] not in "#-"])


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_the_pinned_set_is_the_declared_one(file: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    if file == "requirements.txt":
        declared = requirements(project["dependencies"] + extras["app"])
    else:
        declared = requirements(extras["dev"])
        own = declared.pop("effnet-viz")
        assert own.extras == {"app"}
        assert "-r requirements.txt" in (ROOT / file).read_text(encoding="utf-8").splitlines()
    pins = pinned(file)
    assert pins.keys() == declared.keys()
    for name, requirement in declared.items():
        [pin] = pins[name].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), f"{pins[name]} is not {requirement}"
        assert {bound.operator for bound in requirement.specifier} == {">="}
