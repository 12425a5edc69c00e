"""The README tells the truth: its code runs and its table is the zoo's."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from effnet_viz.models import zoo
from effnet_viz.models.published import Family
from effnet_viz.models.weights import RemoteFile
from tests.conftest import SAMPLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(SAMPLES / "cat.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert names["result"].target.label == "tiger cat"  # type: ignore[attr-defined]
    several = names["several"]
    assert [n.explanation.analysis.model.name for n in several.networks] == ["lite0", "lite1"]  # type: ignore[attr-defined]
    assert [f.model for f in several.failures] == ["b0-d4"]  # type: ignore[attr-defined]
    shares = names["shares"]
    said = re.search(r"# (0\.\d+) of the evidence lies on the koala", README)
    assert said
    assert len(shares) == 20  # type: ignore[arg-type]
    assert f"{sum(shares) / 20:.2f}" == said[1]  # type: ignore[call-overload]
    assert not names["wider"].trained  # type: ignore[attr-defined]
    assert list(names["own"].structure.stages) == [1, 2, 3, 4, 5]  # type: ignore[attr-defined]


def test_the_table_is_the_zoos() -> None:
    rows = []
    for entry in zoo.MODELS.values():
        if entry.family not in (Family.LITE, Family.B):
            continue  # the page "Models" has the rest
        published = entry.published
        assert published is not None
        weights = "none"
        if isinstance(entry.weights, RemoteFile):
            weights = f"{entry.weights.megabytes:.0f} MB"
        elif entry.key == zoo.DEFAULT:
            weights += ", the default"
        rows.append(
            f"| `{entry.key}` | {entry.resolution} | "
            f"{published.parameters / 1e6:.1f} M | {published.top1:.1f} % | {weights} |"
        )
    assert "\n".join(rows) in README


def test_it_is_short_and_names_what_is_there() -> None:
    assert len(README.split()) < 1200
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
