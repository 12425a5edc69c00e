"""Puts into a wheel what lies beside the package in a checkout; effnet_viz/assets.py finds it."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = (
    "app.py",
    "pages/*.py",
    ".streamlit/config.toml",
    "assets/CREDITS.md",
    "assets/icon.png",
    "assets/imagenet-classes*.txt",
    "assets/samples/*",
    "assets/lab/*.*",
    "assets/lab/licences/*",
    "assets/lab/runs/*",
    "assets/objects/*",
    "assets/scenes/*",
    "assets/objects-study/*",
)


def shipped() -> list[str]:
    """Every such file. A pattern without one is an error: the wheel would lack something."""
    files = [sorted(Path().glob(pattern)) for pattern in SHIPPED]
    if [] in files:
        raise FileNotFoundError(f"There is no {SHIPPED[files.index([])]}.")
    return [str(file) for found in files for file in found]


class BuildWithData(build_py):
    """The usual build, and the data."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the checkout is used as it stands
            return
        folder = Path(self.build_lib, "effnet_viz", "shipped")
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier build has left
        for file in shipped():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / file)

    def get_source_files(self) -> list[str]:
        """For a source distribution."""
        return [*super().get_source_files(), *shipped()]


setup(cmdclass={"build_py": BuildWithData})
