"""What visitors do, and what is measured while they do it."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.load import expectations, server
from tools.load.bare import bare_rate
from tools.load.expectations import Book, Expected, Photograph
from tools.load.protocol import Event, ProtocolError, Step, Tab

SCENARIOS = ("sample", "photographs")
MOST_REQUESTS = 64
"""Requests for pictures and uploads that are in flight at once, for all visitors together."""


@dataclass(frozen=True)
class Plan:
    """One run of the load generator."""

    scenario: str
    sessions: int
    seconds: float
    """How long visitors begin new rounds; everyone does at least one."""
    seed: int = 1
    think: tuple[float, float] = (1.0, 4.0)
    """Seconds between two actions of a visitor, uniformly distributed."""
    reload_every: int = 4
    """After so many rounds a visitor reloads the page and starts again; 0 for never."""
    lite1_share: float = 0.15
    """Share of rounds in which a visitor compares with the larger model."""
    patience: float = 120.0
    """Seconds that a visitor waits for one action."""


@dataclass(frozen=True)
class Measured:
    """One action of one visitor."""

    visitor: int
    action: str
    first_picture: float | None
    """Seconds until the CAM picture of the new result was loaded."""
    finished: float | None
    """Seconds until the script had finished."""
    websocket_bytes: int
    picture_bytes: int
    errors: list[str]
    foreign: list[str]


@dataclass
class Outcome:
    """Everything that one run measured."""

    plan: Plan
    measured: list[Measured] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the first visitor, resident bytes of the server."""
    burst_seconds: float | None = None
    """From the moment when all uploaded until the last one had the whole page."""
    bare_rate: float | None = None
    """Images per second of what the page computes, without a server."""
    tracebacks: int = 0
    """In the server's log."""
    generator_cores: float | None = None
    """Cores that the load generator itself kept busy."""

    @property
    def errors(self) -> list[str]:
        """Of all visitors, each with who and when."""
        found = [f"{m.visitor} {m.action}: {e}" for m in self.measured for e in m.errors]
        if self.tracebacks:
            found.append(f"{self.tracebacks} exceptions in the server's log")
        return found

    @property
    def foreign(self) -> list[str]:
        """Results that are not the visitor's own, each with who and when."""
        return [f"{m.visitor} {m.action}: {f}" for m in self.measured for f in m.foreign]

    @property
    def images_per_second(self) -> float | None:
        """Pages of new photographs per second when everybody uploads at once."""
        return self.plan.sessions / self.burst_seconds if self.burst_seconds else None

    @property
    def ratio(self) -> float | None:
        """Of the bare loop's images per second."""
        rate = self.images_per_second
        return rate / self.bare_rate if rate and self.bare_rate else None


class _Crowd:
    """What visitors share: the starting gun, the results, who owns which picture."""

    def __init__(self, plan: Plan, book: Book, port: int, executor: Executor) -> None:
        self.plan, self.book, self.port, self.executor = plan, book, port, executor
        self.outcome = Outcome(plan)
        self.gun = asyncio.Barrier(plan.sessions)
        self.end = float("inf")
        self.owners: dict[str, str] = {}
        """Address of a picture, which is the hash of its content, to a photograph's name."""
        self.shown: dict[int, tuple[int, bytes]] = {}
        """Visitor to the place of a step in the outcome and the photograph it showed."""
        self.burst_start = float("inf")
        self.burst_end = 0.0

    async def all_at_once(self) -> None:
        """Wait for everybody; whoever failed before must not hold up the others for ever."""
        try:
            async with asyncio.timeout(self.plan.patience * 2):
                await self.gun.wait()
        except (TimeoutError, asyncio.BrokenBarrierError):
            await self.gun.abort()
        now = time.perf_counter()
        self.burst_start = min(self.burst_start, now)
        self.end = self.burst_start + self.plan.seconds


class _Visitor:
    def __init__(self, number: int, crowd: _Crowd) -> None:
        self.number, self.crowd, self.plan = number, crowd, crowd.plan
        self.chance = random.Random(f"{crowd.plan.seed} visitor {number}")
        self.tab = Tab(crowd.port, crowd.executor)
        self._reset()

    def _reset(self) -> None:
        self.photograph: Photograph = self.crowd.book.sample
        self.model = expectations.FIRST_MODEL
        self.target: str | None = None
        self.stage = expectations.FIRST_STAGE

    @property
    def expected(self) -> Expected:
        return self.crowd.book.expected[self.photograph.name, self.model, self.target]

    async def visit(self) -> None:
        """Open the page, upload, then look around until the time is over."""
        uploads = self.plan.scenario == "photographs"
        try:
            if not uploads:
                await self.crowd.all_at_once()
            await self._open("open")
            if uploads:
                await self._think()
                await self.crowd.all_at_once()
                await self._upload("upload", in_burst=True)
            rounds = 0
            while rounds == 0 or time.perf_counter() < self.crowd.end:
                await self._round()
                rounds += 1
                if self.plan.reload_every and rounds % self.plan.reload_every == 0:
                    await self._reload(uploads)
        finally:
            await self.tab.close()

    async def _think(self) -> None:
        await asyncio.sleep(self.chance.uniform(*self.plan.think))

    async def _round(self) -> None:
        await self._think()
        others = [label for label in self.photograph.classes if label != self.expected.label]
        self.target = self.chance.choice(others)
        await self._act("class", lambda: self.tab.select("target", self.target))
        await self._think()
        self.stage = self.chance.choice([s for s in expectations.STAGES if s != self.stage])
        await self._act("stage", lambda: self.tab.tell(Event("deck", "stage", self.stage)))
        if self.chance.random() < self.plan.lite1_share:
            for model in ("lite1", "lite0"):
                await self._think()
                self.model = model
                await self._act("model", self._select_model)

    def _select_model(self) -> None:
        title = expectations.MODELS[self.model]
        for option in self.tab.options("model"):
            if option.startswith(f"{title} "):
                return self.tab.select("model", option)
        raise ProtocolError(f"{title} is not offered.")

    async def _reload(self, uploads: bool) -> None:
        await self._think()
        await self.tab.close()
        self.tab = Tab(self.crowd.port, self.crowd.executor)
        self._reset()
        await self._open("reload")
        if uploads:
            await self._think()
            await self._upload("upload again", in_burst=False)

    async def _open(self, action: str) -> None:
        began = time.perf_counter()
        try:
            step = await self.tab.open(self.plan.patience)
        except (ProtocolError, OSError, TimeoutError) as error:
            step = Step(began, problems=[f"cannot open the page: {error!r}"])
        self._record(action, step)

    async def _upload(self, action: str, *, in_burst: bool) -> None:
        self.photograph = self.crowd.book.photographs[self.number]
        self.target = None
        step = self.tab.begin()
        try:
            async with asyncio.timeout(self.plan.patience):
                await self.tab.upload("files", self.photograph.name, self.photograph.content)
            await self.tab.rerun()
            await self.tab.complete(self.plan.patience, self._ready)
        except (ProtocolError, TimeoutError) as error:
            step.problems.append(f"{error!r}")
        self._record(action, step)
        if in_burst:
            done = step.finished or time.perf_counter()
            self.crowd.burst_end = max(self.crowd.burst_end, done)

    async def _act(self, action: str, change: Callable[[], None]) -> None:
        step = self.tab.begin()
        try:
            change()
            await self.tab.rerun()
            await self.tab.complete(self.plan.patience, self._ready)
        except ProtocolError as error:
            step.problems.append(f"{error!r}")
        self._record(action, step)

    def _ready(self) -> bool:
        expected, model = self.expected, self.model
        return any(expectations.shows(alt, model, expected) for alt in self.tab.alternative_texts())

    def _record(self, action: str, step: Step) -> None:
        """Note the step, compared with what it must show."""
        foreign = self._strangers(step)
        picture_at = None
        if not step.problems:
            page = [*self.tab.texts(), *self.tab.alternative_texts(), *self.tab.captions()]
            expected = self.expected
            foreign += expectations.differences(
                self.photograph, self.model, self.stage, expected, page
            )
            for picture in step.pictures:
                if expectations.shows(picture.alt, self.model, expected):
                    picture_at = picture.loaded
                    break
        self.crowd.outcome.measured.append(
            Measured(
                self.number,
                action,
                None if picture_at is None else picture_at - step.sent,
                None if step.finished is None else step.finished - step.sent,
                step.websocket_bytes,
                step.picture_bytes,
                list(step.problems),
                foreign,
            )
        )

    def _strangers(self, step: Step) -> list[str]:
        """Pictures of this step that another photograph's visitor was shown, by their address."""
        found = []
        own = self.photograph.name
        for picture in step.pictures:
            owner = self.crowd.owners.setdefault(picture.url, own)
            if owner != own:
                found.append(f"{picture.url} was already shown for {owner}")
            if picture.alt.startswith(f"Your image {own}"):
                place = len(self.crowd.outcome.measured)  # of this step, which is added next
                self.crowd.shown[self.number] = (place, picture.content)
        return found


async def _sample_memory(running: server.Server, outcome: Outcome) -> None:
    start = time.perf_counter()
    while True:
        outcome.memory.append((time.perf_counter() - start, running.memory()))
        await asyncio.sleep(1)


async def put_load(plan: Plan, book: Book, running: server.Server) -> Outcome:
    """All visitors of a plan on a running server, until they have left."""
    crowd_size = min(MOST_REQUESTS, 2 * plan.sessions + 2)
    began, busy = time.perf_counter(), time.process_time()
    ends: list[BaseException | None] = []
    with ThreadPoolExecutor(crowd_size) as executor:
        crowd = _Crowd(plan, book, running.port, executor)
        outcome = crowd.outcome
        sampling = asyncio.create_task(_sample_memory(running, outcome))
        visits = [_Visitor(number, crowd).visit() for number in range(plan.sessions)]
        try:
            # Nothing waits for ever, whatever happens; the last round takes less than this.
            async with asyncio.timeout(plan.seconds + 8 * plan.patience):
                ends = await asyncio.gather(*visits, return_exceptions=True)
        except TimeoutError as error:
            ends = [error]
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
    outcome.generator_cores = (time.process_time() - busy) / (time.perf_counter() - began)
    for number, end in enumerate(ends):
        if end is not None:
            problem = f"ended early: {end!r}"
            outcome.measured.append(Measured(number, "visit", None, None, 0, 0, [problem], []))
    if plan.scenario == "photographs":
        outcome.burst_seconds = crowd.burst_end - crowd.burst_start
        _compare_photographs(crowd)
    return outcome


def _compare_photographs(crowd: _Crowd) -> None:
    """After the load, because it takes time: is the photograph on the page the visitor's own?"""
    photographs = crowd.book.photographs[: crowd.plan.sessions]
    for number, (place, content) in crowd.shown.items():
        own, shown = photographs[number].name, expectations.nearest(content, photographs)
        if shown != own:
            problem = f"the photograph shows {shown}, not {own}"
            crowd.outcome.measured[place].foreign.append(problem)


def carry_out(plan: Plan, book: Book) -> Outcome:
    """One run against a fresh server; afterwards the server is gone."""
    contents = [photograph.content for photograph in book.photographs[: plan.sessions]]
    measure_bare = plan.scenario == "photographs"
    rates = [bare_rate(contents)] if measure_bare else []
    with tempfile.TemporaryDirectory() as folder, server.running(Path(folder)) as running:
        outcome = asyncio.run(put_load(plan, book, running))
        outcome.tracebacks = running.tracebacks()
    if measure_bare:
        # Other work on the machine slows one of them down, perhaps: take the stricter one.
        outcome.bare_rate = max(*rates, bare_rate(contents))
    return outcome
