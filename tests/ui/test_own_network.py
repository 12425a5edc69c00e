"""A newcomer's network goes the main page's way: a ResNet-18 of timm with classes of its own."""

from __future__ import annotations

import pytest
import timm

from effnet_viz import from_module
from effnet_viz.models.variants import find
from effnet_viz.pictures.captions import UNTRAINED
from effnet_viz.ui import results, words
from tests.ui.opening import maps, open_app, part

GRIDS = ("56×56", "56×56", "28×28", "14×14", "7×7")


def test_a_network_of_ones_own_has_maps_at_each_of_its_stages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = timm.create_model("resnet18", num_classes=17)
    names = [f"thing {number}" for number in range(17)]
    own = from_module(module, key="r18", classes=names, preprocessing=find("b0").preprocessing)
    monkeypatch.setattr(results, "model", lambda _: own)
    for stage, grid in enumerate(GRIDS, start=1):
        page = open_app(stage=str(stage))
        assert not page.error
        cam, grad_cam = (maps(page)[name] for name in ("cam", "grad_cam"))
        assert "class “thing" in cam["caption"][-1]
        assert cam["caption"][-1].endswith("stage 5 (7×7)")
        assert grad_cam["caption"][-1].endswith(f", stage {stage} ({grid})")
        assert cam["stamp"] == grad_cam["stamp"] == UNTRAINED
        rows = part(page, "rows")
        assert rows["note"] == words.UNTRAINED_ANSWERS
        assert all(row["label"].startswith("thing ") for row in rows["rows"])
        stages = part(page, "deck")["stages"]
        assert (stages["chosen"], len(stages["labels"])) == (stage, len(GRIDS))
    assert part(open_app(), "deck")["stages"]["chosen"] == 4
