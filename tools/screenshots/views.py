"""What is photographed: pages, states of a page, screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, Page

from effnet_viz.ui import words

SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Screen:
    """What a visitor looks at the page on."""

    width: int
    height: int
    touch: bool = False


SCREENS = {
    "1440": Screen(1440, 900),
    "1280": Screen(1280, 720),
    "phone": Screen(390, 844, touch=True),
    "1920": Screen(1920, 1080),
}
DESK_AND_PHONE = ("1440", "1280", "phone")


@dataclass(frozen=True)
class View:
    """A page in a state."""

    name: str
    path: str
    screens: tuple[str, ...] = DESK_AND_PHONE
    maps: bool = True
    """Whether it has any, which have to be drawn before it is ready."""
    reach: Callable[[Page], None] | None = None
    """Leads from the page, when it is ready, to the state. Raises Error where there is none."""


BRIEF = 4_000
"""Milliseconds that something on a page which is ready may take to be there."""


def _present(page: Page) -> None:
    page.keyboard.press("p")


def _open_look(page: Page) -> None:
    page.get_by_role("button", name=words.BROWSER["look"], exact=True).tap(timeout=BRIEF)


def _open_pages(page: Page) -> None:
    page.locator("button.brand").click(timeout=BRIEF)
    page.get_by_role("navigation", name=words.BROWSER["pages"]).wait_for(timeout=BRIEF)


def _drag_a_file(page: Page) -> None:
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["-"], "photograph.jpg", { type: "image/jpeg" }));
          const event = { dataTransfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("dragenter", event));
          document.body.dispatchEvent(new DragEvent("dragover", event));
        }"""
    )
    page.get_by_text(words.BROWSER["drop_here"]).wait_for(timeout=BRIEF)


MAIN, COMPARE, LAB = "", "compare_scaling", "scaling_lab"

VIEWS = (
    View("main", MAIN),
    View("compare", COMPARE),
    View("methods", "methods"),
    View("bench", LAB),
    View("lab", f"{LAB}?bench=Five+miniatures"),
    View("rules", "scaling_rules", maps=False),
    View("models", "models", maps=False),
    View("covered", f"{MAIN}?box=0.3,0.2,0.7,0.6", ("1440", "phone")),
    View("weak", f"{MAIN}?target=espresso", ("1440", "phone")),
    View("sheet", MAIN, ("phone",), reach=_open_look),
    View("pages", MAIN, ("1440", "phone"), reach=_open_pages),
    View("drop", MAIN, ("1440",), reach=_drag_a_file),
    View("present-main", MAIN, ("1920",), reach=_present),
    View("present-compare", COMPARE, ("1920",), reach=_present),
    View("present-lab", f"{LAB}?bench=Five+miniatures", ("1920",), reach=_present),
    View("present-bench", LAB, ("1920",), reach=_present),
)


def file_name(view: str, screen: str, scheme: str, *, full: bool = False) -> str:
    """The file of a screenshot."""
    return f"{view}-{screen}-{scheme}{'-full' if full else ''}.png"


_READY = """({ maps, quiet }) => {
  const roots = [document];
  for (const root of roots) {
    for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) roots.push(shadowRoot);
  }
  const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)])
    .filter((one) => one.checkVisibility());
  const busy = ".stage[aria-busy=true], .stSpinner, .queue, [data-testid=stSkeleton], "
    + "[data-stale=true]";
  const app = document.querySelector("[data-testid=stApp]");
  const ready = app?.dataset.testScriptState === "notRunning"
    && document.fonts.status === "loaded"
    && all(busy).length === 0
    && all("img").every(({ complete }) => complete)
    && all(".stPlotlyChart").every((chart) => chart.querySelector(".main-svg"))
    && (!maps || all(".stage img").some(({ naturalWidth }) => naturalWidth));
  const now = performance.now();
  if (!ready) globalThis.readySince = undefined;
  else globalThis.readySince ??= now;
  return ready && now - globalThis.readySince > quiet;
}"""
"""Nothing is busy in the page nor in any part of it, and that for a while."""

QUIET = 700
"""Milliseconds for which a page that is ready stays so."""


def wait_until_ready(page: Page, view: View) -> None:
    """The server has answered, all pictures and maps are drawn. Raises Error after the patience."""
    page.wait_for_function(_READY, arg={"maps": view.maps, "quiet": QUIET}, polling=100)


def take(page: Page, view: View, screen: str, scheme: str, folder: Path, *, full: bool) -> str:
    """Photographs the view on a page that has the size of the screen; says what was wrong."""
    page.goto(view.path)
    try:
        wait_until_ready(page, view)
        if view.reach is not None:
            view.reach(page)
            wait_until_ready(page, view)
    except Error as error:
        return str(error).splitlines()[0]
    page.screenshot(path=folder / file_name(view.name, screen, scheme))
    if full and view.reach is None:
        _take_full(page, view, folder / file_name(view.name, screen, scheme, full=True))
    return ""


def _take_full(page: Page, view: View, file: Path) -> None:
    """The whole page, which Streamlit scrolls in an element of its own."""
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    wait_until_ready(page, view)
    page.screenshot(path=file)
    page.set_viewport_size(size)
