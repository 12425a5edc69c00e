"""A newcomer's network goes the main page's way: a ResNet-18 of timm with classes of its own."""

from __future__ import annotations

import timm
from streamlit.testing.v1 import AppTest

from effnet_viz import from_module
from effnet_viz.models.variants import find
from tests.ui.opening import panes, texts

GRIDS = ("56×56", "56×56", "28×28", "14×14", "7×7")


def test_a_network_of_ones_own_has_maps_at_each_of_its_stages() -> None:
    module = timm.create_model("resnet18", num_classes=17)
    names = [f"thing {number}" for number in range(17)]
    own = from_module(module, key="r18", classes=names, preprocessing=find("b0").preprocessing)
    for stage, grid in enumerate(GRIDS, start=1):
        page = AppTest.from_function(_page, default_timeout=60, args=(own,))
        page.query_params["stage"] = str(stage)
        assert not page.run().exception
        assert not page.error
        cam, grad_cam = ("\n".join(pane["caption"]) for pane in panes(page)[1:3])
        assert "thing" in cam
        assert f", stage {stage} ({grid})" in grad_cam
        assert "**Untrained.** r18 has random weights" in texts(page)


def _page(own):  # type: ignore[no-untyped-def]
    from effnet_viz.ui.explain.explanation import show_explanation
    from effnet_viz.ui.inputs.image_picker import choose_image

    show_explanation(own, choose_image())
