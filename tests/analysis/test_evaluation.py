"""Methods in numbers: toys whose evidence is known, and Lite0."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import numpy as np
import pytest

from effnet_viz import Analysis, Model, analyse, evaluate
from effnet_viz.analysis import evaluation
from effnet_viz.analysis.evaluation import (
    MEASURES,
    Evaluation,
    MethodRefused,
    MethodScores,
    passes_of,
    score_method,
    standings,
)
from effnet_viz.analysis.pointing_game import GridCell, entry_for_mosaic, grid_pointing
from effnet_viz.arrays import Floats, Placement
from effnet_viz.attribution import methods
from effnet_viz.attribution.methods import Method, MethodRefusedError, Question
from effnet_viz.engines.engine import Activations, Engine, lock
from effnet_viz.engines.structure import Structure
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models import variants
from effnet_viz.models.classes import Classes
from effnet_viz.models.identity import ModelId
from effnet_viz.models.model import Model as ModelRecord
from effnet_viz.models.zoo import ModelCard
from tests.conftest import SAMPLES, eager

Maps = Mapping[str, Callable[[Floats], Floats]]


class Formula:
    """An engine whose two logits are a formula of the input."""

    name = "a formula"
    head = None

    def __init__(self, probability: Callable[[Floats], Floats]) -> None:
        self._probability = probability
        self.images = 0

    def explain(self, *_: object) -> dict[int, object]:
        return {}

    def forward(self, images: Floats) -> Activations:
        self.images += len(images)
        p = np.clip(self._probability(images.astype(np.float64)), 1e-9, 1 - 1e-9)  # (B,)
        logits = np.log(np.stack([p, 1 - p], axis=1)).astype(np.float32)  # (B, 2)
        stage = np.zeros((len(images), 1, 1, 1), np.float32)  # (B, 1, 1, 1)
        return Activations(lock(logits), MappingProxyType({1: lock(stage)}), 0.0)


@dataclasses.dataclass
class _Structure:
    last: int = 1
    stages: Mapping[int, object] = dataclasses.field(
        default_factory=lambda: {1: _Stage(Placement.even(1))}
    )


@dataclasses.dataclass
class _Stage:
    placement: Placement


def toy(side: int, engine: Formula, maps: Maps, *, std: float = 1.0, mean: float = 0.0) -> Model:
    """A model of this engine whose methods are functions of the input."""

    def run(
        model: Model,
        method: Method,
        image: Floats,
        question: Question,
        *,
        progress: Callable[[float], None],
    ) -> Floats:
        del model, question
        progress(0.5)
        return maps[method.key](image)

    return ModelRecord(
        ModelId("toy", "untrained toy"),
        ModelCard("Toy", "a formula", None, None, side, "none", None, None),
        Classes(["yes", "no"]),
        ResizeAndCrop(side, side, "bilinear", (mean,) * 3, (std,) * 3),
        cast(Engine, engine),
        cast(Structure, _Structure()),
        "untrained",
        lambda: pytest.fail("No network is asked for."),
        run,
    )


def photograph(pixels: np.ndarray) -> Photograph:
    return Photograph(np.ascontiguousarray(pixels, np.uint8), "toy", ())


GREY = photograph(np.full((8, 8, 3), 204))  # 0.8 everywhere


def marking(side: int, cells: Mapping[tuple[int, int], float]) -> Floats:
    values = np.zeros((side, side), np.float32)
    for place, value in cells.items():
        values[place] = value
    return values


def scored(found: Evaluation, key: str) -> MethodScores:
    row = found.rows[key]
    assert isinstance(row, MethodScores)
    return row


# By hand


def test_drop_and_increase_by_hand() -> None:
    """p is the mean of the four pixels in the upper left corner, of which the map keeps 1.5."""
    engine = Formula(lambda x: x[:, 0, :2, :2].mean(axis=(1, 2)))
    values = marking(8, {(0, 0): 2, (0, 1): 1, (1, 0): -3, (7, 7): 1})
    model = toy(8, engine, {"saliency": lambda _: values})
    found = scored(evaluate(GREY, model, ["saliency"], "yes"), "saliency")
    assert found.attribution.target.probability == pytest.approx(0.8)
    assert found.average_drop == pytest.approx((0.8 - 0.8 * 1.5 / 4) / 0.8)
    assert found.increase is False


def test_a_distraction_that_is_dimmed_makes_the_network_surer() -> None:
    """p is what the mean of the last row lacks of 1, and the map marks the first row."""
    engine = Formula(lambda x: 1 - x[:, 0, -1].mean(axis=1))
    values = marking(8, {(0, column): 1 for column in range(8)})
    model = toy(8, engine, {"saliency": lambda _: values})
    found = scored(evaluate(GREY, model, ["saliency"], "yes"), "saliency")
    assert (found.average_drop, found.increase) == (0, True)
    assert found.value("increase") == 1


def test_stability_by_hand() -> None:
    """A map that looks at each pixel alone moves with it. One that always rises from left to right
    is turned round by the flip, and neither the shift nor the brightness changes its ranks."""
    rising = np.tile(np.arange(16, dtype=np.float32), (16, 1))
    seen: list[Floats] = []

    def brightness(image: Floats) -> Floats:
        seen.append(image)
        mean: Floats = image[0].mean(axis=0)
        return mean

    model = toy(
        16,
        Formula(lambda x: 0.5 + x.mean(axis=(1, 2, 3)) / 10),
        {"saliency": brightness, "lrp": lambda _: rising},
        mean=0.5,
        std=0.25,
    )
    noise = photograph(np.random.default_rng(3).integers(0, 256, (16, 16, 3)))
    found = evaluate(noise, model, ["saliency", "lrp"])
    assert scored(found, "saliency").stability == pytest.approx(1, abs=1e-4)
    assert scored(found, "lrp").stability == pytest.approx((1 - 1 + 1) / 3)
    original, shifted, flipped, brighter = seen
    np.testing.assert_array_equal(shifted[..., 4:, 4:], original[..., :-4, :-4])
    np.testing.assert_array_equal(flipped, original[..., ::-1])
    pixels, after = (x * 0.25 + 0.5 for x in (original, brighter))
    np.testing.assert_allclose(after, 1.1 * pixels, atol=1e-5)


def test_places_by_hand() -> None:
    assert standings([0.3, 0.9, 0.1], "higher") == [2, 1, 3]
    assert standings([0.3, 0.9, 0.1], "lower") == [2, 3, 1]
    assert standings([5, 7, 5, 1], "lower") == [2.5, 4, 2.5, 1]
    assert standings([1, 1, 1], "higher") == [2, 2, 2]
    assert standings([0.5, 0.5 + 1e-8, 0.6], "higher") == [2.5, 2.5, 1]
    assert standings([], "higher") == []


# A network whose evidence is known

SIDE = 32


def linear() -> tuple[Photograph, Model]:
    """Noise whose every pixel speaks for or against the class, more so in some places than others.

    The logit is the sum of weight · pixel, so weight · pixel is what each pixel adds: the truth.
    Blurred or filled in, noise is gone, and with it what it added.
    """
    random = np.random.default_rng(0)
    pixels = random.choice([0, 255], (SIDE, SIDE, 3))
    x = (pixels / 255 - 0.5).transpose(2, 0, 1) / 0.5  # (3, R, R), -1 or 1
    across = np.linspace(0, 2 * np.pi, SIDE)
    speaks = np.sin(across)[None, :] * np.cos(across / 2)[:, None] + 0.15  # (R, R)
    weight = 4 * speaks * x / np.abs(speaks).sum()  # (3, R, R)
    noise = random.normal(size=(SIDE, SIDE)).astype(np.float32)

    def truth(image: Floats) -> Floats:
        return (weight * image[0]).sum(axis=0).astype(np.float32)

    maps = {
        "input-x-gradient": truth,
        "saliency": lambda image: -truth(image),
        "deep-lift": lambda _: noise,
        "lrp": lambda _: np.zeros((SIDE, SIDE), np.float32),
    }
    engine = Formula(lambda x: 1 / (1 + np.exp(-(weight * x).sum(axis=(1, 2, 3)))))
    return photograph(pixels), toy(SIDE, engine, maps, mean=0.5, std=0.5)


@pytest.fixture(scope="module")
def known() -> Evaluation:
    source, model = linear()
    return evaluate(source, model, ["deep-lift", "input-x-gradient", "saliency", "lrp"], "yes")


def test_the_truth_beats_chance_and_chance_beats_its_negation(known: Evaluation) -> None:
    truth, chance, negation = (
        scored(known, key) for key in ("input-x-gradient", "deep-lift", "saliency")
    )
    assert truth.deletion < chance.deletion < negation.deletion
    assert truth.insertion > chance.insertion > negation.insertion
    assert truth.road > chance.road > negation.road
    assert truth.road > 0.1
    assert abs(chance.road) < 0.05
    assert truth.average_drop < negation.average_drop


def test_ranks_follow_the_direction_of_the_measure(known: Evaluation) -> None:
    for key in ("deletion", "insertion", "road"):
        assert known.ranks[key]["input-x-gradient"] == 1
        assert known.ranks[key]["saliency"] == max(known.ranks[key].values())
    # Truth and negation have the same magnitudes: they share the places that they take.
    sparse = known.ranks["sparseness"]
    assert sparse["input-x-gradient"] == sparse["saliency"]
    assert sorted(sparse.values()) in ([1, 2.5, 2.5], [1.5, 1.5, 3])
    assert known.ranks["pointing"] == {}


def test_a_flat_map_has_no_place_where_its_number_is_undefined(known: Evaluation) -> None:
    flat = scored(known, "lrp")
    assert math.isnan(flat.stability)
    assert math.isnan(flat.sparseness)
    assert flat.value("stability") is None
    assert "lrp" not in known.ranks["stability"]
    assert "lrp" in known.ranks["deletion"]


def test_rows_are_plain(known: Evaluation) -> None:
    rows = known.as_rows()
    assert [row["method"] for row in rows] == list(known.rows)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    keys = {"method", "title", "stage", "target", "reason", "passes", "seconds"}
    measures = {measure.key for measure in MEASURES}
    assert set(rows[0]) == keys | measures | {f"{key}_rank" for key in measures}
    writer = csv.DictWriter(io.StringIO(), list(rows[0]))
    writer.writerows(rows)
    assert rows[1]["road_rank"] == 1
    assert rows[1]["target"] == "yes"


def test_the_same_call_gives_the_same_bits(known: Evaluation) -> None:
    source, model = linear()
    again = evaluate(source, model, list(known.rows), "yes")
    for one, other in zip(known.as_rows(), again.as_rows(), strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_passes_and_progress_are_as_announced() -> None:
    """A method that the engine does not see takes none of its passes."""
    source, model = linear()
    engine = cast(Formula, model.engine)
    analysis = analyse(source, model, "yes")
    engine.images = 0
    heard: list[float] = []
    found = score_method(analysis, "saliency", progress=heard.append)
    assert engine.images == evaluation.PERTURBATIONS + 3 == 52
    assert passes_of(found.method) == 52 + 4 * found.passes
    assert heard == sorted(heard)
    assert 0 <= heard[0] < 0.1
    assert 0.8 < heard[-1] <= 1
    heard.clear()
    evaluate(source, model, ["saliency", "lrp", "saliency"], "yes", progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_what_progress_raises_ends_the_work() -> None:
    source, model = linear()

    def stop(done: float) -> None:
        if done > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate(source, model, ["saliency", "lrp"], progress=stop)


# Methods that refuse


def test_a_method_that_refuses_stands_in_the_table_with_its_reason() -> None:
    def refuses(_: Floats) -> Floats:
        raise MethodRefusedError("This network has no ReLU. Choose another method.")

    model = toy(8, Formula(lambda x: x.mean(axis=(1, 2, 3))), {
        "guided-backprop": refuses, "saliency": lambda image: image[0, 0],
    })  # fmt: skip
    asked = ["guided-backprop", "saliency", "cam"]
    noise = photograph(np.random.default_rng(1).integers(0, 256, (8, 8, 3)))
    found = evaluate(noise, model, asked)
    assert list(found.rows) == asked
    assert [row.method.key for row in found.scores] == ["saliency"]
    row = found.rows["guided-backprop"]
    assert isinstance(row, MethodRefused)
    assert row.reason == "This network has no ReLU. Choose another method."
    plain = found.as_rows()
    assert plain[0]["reason"] == row.reason
    assert (plain[0]["road"], plain[0]["road_rank"], plain[0]["seconds"]) == (None, None, None)
    assert plain[1]["reason"] is None
    assert "no class activation map" in str(plain[2]["reason"])
    assert found.ranks["road"] == {"saliency": 1}


def test_all_quick_methods_are_asked_unless_others_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> MethodScores:
        raise MethodRefusedError("No.")

    monkeypatch.setattr(evaluation, "score_method", refuse)
    source, model = linear()
    asked = {row.method.key for row in evaluate(source, model).refused}
    assert asked == {m.key for m in methods.METHODS.values() if m.passes <= methods.QUICK}
    assert {"cam", "grad-cam"} < asked
    assert not {"score-cam", "lime"} & asked


def test_errors_come_before_the_work() -> None:
    source, model = linear()
    with pytest.raises(methods.UnknownMethodError, match="Did you mean"):
        evaluate(source, model, ["saliencey"])
    cells = [GridCell(GREY, 0), GridCell(GREY, 1)]
    with pytest.raises(ValueError, match="twice"):
        evaluate(source, model, ["saliency"], cells=cells)


# Lite0


@pytest.fixture(scope="module")
def of_cat(cat: Analysis) -> Evaluation:
    source = decode(SAMPLES / "cat.jpg")
    asked = ["cam", "grad-cam", "gradient-x-activation"]
    return evaluate(source, cat.model, asked, stage=8)


def test_every_number_of_the_cat_is_finite(of_cat: Evaluation) -> None:
    assert [row.attribution.stage for row in of_cat.scores] == [9, 8, 8]
    for row in of_cat.scores:
        for measure in MEASURES:
            value = row.value(measure.key)
            assert (value is None) == (measure.key == "pointing")
            assert value is None or math.isfinite(value)
        assert 0 < row.deletion < row.insertion
        assert 0.8 < row.stability <= 1
        assert 0 < row.sparseness < 1
        assert row.seconds >= 0


def test_grad_cam_beats_its_own_reverse_on_the_cat(cat: Analysis, of_cat: Evaluation) -> None:
    """The reverse comes as a method of a library would, since no own method is that wrong."""

    def reverse(*_: object, **__: object) -> Floats:
        return -cat.grad_cam(8)

    reversed_model = dataclasses.replace(cat.model, runner=reverse)
    analysis = dataclasses.replace(cat, model=reversed_model)
    wrong = score_method(analysis, "layer-cam", stage=8)
    right = scored(of_cat, "grad-cam")
    assert right.road > 0.02
    assert wrong.road == pytest.approx(-right.road, abs=0.01)  # other pixels at ties alone
    assert right.deletion < wrong.deletion
    assert right.insertion > wrong.insertion


def test_any_method_plays_the_pointing_game(cat: Analysis, of_cat: Evaluation) -> None:
    doubled = eager(entry_for_mosaic(variants.find("lite0")).key)
    names = {"cat": "tiger cat", "espresso": "espresso"}
    cells = [
        GridCell(decode(SAMPLES / f"{name}.jpg"), doubled.classes.index(label))
        for name, label in names.items()
    ]
    unnamed, named = (
        grid_pointing(doubled, cells, 8, method=method) for method in (None, methods.GRAD_CAM)
    )
    assert unnamed.method is named.method is methods.GRAD_CAM
    assert unnamed.mean == named.mean
    played = score_method(cat, "gradient-x-activation", stage=8, cells=cells, doubled=doubled)
    assert played.pointing is not None
    assert 0.4 < played.pointing <= 1
    alone = scored(of_cat, "gradient-x-activation")
    assert [played.value(m.key) for m in MEASURES if m.key != "pointing"] == [
        alone.value(m.key) for m in MEASURES if m.key != "pointing"
    ]

    def ramp(model: Model, *_: object, **__: object) -> Floats:
        side = model.preprocessing.resolution
        return np.tile(np.linspace(-1, 1, side, dtype=np.float32), (side, 1))

    pixels = grid_pointing(
        dataclasses.replace(doubled, runner=ramp), cells, method="input-x-gradient"
    )
    assert pixels.placement == Placement.even(448)
    assert [score.share for score in pixels.scores] == pytest.approx([0, 0.5])
