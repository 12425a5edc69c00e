"""Three visitors at once over the real protocol; and that a foreign result would be noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from effnet_viz.analysis.words import NO_BREAK, capitalised, ordinal_word
from effnet_viz.ui.layout.text import percent
from tests import event_loop
from tools.load import report, server
from tools.load.expectations import MODELS, Book, Expected, Photograph, differences, write_book
from tools.load.protocol import Event, Tab
from tools.load.scenarios import Outcome, Plan, put_load

VISITORS = 3
PATIENCE = 120.0
PLAN = Plan("photographs", VISITORS, seconds=0, think=(0.0, 0.2), reload_every=0, lite1_share=0)


@pytest.fixture(scope="module")
def book() -> Book:
    return write_book(VISITORS, seed=1, models=["lite0"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    with server.running(tmp_path_factory.mktemp("server")) as server_under_load:
        yield server_under_load


def test_three_visitors_see_their_own_results(book: Book, running: server.Server) -> None:
    outcome = event_loop.run(put_load(PLAN, book, running))
    assert outcome.errors == []
    assert outcome.foreign == []
    assert running.tracebacks() == 0
    for action in ("open", "upload", "class", "stage"):
        measured = [m for m in outcome.measured if m.action == action]
        assert len(measured) == VISITORS
        assert all(m.first_picture is not None and m.websocket_bytes for m in measured)
    assert report.failures([outcome]) == []


def test_exchanged_results_are_foreign(book: Book, running: server.Server) -> None:
    """As if two visitors got each other's result: their expectations are exchanged."""
    one, other = (photograph.name for photograph in book.photographs[:2])
    names = {one: other, other: one}
    exchanged = {
        (names.get(name, name), model, label): expected
        for (name, model, label), expected in book.expected.items()
    }
    # Classes that only one of the two was computed for stay as they are.
    wrong = dataclasses.replace(book, expected=dict(book.expected) | exchanged)
    plan = dataclasses.replace(PLAN, sessions=2, patience=20)
    outcome = event_loop.run(put_load(plan, wrong, running))
    assert outcome.errors == []
    assert {m.visitor for m in outcome.measured if m.foreign} == {0, 1}
    assert "2 sessions, photographs: " in report.failures([outcome])[0]


def test_many_clicks_of_one_visitor_are_one_thread(running: server.Server) -> None:
    """And become few runs: the page shows what was clicked last."""

    async def click() -> tuple[int, int, list[str]]:
        with ThreadPoolExecutor(2) as executor:
            tab = Tab(running.port, executor)
            await tab.open(PATIENCE)
            before = threads(running)
            tab.begin()
            most = 0
            for number in range(60):
                tab.tell(Event("deck", "stage", 1 + number % 8))
                await tab.rerun()
                most = max(most, threads(running))
            await tab.complete(PATIENCE, lambda: "stage 4 " in " ".join(tab.alternative_texts()))
            shown = tab.alternative_texts()
            await tab.close()
            return before, most, shown

    before, most, shown = event_loop.run(click())
    assert most <= before + 3  # the visitor's own, and those of the server's file requests
    assert any("Grad-CAM" in text and "stage 4 " in text for text in shown)


def threads(running: server.Server) -> int:
    return len(list(Path(f"/proc/{running.process}/task").iterdir()))


def test_who_leaves_while_it_computes_stops_nobody(running: server.Server) -> None:
    async def leave() -> list[str]:
        with ThreadPoolExecutor(4) as executor:
            for _ in range(3):
                leaving = Tab(running.port, executor)
                await leaving.open(PATIENCE)
                leaving.select("target", "espresso")
                await leaving.rerun()
                await leaving.close()
            staying = Tab(running.port, executor)
            step = await staying.open(PATIENCE)
            await staying.close()
            return step.problems

    assert event_loop.run(leave()) == []
    assert running.tracebacks() == 0


EXPECTED = Expected("tiger cat", 1, 38.81, 9.123, 19.46, {6: 12.04, 8: 9.996})
PHOTOGRAPH = Photograph("photograph-000.jpg", b"of a cat", ("tiger cat",))


def page(
    expected: Expected, photograph: Photograph = PHOTOGRAPH, model: str = "lite0"
) -> list[str]:
    """Texts as the page shows them for Grad-CAM at stage 6."""
    title = f"{MODELS[model]} at 224 px, weights: efficientnet-{model}-1.pth"
    named = f"class “{expected.label}”"
    maps = (
        f"CAM, {named}, stage 9 (7×7), scale of its own 0 to {expected.cam:.3g}",
        f"Grad-CAM, {named}, stage 6 (14×14), scale of its own 0 to {expected.grad_cam[6]:.3g}",
    )
    source = f"Photograph: {photograph.name}\nLite0, recipe\nImage SHA-256 {photograph.digest}\nCPU"
    share = percent(expected.probability / 100)
    return [
        f"{capitalised(expected.label)}, 39 % sure",
        f"Its {ordinal_word(expected.rank)} guess of 1000. Half of the evidence lies on 30 %.",
        f"Explained: {expected.label}, {share}",
        f"Also: lynx, 3.1{NO_BREAK}%",
        f"Your image {photograph.name}.",
        *(f"Strongest in the middle. {title}. {line}." for line in maps),
        *(f"{source}\n{title}\n{line}" for line in maps),
    ]


@pytest.mark.parametrize(
    "expected",
    [
        EXPECTED,
        dataclasses.replace(EXPECTED, label="iPod", rank=2),
        dataclasses.replace(EXPECTED, rank=512, probability=0.0004),
    ],
)
def test_a_page_with_its_own_result_is_accepted(expected: Expected) -> None:
    assert differences(PHOTOGRAPH, "lite0", 6, expected, page(expected)) == []


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        (page(dataclasses.replace(EXPECTED, label="Egyptian cat")), "headline"),
        (page(dataclasses.replace(EXPECTED, rank=2)), "guess"),
        (page(dataclasses.replace(EXPECTED, rank=12)), "guess"),
        (page(dataclasses.replace(EXPECTED, probability=39.1)), "share"),
        (page(dataclasses.replace(EXPECTED, probability=0.01)), "share"),
        (page(dataclasses.replace(EXPECTED, cam=19.7)), "CAM's scale"),
        (page(dataclasses.replace(EXPECTED, grad_cam={6: 12.3})), "Grad-CAM's scale"),
        (page(EXPECTED, dataclasses.replace(PHOTOGRAPH, name="cat.jpg")), "CAM's photograph"),
        (page(EXPECTED, dataclasses.replace(PHOTOGRAPH, content=b"of a dog")), "CAM's digest"),
        (page(EXPECTED, model="lite1"), "CAM's model"),
        ([*page(EXPECTED), "Your image photograph-001.jpg."], "a stranger's file"),
        ([*page(EXPECTED), f"Explained: lynx, 38.8{NO_BREAK}%"], "class"),
        ([line for line in page(EXPECTED) if "Explained" not in line], "number of explained"),
        (page(EXPECTED)[:-1], "number of Grad-CAM captions"),
        ([*page(EXPECTED), page(EXPECTED)[-2]], "number of CAM captions"),
        ([], "headline"),
    ],
)
def test_a_page_with_another_result_is_foreign(shown: list[str], named: str) -> None:
    found = differences(PHOTOGRAPH, "lite0", 6, EXPECTED, shown)
    assert any(difference.startswith(named) for difference in found)


def test_a_map_for_another_class_or_stage_is_foreign() -> None:
    """Beside answers that are the visitor's own."""
    for old, new in (("“tiger cat”", "“lynx”"), ("stage 6 ", "stage 5 ")):
        [changed] = {text.replace(old, new) for text in page(EXPECTED) if text.endswith("12")}
        assert differences(PHOTOGRAPH, "lite0", 6, EXPECTED, [*page(EXPECTED)[:-1], changed])


def test_growing_memory_is_noticed() -> None:
    steady = [(float(second), 10**9) for second in range(600)]
    growing = [(second, size + int(second * 2e5)) for second, size in steady]
    assert report.growth(steady) == pytest.approx(0)
    assert report.growth(growing) == pytest.approx(12)
    outcome = Outcome(Plan("photographs", report.JUDGED_SESSIONS, 600), memory=growing)
    assert any("12.0 MB/min" in failure for failure in report.failures([outcome]))
