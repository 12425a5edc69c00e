"""What the documents say of the code is so: links, settings, limits, licences."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from streamlit import config

from effnet_viz.cli import serve
from effnet_viz.images import decode, guarded
from effnet_viz.models import zoo
from effnet_viz.models.weights import PackageFile, RemoteFile
from effnet_viz.serving import settings
from effnet_viz.ui.inputs import image_picker
from effnet_viz.ui.server import uploads

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for folder in (".", "docs", "assets", "assets/lab")
    for path in (ROOT / folder).glob("*.md")
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


SECURITY = text_of("SECURITY.md")
LICENCES = text_of("docs/licences.md")


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the only table below a heading, without its head."""
    section = document.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)]+)\)", text):
        file, _, heading = target.partition("#")
        path = document.parent / file if file else document
        assert path.exists(), target
        if heading:
            names = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names]
            assert heading in anchors, target


def test_the_documents_about_safety_are_found() -> None:
    assert {"README.md", "SECURITY.md", "operations.md", "licences.md"} <= {
        path.name for path in DOCUMENTS
    }
    assert "(SECURITY.md)" in text_of("README.md")
    assert "(../SECURITY.md)" in text_of("docs/operations.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    """A setting is read in settings.py by its name without EFFNET_VIZ_, folders elsewhere."""
    files = ("serving/settings.py", "models/weights.py", "engines/conversions.py")
    code = "".join(text_of(f"effnet_viz/{file}") for file in files)
    named = re.findall(r"EFFNET_VIZ_([A-Z_]+)", document.read_text(encoding="utf-8"))
    missing = [n for n in named if f'"{n}"' not in code and f'"EFFNET_VIZ_{n}"' not in code]
    assert missing == []


def test_every_option_of_streamlit_that_is_named_exists() -> None:
    named = set(re.findall(r"\b((?:server|browser|client|runner)\.[a-z]\w+)", SECURITY))
    assert {"server.enableCORS", "server.allowedHosts"} <= named
    for option in named:
        config.get_option(option)  # raises for one that it does not know


def test_every_option_of_ours_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        serve.run(["--help"])
    told = capsys.readouterr().out
    for option in ("--share", "--metrics", "--server.address"):
        assert option in SECURITY
        assert option in told


def test_the_limits_are_the_codes() -> None:
    start, later = guarded.limits(0), guarded.limits(10**6)
    limits = {
        "MAX_BYTES": f"{decode.MAX_BYTES // 2**20} MB",
        "MAX_PIXELS": f"{decode.MAX_PIXELS // 10**6} megapixels",
        "limits": [
            f"{start.processor:g} s of processor time + {later.processor - start.processor:.1f} s "
            "a megapixel",
            f"{start.nbytes // 10**6} MB + {(later.nbytes - start.nbytes) // 10**6} bytes a pixel",
        ],
        "MOST_UPLOADS": str(image_picker.MOST_UPLOADS),
        "EFFNET_VIZ_UPLOAD_MEGABYTES": f"{settings.UPLOAD_BYTES // 2**20} MB",
        "EFFNET_VIZ_MODEL_MEGABYTES": f"{settings.MODEL_BYTES // 2**20} MB",
        "EFFNET_VIZ_RESULT_MEGABYTES": f"{settings.RESULT_BYTES // 2**20} MB",
        "EFFNET_VIZ_CHECKPOINT_UPLOADS": f"{settings.CHECKPOINT_MEGABYTES} MB",
        "CHECKPOINTS_HELD": f"{settings.CHECKPOINTS_HELD} of the largest",
        "LARGE_AT_ONCE": str(uploads.LARGE_AT_ONCE),
        "LONGEST": f"{uploads.LONGEST / 60:.0f} minutes",
        "EFFNET_VIZ_CONCURRENT": str(settings.CONCURRENT),
    }
    table = rows(SECURITY, "Limits")
    for _, limit, place in table:
        file, name = re.fullmatch(r"`(.+)`: `(.+)`", place).groups()  # type: ignore[union-attr]
        assert name.removeprefix("EFFNET_VIZ_") in text_of(f"effnet_viz/{file}")
        assert limit in limits[name]
    assert len(table) == len(limits) + 1


def test_what_is_kept_goes_when_it_says() -> None:
    kept = tomllib.loads(text_of(".streamlit/config.toml"))["server"]["disconnectedSessionTTL"]
    assert f"`server.disconnectedSessionTTL` ({kept} s)" in SECURITY


def test_proxies_let_an_image_through() -> None:
    """A megabyte more than the file, for what an upload is wrapped in."""
    megabytes = decode.MAX_BYTES // 2**20 + 1
    assert re.findall(r"client_max_body_size (\w+);", SECURITY) == [f"{megabytes}m"]
    assert re.findall(r"max_size (\w+)", SECURITY) == [f"{megabytes}MiB"]


def test_nobody_is_told_of_visitors() -> None:
    settings_of_streamlit = tomllib.loads(text_of(".streamlit/config.toml"))
    assert settings_of_streamlit["browser"]["gatherUsageStats"] is False
    hosts = {
        urlsplit(entry.weights.url).netloc
        for entry in zoo.MODELS.values()
        if isinstance(entry.weights, RemoteFile)
    }
    assert len(hosts) == 2
    for host in hosts:
        assert f"`{host}`" in SECURITY
        assert f"`{host}`" in LICENCES


def test_all_weights_have_their_licence() -> None:
    told = " ".join(cell for row in rows(LICENCES, "Weights from elsewhere") for cell in row)
    packages = [
        entry.weights.distribution
        for entry in zoo.MODELS.values()
        if isinstance(entry.weights, PackageFile)
    ]
    assert packages
    assert all(f"`{package}`" in told for package in packages)


def test_everything_in_the_wheel_has_one_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        (re.findall(r"`(.+?)`", files), licence)
        for files, _, licence in rows(LICENCES, "In the wheel")
    ]
    tracked = subprocess.run(
        ["git", "ls-files", "effnet_viz"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    specification = importlib.util.spec_from_file_location("setup", ROOT / "setup.py")
    assert specification
    assert specification.loader
    setup = importlib.util.module_from_spec(specification)
    monkeypatch.setattr("setuptools.setup", lambda **_: None)
    monkeypatch.chdir(ROOT)
    specification.loader.exec_module(setup)
    for file in tracked + setup.shipped():
        found = [patterns for patterns, _ in listed if any(fnmatch(file, p) for p in patterns)]
        assert len(found) == 1, file
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    named = {part for _, licence in listed for part in licence.split(" AND ")}
    assert named == set(project["license"].split(" AND "))
