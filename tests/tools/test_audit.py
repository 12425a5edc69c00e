"""`make audit` finds what is wrong, and says when it could not look."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tools.audit import licences, packages, vulnerabilities
from tools.audit.__main__ import FINDINGS, UNKNOWN, main

PINS = "Jinja2==3.1.6\ncolorama==0.4.6 ; sys_platform == 'win32'\n"


def installed(folder: Path, *metadata: str, files: dict[str, str] | None = None) -> Distribution:
    """A package as pip leaves it, with its licence in these lines of metadata."""
    information = folder / "thing-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.4", "Name: thing", "Version: 1.0", *metadata, ""]),
        encoding="utf-8",
    )
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    record = "".join(f"{name},,\n" for name in ("thing-1.0.dist-info/METADATA", *(files or {})))
    (information / "RECORD").write_text(record, encoding="utf-8")
    return PathDistribution(information)


CODE = {"thing/__init__.py": ""}
BSD = "Classifier: License :: OSI Approved :: BSD License"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (["License-Expression: mit or apache-2.0"], "MIT OR Apache-2.0"),
        (["License: BSD-3-Clause", BSD], "BSD-3-Clause"),
        (["License: Copyright (c) somebody, all rights reserved", BSD], "BSD"),
        (["License: OSI Approved :: Apache Software License"], "Apache-2.0"),
        ([BSD, "Classifier: License :: OSI Approved :: MIT License"], "BSD AND MIT"),
        ([BSD, "Classifier: License :: Free for non-commercial use"], None),
        (["License: UNKNOWN"], None),
        ([], None),
    ],
)
def test_a_licence_comes_from_the_metadata(
    metadata: list[str], expected: str | None, tmp_path: Path
) -> None:
    assert licences.licence("thing", installed(tmp_path, *metadata, files=CODE)) == expected


def test_a_package_that_only_names_others_needs_none(tmp_path: Path) -> None:
    found = licences.licence("thing", installed(tmp_path))
    assert found == licences.EMPTY
    assert licences.objection("thing", found) is None


def test_a_text_that_was_read_once_has_to_stay_so(tmp_path: Path) -> None:
    text = {**CODE, "thing-1.0.dist-info/LICENSE": "another text"}
    assert licences.licence("resvg-py", installed(tmp_path, files=text)) is None
    real = packages.tree(packages.read(packages.TESTS))["resvg-py"]
    assert licences.licence("resvg-py", real) == "MIT"


@pytest.mark.parametrize(
    ("package", "licence", "refused"),
    [
        ("thing", "MIT", None),
        ("thing", "Apache-2.0 WITH LLVM-exception AND (MIT OR Zlib)", None),
        ("thing", "AGPL-3.0-only", "AGPL-3.0-only"),
        ("thing", "MIT OR GPL-2.0-only", "GPL-2.0-only"),
        ("thing", "LicenseRef-NVIDIA-Proprietary", "LicenseRef-NVIDIA-Proprietary"),
        ("nvidia-cufft", "LicenseRef-NVIDIA-Proprietary", None),
        ("pillow-heif", "BSD-3-Clause AND GPL-2.0-or-later", None),
        ("pillow-heif", "AGPL-3.0-only", "AGPL-3.0-only"),
        ("thing", None, "states no licence"),
    ],
)
def test_a_licence_that_is_not_on_the_list_is_refused(
    package: str, licence: str | None, refused: str | None
) -> None:
    sentence = licences.objection(package, licence)
    if refused is None:
        assert sentence is None
    else:
        assert sentence is not None
        assert sentence.startswith(package)
        assert refused in sentence


def test_the_table_is_that_of_the_metadata() -> None:
    assert licences.check() == []


def test_a_table_that_is_not_is_named_and_renewed(tmp_path: Path) -> None:
    document = tmp_path / "licences.md"
    text = licences.DOCUMENT.read_text(encoding="utf-8")
    for before, after in (
        ("| `torch` | ", "| `torch` | AGPL-3.0-only AND "),
        ("| `numpy` |", "| `nympy` |"),
        ("| `streamlit` | Apache-2.0 | app |", "| `streamlit` | Apache-2.0 | tests |"),
    ):
        assert before in text
        document.write_text(text.replace(before, after), encoding="utf-8")
        [sentence] = licences.check(document)
        assert "--write" in sentence
        licences.write(document)
        assert document.read_text(encoding="utf-8") == text


def test_rows_of_other_systems_stay(tmp_path: Path) -> None:
    document = tmp_path / "licences.md"
    text = licences.DOCUMENT.read_text(encoding="utf-8")
    other = "| `colorama` | BSD-3-Clause | app |\n"
    document.write_text(text.replace("| `click`", f"{other}| `click`"), encoding="utf-8")
    licences.write(document)
    assert other in document.read_text(encoding="utf-8")
    assert licences.check(document) == []


# Vulnerabilities

WEAK = {
    "id": "PYSEC-0000-1",
    "summary": "Something bad.",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


@contextmanager
def database(answers: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """A server that speaks OSV's protocol, its address, and which packages it was asked about."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.append(f"{name} {query['version']}")
            answer = json.dumps(answers.get(name, {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        server.shutdown()


@pytest.fixture
def constraints(tmp_path: Path) -> Path:
    file = tmp_path / "constraints.txt"
    file.write_text(PINS, encoding="utf-8")
    return file


@pytest.fixture
def nowhere() -> str:
    """An address where nobody answers."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/v1/query"


def test_a_known_vulnerability_is_named_with_what_mends_it(constraints: Path) -> None:
    with database({"jinja2": {"vulns": [WEAK]}}) as (url, asked):
        [sentence] = vulnerabilities.known(constraints, url)
    assert sentence.startswith("jinja2 3.1.6 has a known vulnerability, PYSEC-0000-1")
    assert "mended in 99.0" in sentence
    # Windows' pin too, wherever this runs.
    assert sorted(asked) == ["colorama 0.4.6", "jinja2 3.1.6"]


def test_a_database_that_does_not_answer_is_no_good_news(constraints: Path, nowhere: str) -> None:
    with pytest.raises(vulnerabilities.DatabaseError, match="refused"):
        vulnerabilities.known(constraints, nowhere)


def test_the_command_tells_good_news_bad_news_and_none(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    constraints: Path,
    nowhere: str,
) -> None:
    known = vulnerabilities.known
    monkeypatch.setattr(vulnerabilities, "known", lambda *, database: known(constraints, database))
    with database({}) as (url, _):
        assert main(["--database", url]) == 0
    assert capsys.readouterr().out.startswith("No known vulnerability")

    assert main(["--database", nowhere]) == UNKNOWN
    told = capsys.readouterr().out
    assert told.startswith("The database of vulnerabilities gave no answer (")
    assert "Traceback" not in told
    assert told.count("\n") == 1

    monkeypatch.setattr(licences, "check", lambda: ["Something is wrong."])
    assert main(["--database", nowhere]) == FINDINGS
    assert capsys.readouterr().out.startswith("Something is wrong.\n")
