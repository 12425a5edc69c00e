"""The running app in a real Chromium, used as a visitor uses it."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from effnet_viz import analyse
from effnet_viz.ui.server.process import torch_threads
from tests.browser.visitor import PATIENCE, PHONE, WIDE, choose, explained, serving
from tests.choices import one_of_many
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser


def test_first_visit(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    expect(page.get_by_role("group", name="Stages of the network").locator("button")).to_have_count(
        9
    )
    expect(page.get_by_role("group", name="Channels of stage 6").locator("button")).to_have_count(
        24
    )


def test_a_real_file_through_the_file_chooser(page: Page, address: str, tmp_path: Path) -> None:
    """A phone's portrait photograph: stored sideways, with the EXIF tag that turns it."""
    upright = Image.open(SAMPLES / "espresso.jpg").resize((1500, 1000)).crop((250, 0, 1250, 1000))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "IMG_0042.jpg"
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=90)
    expected = analyse(path, loaded("lite0")).predictions[0]

    page.goto(address)
    explained(page, "tiger cat")
    with page.expect_file_chooser() as chooser:
        page.locator("[data-testid=stFileUploaderDropzone] button").click()
    chooser.value.set_files(path)
    explained(page, "espresso")
    assert expected.label == "espresso"
    expect(page.get_by_text(f"probability {expected.probability:.1%}")).to_be_visible()
    expect(page.get_by_text("IMG_0042.jpg, 1000×1000 px")).to_be_visible()


def test_a_deep_link_in_a_fresh_browser(page: Page, address: str) -> None:
    page.goto(address + "?image=cat-and-espresso&model=lite1&target=espresso&stage=5&scale=shared")
    explained(page, "espresso")
    expect(page.get_by_text("EfficientNet-Lite1 at 240 px").first).to_be_visible()
    expect(page.get_by_text("Grad-CAM, class “espresso”, stage 5 (15×15), shared")).to_be_visible()
    page.reload()
    explained(page, "espresso")
    expect(page.get_by_text("EfficientNet-Lite1 at 240 px").first).to_be_visible()


def test_gallery_stage_and_channel(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    choose(page, "Images to explain", "palace")
    explained(page, "palace")
    choose(page, "Stages of the network", "8")
    expect(page.get_by_text("Grad-CAM, class “palace”, stage 8 (7×7)")).to_be_visible()
    expect(page.get_by_text("Channels of stage 8")).to_be_visible()
    page.get_by_role("group", name="Channels of stage 8").locator("button").nth(3).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator('.stage[aria-label^="Channel"] canvas.heat')).to_be_visible()
    expect(dialog.get_by_text("the score (logit)")).to_be_visible()
    box = dialog.bounding_box()
    assert box is not None
    assert box["height"] <= WIDE["height"]
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert "image=palace" in page.url
    assert "stage=8" in page.url


def test_a_bar_chooses_the_class_and_the_map_follows(page: Page, address: str) -> None:
    page.goto(address + "?image=cat-and-espresso&stage=9")
    explained(page, "Egyptian cat")
    bars = page.locator(".js-plotly-plot .trace.bars").first.locator("path")
    for click in ("espresso", "cup", "espresso"):  # also back to one chosen before
        labels = [
            p.label for p in analyse(SAMPLES / "cat-and-espresso.jpg", loaded("lite0")).predictions
        ]
        box = bars.nth(labels.index(click)).bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
        explained(page, click)
    assert "target=espresso" in page.url


def test_back_and_forward(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    choose(page, "Images to explain", "espresso")
    explained(page, "espresso")
    page.go_back()
    explained(page, "tiger cat")
    page.go_forward()
    explained(page, "espresso")


def test_choices_survive_another_page(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.locator("input[type=file]").set_input_files(SAMPLES / "palace.jpg")
    explained(page, "palace")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_text("EfficientNet-Lite comes with the installation")).to_be_visible()
    page.get_by_role("link", name="Explain an image").click()
    explained(page, "palace")
    expect(page.get_by_text("palace.jpg, 640×427 px")).to_be_visible()


def test_two_visitors_see_their_own_pictures(chromium: Browser, page: Page, address: str) -> None:
    stranger = chromium.new_context()
    try:
        other = stranger.new_page()
        other.set_default_timeout(PATIENCE)
        other.goto(address)
        page.goto(address)
        for tab, name, label in ((page, "palace", "palace"), (other, "espresso", "espresso")):
            explained(tab, "tiger cat")
            tab.locator("input[type=file]").set_input_files(SAMPLES / f"{name}.jpg")
            explained(tab, label)
        explained(page, "palace")
        assert "espresso.jpg" not in page.content()
        assert "palace.jpg" not in other.content()
    finally:
        stranger.close()


def test_bad_files_are_named_and_harmless(page: Page, address: str, tmp_path: Path) -> None:
    evil = tmp_path / "<img src=x onerror=alert(1)>.png"
    Image.open(SAMPLES / "palace.jpg").save(evil)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((SAMPLES / "cat.jpg").read_bytes()[:5000])
    page.goto(address)
    explained(page, "tiger cat")
    page.locator("input[type=file]").set_input_files([evil, broken])
    explained(page, "palace")
    expect(page.get_by_text("broken.jpg: ")).to_be_visible()
    assert page.locator('img[src="x"]').count() == 0


def test_no_network_is_explained_and_untrained_is_labelled(page: Page, address: str) -> None:
    page.goto(address + "?model=b0")
    expect(page.get_by_text("EfficientNet-B0 cannot be used yet")).to_be_visible()
    expect(page.get_by_text("efficientnet_b0_rwightman-7f5810bc.pth").first).to_be_visible()
    page.get_by_role("button", name="Run EfficientNet-B0 untrained").click()
    expect(page.get_by_text("has random weights here")).to_be_visible()
    expect(page.get_by_text("weights: untrained (random, seed 0)").first).to_be_visible()
    page.get_by_text("Untrained", exact=True).click()
    expect(page.get_by_text("EfficientNet-B0 cannot be used yet")).to_be_visible()
    page.get_by_role("button", name="Use EfficientNet-Lite0").click()
    explained(page, "tiger cat")


@pytest.fixture
def threads_of_the_server() -> Iterator[None]:
    """With as many as there, gradients are rounded as there."""
    own = torch.get_num_threads()
    torch.set_num_threads(torch_threads())
    yield
    torch.set_num_threads(own)


@pytest.mark.usefixtures("threads_of_the_server")
def test_downloads(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    result = analyse(SAMPLES / "cat.jpg", loaded("lite0"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").first.click()
    picture = Image.open(download.value.path())
    assert picture.format == "PNG"
    assert download.value.suggested_filename == "cam-stage-9-lite0.png"
    page.get_by_role("button", name="Save the numbers").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="For NumPy (NPZ)").click()
    with np.load(io.BytesIO(Path(download.value.path()).read_bytes()), allow_pickle=False) as saved:
        assert np.array_equal(saved["cam"], result.cam)
        assert np.array_equal(saved["map"], result.grad_cam(6))
        numbers = json.loads(str(saved["numbers"]))
    assert numbers["provenance"]["weights"] == "efficientnet-lite0-57934424.pth"
    assert numbers["stage"] == 6
    with page.expect_download() as download:
        page.get_by_role("button", name="For everything else (JSON)").click()
    content = json.loads(Path(download.value.path()).read_text())
    assert content["predictions"][0]["label"] == "tiger cat"


@pytest.mark.parametrize("scheme", one_of_many(["light", "dark"], ["light"]))
def test_a_phone_scrolls_in_one_direction(chromium: Browser, address: str, scheme: str) -> None:
    context = chromium.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(address)
        explained(page, "tiger cat")
        overflow = page.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth - main.clientWidth; }"
        )
        assert overflow == 0
        choose(page, "Images to explain", "espresso")
        explained(page, "espresso")
    finally:
        context.close()


class SlowServer(BaseHTTPRequestHandler):
    """Offers one weight file, a piece at a time, waiting for `go` in the middle."""

    content = b""
    go = threading.Event()

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        half = len(self.content) // 2
        self.wfile.write(self.content[:half])
        self.go.wait(60)
        self.wfile.write(self.content[half:])

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def test_a_download_shows_its_progress_and_then_the_result(page: Page, tmp_path: Path) -> None:
    """A server on this machine stands in for torchvision's, with B0's architecture untrained."""
    saved = io.BytesIO()
    torch.save(torchvision.models.efficientnet_b0(weights=None).state_dict(), saved)
    SlowServer.content = saved.getvalue()
    name = f"b0-{hashlib.sha256(SlowServer.content).hexdigest()[:8]}.pth"
    files = ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{files.server_address[1]}/{name}"
    program = f"""
import dataclasses
from effnet_viz.models import weights, zoo
file = weights.TorchvisionFile({url!r}, {len(SlowServer.content) / 2**20})
zoo.MODELS["b0"] = dataclasses.replace(zoo.MODELS["b0"], weights=file)
import sys
from effnet_viz.cli.main import main
main(["serve", *sys.argv[1:]])
"""
    try:
        with serving(tmp_path, ["-c", program]) as served:
            page.goto(served + "?model=b0")
            page.get_by_role("button", name="Download 20 MB").click()
            expect(page.get_by_text("Downloading EfficientNet-B0: 10 of 20 MB")).to_be_visible()
            SlowServer.go.set()
            expect(page.get_by_text(f"weights: {name}").first).to_be_visible()
            assert (tmp_path / "hub" / "checkpoints" / name).read_bytes() == SlowServer.content
    finally:
        files.shutdown()
        files.server_close()
