"""What the viewer draws, pixel by pixel, on the page, in a saved file, and without Streamlit."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from effnet_viz import analyse
from effnet_viz.arrays import (
    Placement,
    blocks,
    positive_evidence,
    positive_range,
    resample,
    signed_range,
)
from effnet_viz.pictures import render
from effnet_viz.ui import front_end, results, viewer
from effnet_viz.ui.upload import Upload
from tests.browser.visitor import (
    explained,
    pane_of,
)
from tests.choices import one_of_many
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser

PALACE = "?image=palace&view=photograph"
"""A photograph that is shown in its own size, 640 pixels wide."""


METHODS = ("CAM", "Grad-CAM")


def saved(page: Page, place: int) -> NDArray[np.uint8]:
    """The picture that the button under a map saves, (H, W, 3)."""
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save {METHODS[place]}", exact=True).click()
    return np.asarray(Image.open(download.value.path()).convert("RGB"))


def shown_picture(name: str) -> NDArray[np.uint8]:
    """The photograph as the browser gets it, (H, W, 3)."""
    content = (SAMPLES / f"{name}.jpg").read_bytes()
    source = results.sent_photograph(Upload(f"test {name}", "", "", content)).source
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))


def off(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference of two pictures in levels of 255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


LOOKS = {
    "": {},
    "&opacity=100": {"opacity": 1.0},
    "&evidence=signed&signed_colours=PuOr_r": {"signed": True, "colour_map": "PuOr_r"},
    "&colours=jet&scale=shared": {"colour_map": "jet", "shared": True},
    "&evidence=signed&scale=fixed&fixed=8": {"signed": True, "limits": (-8, 8)},
}


@pytest.mark.parametrize("query", one_of_many(LOOKS, ["&evidence=signed&scale=fixed&fixed=8"]))
def test_pixels_are_those_of_render(page: Page, address: str, query: str) -> None:
    look: dict[str, Any] = LOOKS[query]
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    attributions = [result.attribute("cam"), result.attribute("grad-cam", 8)]
    maps = [attribution.values for attribution in attributions]
    picture = shown_picture("palace")
    height, width = picture.shape[:2]
    signed = look.get("signed", False)
    page.goto(address + PALACE + query)
    explained(page, "palace")
    for place, (attribution, values) in enumerate(zip(attributions, maps, strict=True)):
        range_of = signed_range if signed else positive_range
        limits = look.get("limits") or range_of(*(maps if "shared" in look else [values]))
        expected = render.overlay(
            picture,
            values if signed else positive_evidence(values),
            attribution.placement,
            result.crop.box_in(width, height),
            limits,
            look.get("colour_map", "RdBu_r" if signed else "magma"),
            look.get("opacity", 0.55),
        )
        assert off(saved(page, place)[:height], expected) < 2


def test_the_pixel_comparison_can_fail(page: Page, address: str) -> None:
    page.goto(address + PALACE)
    explained(page, "palace")
    picture = shown_picture("palace")
    assert off(saved(page, 0)[: len(picture)], picture) > 10


def test_what_is_on_the_screen_is_what_is_saved(page: Page, address: str) -> None:
    page.goto(address + "?image=palace")
    explained(page, "palace")
    screen = Image.open(io.BytesIO(pane_of(page, "CAM").screenshot())).convert("RGB")
    picture = saved(page, 0)[:640, :640]  # a square of 427 pixels, enlarged
    one, other = (np.asarray(i.resize((32, 32))) for i in (screen, Image.fromarray(picture)))
    assert off(one[1:31, 1:31], other[1:31, 1:31]) < 2  # without the round corners


def test_the_true_grid_has_one_colour_per_cell(page: Page, address: str) -> None:
    page.goto(address + "?image=palace&cells=blocks&opacity=100")
    explained(page, "palace")
    result = analyse(SAMPLES / "palace.jpg", loaded("lite0"))
    positive = positive_evidence(result.cam)
    colours = render.apply_colormap(positive, positive_range(positive), "magma")  # (7, 7, 3)
    picture = saved(page, 0)[:640, :640]
    edges = result.attribute("cam").placement.edges(7)
    middles = (640 * (edges[:-1] + edges[1:]) / 2).astype(int)
    assert off(picture[np.ix_(middles, middles)], colours) < 1


FRONT_END = Path(front_end.__file__).parent
STREAMLIT_WORDS = re.compile(
    "streamlit|setTriggerValue|adoptedStyleSheets|effnetViz|--st-|st-key|stMain",
    re.IGNORECASE,
)


def test_only_the_adapter_knows_streamlit() -> None:
    files = [file for file in FRONT_END.iterdir() if file.suffix in (".js", ".css")]
    knowing = {file.name for file in files if STREAMLIT_WORDS.search(file.read_text("utf-8"))}
    assert knowing == {"streamlit.js", "part.js"}


PLAIN_PAGE = """
<!doctype html><meta charset="utf-8">
<style>:root { --control: 32px; --s1: 4px; }</style>
<div id="deck" style="width: 300px"></div>
<script type="module">
%s
document.head.append(element("style", {}, STYLE));
globalThis.heard = [];
const deck = new Deck(document.getElementById("deck"), (...what) => heard.push(what));
const data = %s;
takeLuts(data.luts);
takePhotograph(data.photograph);
deck.update(data.deck);
deck.fill("cells", data.map);
</script>
"""


def test_without_the_adapter_it_draws_in_a_plain_page(page: Page) -> None:
    """Two cells over a square photograph, with no server and no Streamlit."""
    values = np.array([[0.25, 3.0]], np.float32)
    png = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(png, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    photograph = {"id": "white", "original": [64, 64], "width": 64, "height": 64}
    grid = {"values": base64.b64encode(values.tobytes()).decode(), "rows": 1, "columns": 2}
    data = {
        "photograph": photograph | {"source": source},
        "luts": viewer._luts(),
        "deck": {
            "steps": [], "layout": "row", "scale": "own", "slots": [{"name": "cells"}], "asks": [],
            "presented": {"headline": "", "rows": [], "keys": ""}, "stages": None, "keep": "hide",
            "boxes": True, "covered": None, "movable": False, "answered": 0,
        },
        "map": {
            "photograph": photograph, "box": [0, 0, 1, 1], "description": "A map", "stamp": "",
            "caption": ["Two cells"], "objects": [], "file": "cells.png", "lead": "Two cells",
            "text": "", "side": "", "hint": "", "tag": "", "why": "", "scale": True,
            "answer": None, "picture": "", "boxed": True, "live": None, "answered": 0,
            "before": None,
            "map": grid | {"kind": "evidence", "common": None, "start": 7.5 / 32, "step": 16 / 32},
            "field": vars(viewer.ReceptiveField(9, 16, 7.5, 32)),
        },
    }  # fmt: skip
    code = front_end._code().removesuffix((FRONT_END / "streamlit.js").read_text("utf-8"))
    assert "parentElement }" not in code
    body = PLAIN_PAGE % (code, json.dumps(data))
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto("http://plain.test/")
    stage = page.locator(".stage")
    expect(stage.locator("img.photograph")).to_be_visible()
    expect(page.locator("figcaption .scale")).to_have_text("03")
    stage.hover(position={"x": 225, "y": 100})
    # Its field is centred at 23.5 of 32 pixels, 9 wide; in height 7.5 - 4.5 to 7.5 + 4.5.
    said = "Stronger than 50 % of this map · 3, row 1, column 2 · looks at 9×9 px of 32×32"
    expect(page.locator("figcaption .grow")).to_have_text(said)
    stage.click(position={"x": 75, "y": 150})
    expect(page).to_have_url("http://plain.test/?pin=0.250%2C0.500")
    page.get_by_role("button", name="Cover", exact=True).click()
    stage.drag_to(stage, source_position={"x": 75, "y": 75}, target_position={"x": 225, "y": 150})
    page.wait_for_function("() => heard.some(([name, value]) => name === 'box' && value[4])")
    name, told = page.evaluate("heard").pop()
    assert name == "box"
    assert np.allclose(told[:4], [0.25, 0.25, 0.75, 0.5], atol=0.01)


ENLARGED = """
([values, grid, width, height]) => { const { columns } = grid; return {
  smooth: [...enlargeSmoothly(values, grid, width, height)],
  cells: [...enlargeCells(values, grid, width, height)],
  boxes: values.map((_, i) => cellBox({ row: i / columns | 0, column: i % columns }, grid)),
  at: Array.from({ length: width * height }, (_, i) => {
    const point = { x: (i % width + 0.5) / width, y: ((i / width | 0) + 0.5) / height };
    const { row, column } = cellAt(point, [0, 0, 1, 1], grid);
    return row * columns + column;
  }),
  steps: Array.from({ length: columns }, (_, i) => cellBeside(grid.start, 0, 1, columns, grid, i)),
}; }
"""


@pytest.mark.parametrize(
    ("side", "placement"),
    [
        (7, Placement(0.5 / 224, 32 / 224)),
        (7, Placement(31.5 / 224, 32 / 224)),
        (9, Placement(3.5 / 260, 32 / 260)),
        (5, Placement.even(5)),
        (1, Placement.even(1)),
    ],
)
def test_cells_lie_where_python_puts_them(page: Page, side: int, placement: Placement) -> None:
    """Smooth and as blocks; pointed at and stepped to; and the outline of a cell."""
    values = np.random.default_rng(side).normal(size=(side, side)).astype(np.float32)
    files = [(FRONT_END / f"{name}.js").read_text("utf-8") for name in ("maps", "geometry")]
    grid = {"rows": side, "columns": side, **vars(placement)}
    page.add_script_tag(content="\n".join(files))
    found = page.evaluate(ENLARGED, [values.ravel().tolist(), grid, 91, 61])
    smooth = resample(values, placement, 91, 61)
    np.testing.assert_allclose(np.reshape(found["smooth"], (61, 91)), smooth, atol=1e-5)
    placed = blocks(values, placement, 91, 61)
    np.testing.assert_array_equal(np.array(found["cells"], np.float32).reshape(61, 91), placed)
    numbers = np.arange(side * side, dtype=np.float32).reshape(side, side)
    np.testing.assert_array_equal(
        np.reshape(found["at"], (61, 91)), blocks(numbers, placement, 91, 61)
    )
    edges = placement.edges(side)
    expected = [
        [edges[column], edges[row], edges[column + 1], edges[row + 1]]
        for row in range(side)
        for column in range(side)
    ]
    np.testing.assert_allclose(found["boxes"], expected)
    np.testing.assert_allclose(found["steps"], placement.centres(side))
