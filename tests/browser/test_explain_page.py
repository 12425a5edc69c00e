"""The running app in a real Chromium, used as a visitor uses it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FloatRect,
    Locator,
    Page,
    Route,
    ViewportSize,
    WebSocketRoute,
    expect,
)

from effnet_viz import analyse
from effnet_viz.images.decode import MAX_BYTES, TOO_LARGE
from effnet_viz.ui import words
from effnet_viz.ui.server.process import torch_threads
from tests.browser.visitor import (
    PATIENCE,
    PHONE,
    WIDE,
    add_photographs,
    await_kept,
    choose,
    choose_photograph,
    choose_stage,
    explained,
    go_to,
    pane_of,
    serving,
)
from tests.choices import one_of_many
from tests.conftest import SAMPLES, loaded

pytestmark = pytest.mark.browser


def box_of(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize(
    ("size", "side"),
    [(WIDE, 480), ({"width": 1280, "height": 720}, 400)],
    ids=["1440", "1280"],
)
def test_the_picture_comes_first(page: Page, address: str, size: ViewportSize, side: int) -> None:
    page.set_viewport_size(size)
    page.goto(address)
    explained(page, "tiger cat")
    for method in ("CAM", "Grad-CAM"):
        box = box_of(pane_of(page, method))
        assert min(box["width"], box["height"]) >= side
        assert box["y"] < 120
        assert box["y"] + box["height"] <= size["height"]
    assert box_of(page.locator(".strip"))["height"] <= 56
    thumbnails = page.get_by_role("radiogroup", name="Photograph").get_by_role("radio")
    assert {round(box_of(one)["height"]) for one in thumbnails.all()} == {42, 48}  # one is chosen
    expect(page.get_by_role("link", name=words.LEADS_ON)).to_be_visible()
    assert box_of(page.get_by_role("toolbar"))["height"] <= 40
    rows = page.get_by_role("radiogroup", name="Explain a class").get_by_role("radio")
    expect(rows).to_have_count(5)
    assert all(36 <= box_of(row)["height"] <= 44 for row in rows.all())
    stages = page.get_by_role("radiogroup", name="Stages of the network").locator("button")
    expect(stages).to_have_count(9)
    expect(page.get_by_role("group", name="Channels of stage 8").locator("button")).to_have_count(
        24
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Explain an image")


@pytest.mark.parametrize("scheme", one_of_many(["light", "dark"], ["light"]))
def test_a_phone_shows_a_square_and_five_answers_at_once(
    chromium: Browser, address: str, scheme: str
) -> None:
    context = chromium.new_context(
        viewport=PHONE, color_scheme=scheme, has_touch=True, is_mobile=True
    )  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", name="Tiger cat, 39")).to_be_visible()
        shown = page.locator(".stage:visible")
        expect(shown).to_have_count(1)
        box = box_of(shown)
        assert min(box["width"], box["height"]) >= 356
        assert box["y"] < 60
        sheet = box_of(page.locator(".sheet"))
        last = page.get_by_role("radiogroup", name="Explain a class").get_by_role("radio").last
        assert box_of(last)["height"] >= 44
        assert box_of(last)["y"] < sheet["y"] - 24  # its words are there
        overflow = page.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth - main.clientWidth; }"
        )
        assert overflow == 0
        page.get_by_role("radio", name="Grad-CAM").tap()
        expect(pane_of(page, "Grad-CAM")).to_be_visible()
        expect(pane_of(page, "CAM")).to_be_hidden()
        page.get_by_role("button", name="Look", exact=True).tap()
        opacity = page.get_by_role("slider", name="Opacity")
        expect(opacity).to_be_visible()
        sheet = box_of(page.locator(".sheet"))
        picture = box_of(page.locator(".stage:visible"))
        assert sheet["y"] >= picture["y"] + picture["height"]  # never over the picture
        page.get_by_role("button", name="Stage 8", exact=True).tap()
        stages = page.get_by_role("radiogroup", name="Stage of Grad-CAM").get_by_role("radio")
        assert all(min(box_of(one)["width"], box_of(one)["height"]) >= 36 for one in stages.all())
        sheet = box_of(page.locator(".sheet"))
        assert sheet["y"] >= picture["y"] + picture["height"]
        choose_stage(page, 5)
        expect(pane_of(page, "Grad-CAM")).to_have_attribute("aria-label", re.compile("stage 5 "))
        page.get_by_role("button", name="Stage 5", exact=True).tap()
        page.get_by_role("button", name="effnet-viz").tap()
        page.get_by_role("navigation").get_by_role("link", name="Models").tap()
        expect(page.get_by_role("heading", level=1)).to_have_text("Models")
        expect(page.get_by_role("navigation")).to_be_hidden()  # the list closes
    finally:
        context.close()


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
    add_photographs(page, path)
    explained(page, "espresso")
    assert expected.label == "espresso"
    rows = page.get_by_role("radiogroup", name="Explain a class")
    row = rows.get_by_role("radio", name="espresso")
    expect(row).to_contain_text(f"{100 * expected.probability:.1f}\N{NO-BREAK SPACE}%")
    expect(page.get_by_title("IMG_0042.jpg, 1000×1000 px")).to_be_visible()


def test_a_file_can_be_dropped_anywhere_and_pasted(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["-"], "one.jpg", { type: "image/jpeg" }));
            const event = { dataTransfer, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("dragover", event));
        }"""
    )
    zone = box_of(page.get_by_text(words.BROWSER["drop_here"]).locator(".."))
    assert zone["x"] > 0
    assert zone["y"] > 0
    assert zone["x"] + zone["width"] < WIDE["width"]
    assert zone["y"] + zone["height"] < WIDE["height"]
    for name, event in (("palace", "drop"), ("espresso", "paste")):
        content = base64.b64encode((SAMPLES / f"{name}.jpg").read_bytes()).decode()
        page.evaluate(
            """async ([name, event, content]) => {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                const file = new File([bytes], `${name} ${event}.jpg`, { type: "image/jpeg" });
                const carried = new DataTransfer();
                carried.items.add(file);
                const how = { bubbles: true, cancelable: true };
                const made = event === "drop"
                    ? new DragEvent("drop", { dataTransfer: carried, ...how })
                    : new ClipboardEvent("paste", { clipboardData: carried, ...how });
                document.body.dispatchEvent(made);
            }""",
            [name, event, content],
        )
        explained(page, name)
        expect(page.get_by_title(f"{name} {event}.jpg, ")).to_be_visible()


def test_a_deep_link_in_a_fresh_browser(page: Page, address: str) -> None:
    page.goto(address + "?image=cat-and-espresso&model=lite1&target=espresso&stage=5&scale=shared")
    explained(page, "espresso")
    for _ in range(2):
        expect(pane_of(page, "Grad-CAM")).to_have_attribute(
            "aria-label", re.compile(r"EfficientNet-Lite1 at 240 px.*stage 5 \(15×15\)")
        )
        expect(page.get_by_role("radio", name="Comparable")).to_be_checked()
        page.reload()
        explained(page, "espresso")


def test_photograph_stage_and_channel(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    choose_photograph(page, "palace")
    explained(page, "palace")
    choose(page, "Stages of the network", "8")
    expect(pane_of(page, "Grad-CAM")).to_have_attribute("aria-label", re.compile("stage 8 "))
    page.keyboard.press("ArrowLeft")  # in the group that has the focus now
    expect(page).to_have_url(re.compile("stage=7"))
    expect(pane_of(page, "Grad-CAM")).to_have_attribute("aria-label", re.compile("stage 7 "))
    page.get_by_role("group", name="Channels of stage 7").locator("button").nth(3).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator('.stage[aria-label^="Channel"] canvas.heat')).to_be_visible()
    expect(dialog.get_by_text("the score (logit)")).to_be_visible()
    assert box_of(dialog)["height"] <= WIDE["height"]
    expect(page).to_have_url(re.compile("channel="))
    page.reload()  # the open channel is in the link
    expect(dialog.locator('.stage[aria-label^="Channel"]')).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page).not_to_have_url(re.compile("channel="))
    assert "image=palace" in page.url
    assert "stage=7" in page.url


def test_a_row_chooses_the_class_and_the_map_follows(page: Page, address: str) -> None:
    page.goto(address + "?image=cat-and-espresso&stage=9")
    explained(page, "Egyptian cat")
    rows = page.get_by_role("radiogroup", name="Explain a class")
    for label in ("espresso", "cup", "espresso"):  # also back to one chosen before
        rows.get_by_role("radio", name=re.compile(f"^{label}")).click()
        explained(page, label)
        expect(rows.get_by_role("radio", checked=True)).to_contain_text(label)
    expect(page).to_have_url(re.compile("target=espresso"))
    rows.get_by_role("radio", checked=True).focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    explained(page, "Egyptian cat")


def test_weak_evidence_is_said_and_shown_at_one_brightness(page: Page, address: str) -> None:
    page.goto(address + "?target=espresso")
    explained(page, "espresso")
    expect(page.get_by_text("Weak evidence")).to_be_visible()
    upper = page.locator("figure", has=pane_of(page, "CAM")).locator(".scale span").last
    strongest = analyse(SAMPLES / "cat.jpg", loaded("lite0")).cam.max()
    page.get_by_role("button", name="Show both at one brightness").click()
    expect(upper).to_have_text(f"{strongest:.3g}")
    expect(page.get_by_role("radio", name="Locked")).to_be_checked()
    expect(page.get_by_text("Dark, to be comparable").first).to_be_visible()


def test_a_map_without_evidence_says_so(page: Page, address: str) -> None:
    assert analyse(SAMPLES / "cat.jpg", loaded("lite0"), "kuvasz").cam.max() < 0
    page.goto(address + "?target=kuvasz")
    explained(page, "kuvasz")
    maps = page.locator("figure", has=pane_of(page, "CAM"))
    expect(maps).to_contain_text(words.BROWSER["nothing_for"])
    page.get_by_role("radio", name="For and against").click()
    expect(maps).not_to_contain_text(words.BROWSER["nothing_for"])


def test_five_pages_back_and_forth(page: Page, address: str, tmp_path: Path) -> None:
    """One press a page, whatever was chosen on it, and the photograph stays what it is."""
    own = tmp_path / "own.jpg"
    Image.open(SAMPLES / "palace.jpg").resize((480, 320)).save(own)
    page.goto(address)
    explained(page, "tiger cat")
    choose_photograph(page, "espresso")
    explained(page, "espresso")
    choose_stage(page, 5)
    add_photographs(page, own)
    explained(page, "palace")
    entries = page.evaluate("history.length")
    rows = page.get_by_role("radiogroup", name="Explain a class").get_by_role("radio")
    rows.nth(1).click()  # the server writes it into the address
    expect(page).to_have_url(re.compile("target="))
    rows.first.click()
    explained(page, "palace")
    page.wait_for_timeout(1000)
    assert page.evaluate("history.length") == entries
    titles = [title for title, _ in words.PAGES.values()]
    head = page.get_by_role("heading", level=1)
    for title in titles[1:]:
        go_to(page, title)
        expect(head).to_have_text(title)
        if title == "Scaling lab":  # whose networks may have to be loaded
            expect(page.get_by_role("img", name="right").first).to_be_visible()
    assert page.evaluate("history.length") == entries + len(titles) - 1
    chosen = page.get_by_role("radiogroup", name="Photograph").get_by_role("radio", checked=True)
    for title in titles[-2::-1]:
        page.go_back()
        expect(head).to_have_text(title)
        if title in ("Compare scaling", "Explain an image", "Methods"):
            expect(chosen).to_have_attribute("title", "own.jpg")
    explained(page, "palace")
    page.go_forward()
    expect(head).to_have_text("Compare scaling")
    expect(chosen).to_have_attribute("title", "own.jpg")


def test_photographs_survive_a_reload_until_they_are_forgotten(
    context: BrowserContext, page: Page, address: str, tmp_path: Path
) -> None:
    names = {"palace": "first.jpg", "espresso": "second.png"}
    for sample, name in names.items():
        Image.open(SAMPLES / f"{sample}.jpg").resize((480, 320)).save(tmp_path / name)
    page.goto(address)
    explained(page, "tiger cat")
    for sample, name in names.items():
        add_photographs(page, tmp_path / name)
        explained(page, sample)
    own = page.get_by_role("radiogroup", name="Photograph").locator('[data-key^="upload-"]')
    choose_photograph(page, "upload-1")
    explained(page, "palace")
    await_kept(page, 2)
    expect(page).to_have_url(re.compile("image=upload-1"))

    def late(route: Route) -> None:
        time.sleep(2)
        route.continue_()

    page.route(re.compile("/FileUploader"), late)  # the code of the field comes after the strip's
    page.reload()
    explained(page, "palace")
    expect(own).to_have_count(2)
    assert "image=upload-1" in page.url
    other = context.new_page()  # another tab of this browser has none of them
    other.goto(address + "?image=upload-1")
    expect(other.get_by_text("The photograph of this link was somebody's own")).to_be_visible()
    other.close()
    page.get_by_role("button", name="effnet-viz").click()
    page.get_by_role("button", name="Forget my photographs").click()
    explained(page, "tiger cat")
    expect(own).to_have_count(0)
    page.wait_for_timeout(1000)
    page.reload()
    explained(page, "tiger cat")
    expect(own).to_have_count(0)


def test_the_first_map_is_a_few_tabs_away(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="To the maps")).to_be_focused()
    page.keyboard.press("Enter")
    expect(pane_of(page, "CAM")).to_be_focused()


def test_where_there_is_no_camera_the_systems_takes_the_photograph(
    page: Page, address: str
) -> None:
    """Over plain HTTP in a local network a browser gives none."""
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined });")
    page.goto(address)
    explained(page, "tiger cat")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Camera").click()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files(SAMPLES / "palace.jpg")
    explained(page, "palace")


def test_on_paper_stand_the_answers_and_the_maps(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    page.emulate_media(media="print")
    for hidden in (page.locator(".strip"), page.get_by_role("toolbar", name="How to look")):
        expect(hidden).to_be_hidden()
    for shown in (pane_of(page, "CAM"), page.get_by_role("heading", name="Tiger cat, 39")):
        expect(shown).to_be_visible()


def test_a_link_to_share(page: Page, address: str) -> None:
    page.goto(address + "?image=palace&opacity=30")
    explained(page, "palace")
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share what you see")
    expect(dialog.get_by_text(f"{address}?image=palace&opacity=30")).to_be_visible()
    expect(dialog.get_by_text("Only this computer reaches the app now")).to_be_visible()


def test_two_visitors_see_their_own_pictures(chromium: Browser, page: Page, address: str) -> None:
    stranger = chromium.new_context()
    try:
        other = stranger.new_page()
        other.set_default_timeout(PATIENCE)
        other.goto(address)
        page.goto(address)
        for tab, name, label in ((page, "palace", "palace"), (other, "espresso", "espresso")):
            explained(tab, "tiger cat")
            add_photographs(tab, SAMPLES / f"{name}.jpg")
            explained(tab, label)
        explained(page, "palace")
        assert "espresso.jpg" not in page.content()
        assert "palace.jpg" not in other.content()
    finally:
        stranger.close()


def lose_places_for_files(page: Page, times: int, *, late: bool = False) -> list[bytes]:
    """Answers to the field's requests that are lost on their way, so many of them; those lost.

    `late`: the next answer brings them after all.
    """
    lost: list[bytes] = []

    def arrived(socket: WebSocketRoute, message: str | bytes) -> None:
        places = isinstance(message, bytes) and b"/_stcore/upload_file/" in message
        if places and len(lost) < times:
            lost.append(message)  # type: ignore[arg-type]
            return
        if places and late:
            for one in lost:
                socket.send(one)
        socket.send(message)

    def connected(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: arrived(socket, message))

    page.route_web_socket(re.compile("_stcore/stream"), connected)
    return lost


FIELD = ".st-key-files [data-testid=stFileChip]"
"""What the hidden field holds."""


@pytest.mark.parametrize("late", [False, True], ids=["lost", "late"])
def test_a_photograph_is_sent_again_when_the_server_loses_its_place(
    page: Page, address: str, late: bool
) -> None:
    """Streamlit forgets its answer when a run of the page begins at that moment."""
    lost = lose_places_for_files(page, 1, late=late)
    page.goto(address)
    explained(page, "tiger cat")
    add_photographs(page, SAMPLES / "espresso.jpg")
    explained(page, "espresso")
    assert len(lost) == 1
    expect(page.locator(FIELD)).to_have_count(1)


def test_a_photograph_that_does_not_reach_the_server_is_named(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()  # one that may report errors
    page.goto(address)
    explained(page, "tiger cat")
    page.route(re.compile("/_stcore/upload_file/"), lambda route: route.abort())
    add_photographs(page, SAMPLES / "espresso.jpg")
    problems = page.get_by_role("alert").filter(visible=True)
    expect(problems).to_contain_text("espresso.jpg: It did not reach the server.")
    expect(page.get_by_role("status").filter(has_text="or drop, or paste")).to_be_visible()
    expect(page.locator(FIELD)).to_have_count(0)
    page.unroute_all()
    add_photographs(page, SAMPLES / "espresso.jpg")
    explained(page, "espresso")
    expect(problems).to_be_hidden()


@pytest.mark.parametrize("arrives", ["at once", "too late"])
@pytest.mark.parametrize("link", ["Compare scaling", words.LEADS_ON])
def test_a_photograph_on_its_way_comes_to_the_next_page(
    context: BrowserContext, address: str, link: str, arrives: str
) -> None:
    page = context.new_page()  # one that may report errors: what is cancelled is one to Streamlit
    page.goto(address)
    explained(page, "tiger cat")
    held: list[Route] = []
    page.route(re.compile("/_stcore/upload_file/"), lambda route: held.append(route))
    add_photographs(page, SAMPLES / "espresso.jpg")
    expect(page.get_by_role("status").filter(has_text="Sending espresso.jpg")).to_be_visible()
    expect(page.locator(FIELD)).to_have_count(1)
    field = page.locator(".st-key-files input[type=file]").element_handle()
    if link == words.LEADS_ON:
        page.get_by_role("link", name=link).click()
    else:
        go_to(page, link)
    if arrives == "too late":  # the field stays until the next page comes
        page.wait_for_function("field => !field.isConnected", arg=field)
    page.route(re.compile("/_stcore/upload_file/"), lambda route: route.continue_())
    for route in held:
        route.continue_()
    chosen = page.get_by_role("radiogroup", name="Photograph").get_by_role("radio", checked=True)
    expect(chosen).to_have_attribute("title", "espresso.jpg")
    expect(page).to_have_url(re.compile("/compare_scaling"))
    expect(page.get_by_role("status").filter(has_text="Sending")).to_have_count(0)


def test_what_does_not_come_back_is_named_and_kept_for_the_next_time(
    context: BrowserContext, address: str, tmp_path: Path
) -> None:
    page = context.new_page()
    for sample, name in {"palace": "first.jpg", "espresso": "second.png"}.items():
        Image.open(SAMPLES / f"{sample}.jpg").resize((480, 320)).save(tmp_path / name)
    page.goto(address)
    explained(page, "tiger cat")
    add_photographs(page, [tmp_path / "first.jpg", tmp_path / "second.png"])
    explained(page, "palace")
    await_kept(page, 2)
    expect(page).to_have_url(re.compile("image=upload-1"))

    def refuse(route: Route) -> None:
        if b"second.png" in (route.request.post_data_buffer or b""):
            route.abort()
        else:
            route.continue_()

    page.route(re.compile("/_stcore/upload_file/"), refuse)
    page.reload()
    explained(page, "palace")
    own = page.get_by_role("radiogroup", name="Photograph").locator('[data-key^="upload-"]')
    problems = page.get_by_role("alert").filter(visible=True)
    expect(problems).to_contain_text("second.png: It did not reach the server.")
    expect(own).to_have_count(1)
    page.unroute_all()
    page.reload()
    explained(page, "palace")
    expect(own).to_have_count(2)


def test_a_file_that_is_too_large_is_named_and_the_others_come(
    page: Page, address: str, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(MAX_BYTES + 1))
    page.goto(address)
    explained(page, "tiger cat")
    add_photographs(page, large)
    problems = page.get_by_role("alert").filter(visible=True)
    expect(problems).to_contain_text(f"large.png: {TOO_LARGE}")
    expect(page.get_by_role("status").filter(has_text="or drop, or paste")).to_be_visible()
    add_photographs(page, [large, SAMPLES / "espresso.jpg"])
    explained(page, "espresso")
    expect(problems).to_contain_text(f"large.png: {TOO_LARGE}")
    choose_photograph(page, "cat")
    explained(page, "tiger cat")
    expect(problems).to_be_hidden()


def test_a_link_in_a_tab_with_photographs_shows_what_it_names(page: Page, address: str) -> None:
    page.goto(address)
    explained(page, "tiger cat")
    add_photographs(page, SAMPLES / "espresso.jpg")
    explained(page, "espresso")
    await_kept(page, 1)
    lost = lose_places_for_files(page, 1)
    page.goto(address + "?image=palace")
    own = page.get_by_role("radiogroup", name="Photograph").locator('[data-key^="upload-"]')
    expect(own).to_have_count(1)
    explained(page, "palace")
    assert "image=palace" in page.url
    page.goto(address + "?image=upload-1")
    explained(page, "espresso")
    assert len(lost) == 1


def test_bad_files_are_named_and_harmless(page: Page, address: str, tmp_path: Path) -> None:
    evil = tmp_path / "<img src=x onerror=alert(1)>.png"
    Image.open(SAMPLES / "palace.jpg").save(evil)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((SAMPLES / "cat.jpg").read_bytes()[:5000])
    page.goto(address)
    explained(page, "tiger cat")
    top = box_of(pane_of(page, "CAM"))["y"]
    add_photographs(page, [evil, broken])
    explained(page, "palace")
    problems = page.get_by_role("alert")
    expect(problems).to_contain_text("broken.jpg: ")
    assert box_of(pane_of(page, "CAM"))["y"] == top  # nothing is pushed down
    problems.get_by_role("button", name="Close").click()
    expect(problems).to_be_hidden()
    add_photographs(page, broken)  # the same again is said again
    expect(problems).to_contain_text("broken.jpg: ")
    assert page.locator('img[src="x"]').count() == 0


def test_no_network_is_explained_and_untrained_is_labelled(page: Page, address: str) -> None:
    page.goto(address + "?model=b0")
    expect(page.get_by_text("EfficientNet-B0 cannot be used yet")).to_be_visible()
    expect(page.get_by_text("efficientnet_b0_rwightman-7f5810bc.pth").first).to_be_visible()
    page.get_by_role("button", name="Run EfficientNet-B0 untrained").click()
    expect(page.get_by_role("heading", name="Untrained: ")).to_be_visible()
    expect(page.get_by_text("UNTRAINED: random weights").first).to_be_visible()
    page.get_by_role("button", name="B0").click()
    page.get_by_text("Untrained", exact=True).click()
    page.keyboard.press("Escape")
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
        page.get_by_role("button", name="Save CAM").click()
    picture = Image.open(download.value.path())
    assert picture.format == "PNG"
    assert download.value.suggested_filename == "cat-tiger-cat-cam-stage-9-lite0.png"
    page.get_by_role("button", name="Details").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers for NumPy (NPZ)").click()
    assert download.value.suggested_filename == "cat-tiger-cat-lite0-stage-8.npz"
    with np.load(io.BytesIO(Path(download.value.path()).read_bytes()), allow_pickle=False) as saved:
        assert np.array_equal(saved["cam"], result.cam)
        assert np.array_equal(saved["map"], result.grad_cam(8))
        numbers = json.loads(str(saved["numbers"]))
    assert numbers["provenance"]["weights"] == "efficientnet-lite0-57934424.pth"
    assert numbers["stage"] == 8
    with page.expect_download() as download:
        page.get_by_role("button", name="Numbers for everything else (JSON)").click()
    content = json.loads(Path(download.value.path()).read_text())
    assert content["predictions"][0]["label"] == "tiger cat"


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
file = weights.RemoteFile({url!r}, {len(SlowServer.content) / 2**20})
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
            expect(pane_of(page, "CAM")).to_have_attribute(
                "aria-label", re.compile(f"weights: {name}")
            )
            assert (tmp_path / "hub" / "checkpoints" / name).read_bytes() == SlowServer.content
    finally:
        files.shutdown()
        files.server_close()
