"""Photographs to upload, and what their pages must show.

Everything that needs a network runs in a process of its own, so that the load generator stays
small and the engine's threads are gone before the load begins.
"""

from __future__ import annotations

import hashlib
import io
import math
import multiprocessing
import random
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image, ImageEnhance

from effnet_viz.analysis.words import capitalised, ordinal_word

WIDTH, HEIGHT = 1200, 900
MODELS = {"lite0": "EfficientNet-Lite0", "lite1": "EfficientNet-Lite1"}
FIRST_MODEL = "lite0"
STAGES = (6, 8, 9)
"""Stages that visitors look at; Grad-CAM is compared there."""
FIRST_STAGE = 8
"""Where the page starts: analysis.explanation.starting_stage."""
CLASSES = 3

Result = TypeVar("Result")


@dataclass(frozen=True)
class Photograph:
    """A photograph that a visitor looks at."""

    name: str
    """File name; of the sample: its title, as the page shows it."""
    content: bytes
    classes: tuple[str, ...]
    """Classes that visitors of this photograph ask for."""

    @property
    def digest(self) -> str:
        """SHA-256, as every map names it."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Expected:
    """What the page must show for one photograph, model and class."""

    label: str
    rank: int
    probability: float
    """In percent."""
    logit: float
    """Not on the page; what tells photographs apart."""
    cam: float
    """Upper end of CAM's own colour scale."""
    grad_cam: Mapping[int, float]
    """By stage: upper end of Grad-CAM's own colour scale."""


Key = tuple[str, str, str | None]
"""Name of the photograph, model, class; the class is None for the most probable one."""


@dataclass(frozen=True)
class Book:
    """All photographs with their sequentially computed results."""

    sample: Photograph
    photographs: tuple[Photograph, ...]
    expected: Mapping[Key, Expected]


def write_book(count: int, seed: int, models: Sequence[str] = tuple(MODELS)) -> Book:
    """Photographs that differ measurably, and the sample, with their results by these models."""
    return _in_own_process(_write_book, count, seed, tuple(models))


def _in_own_process(function: Callable[..., Result], *arguments: object) -> Result:
    # Not forked: the parent has threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(function, *arguments).result()


def _write_book(count: int, seed: int, keys: tuple[str, ...]) -> Book:
    from effnet_viz import Analysis, analyse, load
    from effnet_viz.analysis.explanation import starting_stage
    from effnet_viz.images.samples import samples

    models = {key: load(key) for key in keys}
    if any(starting_stage(model) != FIRST_STAGE for model in models.values()):
        raise RuntimeError(f"The page no longer starts at stage {FIRST_STAGE}.")
    expected: dict[Key, Expected] = {}

    def describe(result: Analysis, target: str | None) -> Expected:
        chosen = result.for_target(target)
        ranking = [prediction.label for prediction in result.predictions]
        return Expected(
            label=chosen.target.label,
            rank=ranking.index(chosen.target.label) + 1,
            probability=100 * chosen.target.probability,
            logit=chosen.target.logit,
            cam=_upper_end(chosen.cam),
            grad_cam={stage: _upper_end(chosen.grad_cam(stage)) for stage in STAGES},
        )

    def describe_all(name: str, content: bytes, results: dict[str, Analysis]) -> Photograph:
        best = [p.label for p in results[FIRST_MODEL].predictions[:CLASSES]]
        for key, result in results.items():
            for target in (None, *best):
                expected[name, key, target] = describe(result, target)
        return Photograph(name, content, tuple(best))

    first = next(iter(samples().values()))
    content = first.path.read_bytes()
    results = {key: analyse(content, model) for key, model in models.items()}
    sample = describe_all(first.title, content, results)

    photographs: list[Photograph] = []
    sources = [entry.path.read_bytes() for entry in samples().values()]
    # Some attempts look too much like another photograph to tell a mix-up from a right result.
    for attempt in range(20 * count + 20):
        if len(photographs) == count:
            break
        name = f"photograph-{len(photographs):03d}.jpg"
        content = vary(sources[attempt % len(sources)], random.Random(f"{seed} {attempt}"))
        results = {key: analyse(content, model) for key, model in models.items()}
        predictions = results[FIRST_MODEL].predictions[:2]
        candidate = describe(results[FIRST_MODEL], None)
        others = [expected[p.name, FIRST_MODEL, None] for p in (sample, *photographs)]
        clear = predictions[0].probability - predictions[1].probability > 0.01
        if clear and all(_differ(candidate, other) for other in others):
            photographs.append(describe_all(name, content, results))
    if len(photographs) < count:
        raise RuntimeError(f"Only {len(photographs)} photographs differ enough.")
    return Book(sample, tuple(photographs), expected)


def vary(source: bytes, chance: random.Random) -> bytes:
    """Another photograph of the same subject: cropped, flipped, recoloured, a JPEG file."""
    picture = Image.open(io.BytesIO(source)).convert("RGB")
    share = chance.uniform(0.6, 0.98)
    height = share * min(picture.height, picture.width * HEIGHT / WIDTH)
    width = height * WIDTH / HEIGHT
    left = chance.uniform(0, picture.width - width)
    top = chance.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    picture = picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box)
    if chance.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(chance.uniform(0.7, 1.3))
    file = io.BytesIO()
    picture.save(file, "jpeg", quality=90)
    return file.getvalue()


def nearest(shown: bytes, photographs: Sequence[Photograph]) -> str:
    """Name of the photograph that a picture of the page shows."""
    thumbnail = _thumbnail(shown)
    distances = {
        p.name: float(np.abs(_thumbnail(p.content) - thumbnail).mean()) for p in photographs
    }
    return min(distances, key=distances.__getitem__)


def _thumbnail(content: bytes) -> np.ndarray:
    """The middle of the picture, (24, 24, 3): the page marks what lies outside it."""
    picture = Image.open(io.BytesIO(content)).convert("RGB").resize((64, 48))
    return np.asarray(picture, dtype=np.float32)[12:36, 20:44]


def _upper_end(values: np.ndarray) -> float:
    """Where a colour scale of positive evidence ends; the page shows 0 to 1 for none."""
    highest = float(values.max())
    return highest if highest > 0 else 1.0


def _differ(one: Expected, other: Expected) -> bool:
    return one.label != other.label or abs(one.logit - other.logit) > 0.05


# Comparing a page with it

_GUESS = re.compile(r"^Its (?P<guess>\S+) guess of \d+\.", re.MULTILINE)
_EXPLAINED = re.compile(
    r"^Explained: (?P<label>.+), (?P<under><\s)?(?P<share>[\d.]+)\s%$", re.MULTILINE
)
_MAP = (
    r"(?P<model>EfficientNet-\w+) at \d+ px, weights: (?P<weights>\S+?)\.?\s+"
    r"(?P<method>CAM|Grad-CAM), class “(?P<label>[^”]+)”, stage (?P<stage>\d) \([^)]*\), "
    r"scale of its own 0 to (?P<high>\d[\d.e+-]*\d|\d)"
)
_ALTERNATIVE_TEXT = re.compile(_MAP)
_CAPTION = re.compile(
    r"^Photograph: (?P<photograph>.+)\n(?:.+\n)*?Image SHA-256 (?P<digest>[0-9a-f]{64})\n"
    rf"(?:.+\n)*?{_MAP}$",
    re.MULTILINE,
)
_UPLOAD = re.compile(r"photograph-\d+")


def differences(
    photograph: Photograph, model: str, stage: int, expected: Expected, page: Sequence[str]
) -> list[str]:
    """How the texts of a page, with the captions of its maps, differ from what they must say.

    Last digits may differ by rounding. An empty list: the page shows its own result.
    """
    text = "\n".join(page)
    found: list[str] = []

    def compare(what: str, shown: object, wanted: object, *, same: bool) -> None:
        if not same:
            found.append(f"{what} is {shown}, must be {wanted}")

    headline = f"{capitalised(expected.label)}, "
    shown_first = any(line.startswith(headline) for line in text.splitlines())
    compare("headline", "another", f"{headline}…", same=shown_first)
    guess = _GUESS.search(text)
    # Far down the ranking, logits lie closer than the last digit of a computation.
    slack = 0 if expected.rank <= 5 else 1 + expected.rank // 100
    ranks = range(max(1, expected.rank - slack), expected.rank + slack + 1)
    near = guess is not None and guess["guess"] in map(ordinal_word, ranks)
    compare("guess", guess and guess["guess"], ordinal_word(expected.rank), same=near)
    answers = list(_EXPLAINED.finditer(text))  # beside the maps, and for a presenter
    compare("number of explained classes", 0, "at least 1", same=bool(answers))
    for answer in answers:
        label, wanted = answer["label"], expected.probability
        compare("class", label, expected.label, same=label == expected.label)
        share = float(answer["share"])
        near = wanted < 0.11 if answer["under"] else abs(share - wanted) <= 0.101
        compare("share", share, f"{wanted:.2f}", same=near)
    maps = list(_CAPTION.finditer(text))
    for method, number, high in (
        ("CAM", 9, expected.cam),
        ("Grad-CAM", stage, expected.grad_cam[stage]),
    ):
        mine = [shown for shown in maps if shown["method"] == method]
        compare(f"number of {method} captions", len(mine), 1, same=len(mine) == 1)
        for shown in mine:
            for what, wanted_text in {
                "photograph": photograph.name,
                "digest": photograph.digest,
                "model": MODELS[model],
                "label": expected.label,
                "stage": str(number),
            }.items():
                same = shown[what] == wanted_text
                compare(f"{method}'s {what}", shown[what], wanted_text, same=same)
            weights = shown["weights"]
            own = weights.startswith(f"{MODELS[model].lower()}-")
            compare(f"{method}'s weights", weights, f"those of {model}", same=own)
            near = abs(float(shown["high"]) - high) <= _last_digit(high)
            compare(f"{method}'s scale", shown["high"], f"{high:.4g}", same=near)
    named = set(_UPLOAD.findall(text)) - {photograph.name.removesuffix(".jpg")}
    compare("a stranger's file", sorted(named), "nowhere", same=not named)
    return found


def shows(picture: str, model: str, expected: Expected) -> bool:
    """Whether the alternative text of a picture belongs to this CAM."""
    shown = _ALTERNATIVE_TEXT.search(picture)
    return (
        shown is not None
        and shown["method"] == "CAM"
        and shown["model"] == MODELS[model]
        and shown["label"] == expected.label
        and abs(float(shown["high"]) - expected.cam) <= _last_digit(expected.cam)
    )


def _last_digit(value: float) -> float:
    """One unit of the third significant digit, which is the last one shown."""
    return 1.01 * 10.0 ** (math.floor(math.log10(value)) - 2)
