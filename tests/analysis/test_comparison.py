"""Several networks on one photograph: what is compared is in the same place, of the same kind."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch
from scipy import ndimage

from effnet_viz import Analysis, Comparison, Model, compare, explain_each
from effnet_viz.analysis import comparison, faithfulness
from effnet_viz.analysis.comparison import Failure, NetworkResult, OtherClassesError
from effnet_viz.analysis.explanation import GRID, Explanation, explain
from effnet_viz.analysis.faithfulness import deletion_insertion, perturb
from effnet_viz.analysis.pointing_game import GridCell, entry_for_mosaic, grid_pointing, mosaic
from effnet_viz.attribution import methods
from effnet_viz.engines.engine import EngineError
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.metrics import agreement
from effnet_viz.metrics.deletion import area_under_curve
from effnet_viz.models import variants, zoo
from effnet_viz.models.classes import Classes, UnknownClassError, imagenet
from effnet_viz.models.model import of_entry
from effnet_viz.models.variants import ModelRef
from effnet_viz.models.weights import WeightsError
from effnet_viz.pictures import report
from tests.conftest import SAMPLES, eager, loaded

CLASSES = {"cat": "tiger cat", "espresso": "espresso", "palace": "palace"}


@cache
def photograph(name: str) -> Photograph:
    return decode(SAMPLES / f"{name}.jpg")


@cache
def explained(name: str) -> Explanation:
    """Lite0's map of a sample."""
    return explain(photograph(name), loaded("lite0"), CLASSES[name])


@pytest.fixture(scope="module", autouse=True)
def fewer_steps() -> Iterator[None]:
    """A race of four passes instead of forty, and models without the engine that takes seconds."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(faithfulness, "FRACTIONS", (0.0, 0.5, 1.0))
        patched.setattr(comparison, "load", eager)
        yield


@pytest.fixture(scope="module")
def cells() -> list[GridCell]:
    return [GridCell(photograph(name), imagenet().index(label)) for name, label in CLASSES.items()]


@pytest.fixture(scope="module")
def compared(cells: list[GridCell]) -> Comparison:
    """A small one: Lite0 at two resolutions, an untrained one, and two that cannot work."""
    return compare(
        SAMPLES / "cat.jpg",
        [
            "b0-d4",
            eager("lite0-r96"),
            "lite0-r128",
            eager("b0-w0.25-d0.25-r64", untrained=True),
            of_entry(variants.find("b6"), Broken(), None),
        ],
        cells=cells,
    )


class Broken:
    """An engine that the machine cannot run."""

    name = "broken"
    head = None

    def forward(self, _: np.ndarray) -> None:
        raise EngineError("a library's own words")

    gradient = forward


# One network


def test_maps_are_in_units_of_the_logit_at_every_stage() -> None:
    """Its mean and the bias make the logit at the last stage; elsewhere it is Grad-CAM."""
    explanation = explained("cat")
    analysis, attribution = explanation.analysis, explanation.attribution
    head = analysis.model.engine.head
    assert head is not None
    bias = float(head.bias[analysis.target.index])
    assert attribution.values.mean() + bias == pytest.approx(analysis.target.logit, abs=1e-4)
    assert (attribution.method, attribution.stage) == (methods.CAM, 9)
    earlier = explain(photograph("cat"), analysis.model, "tiger cat", 5).attribution
    assert (earlier.method, earlier.stage) == (methods.GRAD_CAM, 5)
    assert np.array_equal(earlier.values, analysis.grad_cam(5))


def test_every_result_says_where_it_comes_from(compared: Comparison) -> None:
    for result in compared.networks:
        assert result.deletion_insertion is not None
        for attribution in (result.explanation.attribution, result.deletion_insertion.attribution):
            assert attribution.provenance == result.explanation.analysis.provenance
            assert attribution.target.label == "Egyptian cat"
            assert (attribution.stage, attribution.method) == (9, methods.CAM)


# Deletion and insertion


def test_the_mask_covers_the_hottest_pixels_of_the_crop() -> None:
    explanation = explained("cat")
    prepared = perturb(
        photograph("cat"), explanation.analysis.model.preprocessing, explanation.attribution
    )
    assert prepared.crop == explanation.analysis.crop
    mask = prepared.mask(0.1)
    assert mask.mean() == pytest.approx(0.1, abs=1e-4)
    # 224 pixels over 7 cells: the middle of the hottest cell is removed, of the coldest not.
    centres = mask[16::32, 16::32]
    assert centres.shape == (7, 7)
    assert centres.ravel()[explanation.attribution.values.argmax()]
    assert not centres.ravel()[explanation.attribution.values.argmin()]


def test_deleted_and_inserted_pictures_are_mirrored() -> None:
    explanation = explained("cat")
    preprocessing = explanation.analysis.model.preprocessing
    prepared = perturb(photograph("cat"), preprocessing, explanation.attribution)
    x, _ = preprocessing(photograph("cat"))
    assert np.array_equal(prepared.image(0, "deletion"), x)
    assert np.array_equal(prepared.image(1, "insertion"), x)
    assert np.array_equal(prepared.image(1, "deletion"), prepared.image(0, "insertion"))
    mask = prepared.mask(0.3)
    deleted, inserted = (prepared.image(0.3, kind)[0] for kind in ("deletion", "insertion"))
    assert np.array_equal(deleted[:, ~mask], prepared.original[:, ~mask])
    assert np.array_equal(deleted[:, mask], prepared.baseline[:, mask])
    assert np.array_equal(deleted + inserted, prepared.original + prepared.baseline)
    assert prepared.baseline.std() < prepared.original.std()


def test_the_picture_of_an_input_is_the_photograph_that_made_it() -> None:
    preprocessing = variants.find("lite0").preprocessing
    x, crop = preprocessing(photograph("cat"))
    picture = preprocessing.picture(x)
    shown = photograph("cat").cropped(crop, preprocessing.resolution)
    assert np.abs(picture.astype(int) - shown.astype(int)).mean() < 3  # another filter


def test_deletion_and_insertion_on_real_weights() -> None:
    heard: list[float] = []
    both = deletion_insertion(explained("cat"), photograph("cat"), heard.append)
    assert len(heard) == 4  # both ends are shared
    assert heard == sorted(heard)
    assert heard[-1] == 1
    first, last = both.deletion.probabilities[0], both.deletion.probabilities[-1]
    assert first == pytest.approx(explained("cat").analysis.target.probability, rel=1e-4)
    inserted = both.insertion.probabilities
    assert (inserted[0], inserted[-1]) == (last, first)
    assert both.deletion.fractions == both.insertion.fractions == faithfulness.FRACTIONS
    assert both.deletion.area == pytest.approx(
        area_under_curve(faithfulness.FRACTIONS, both.deletion.probabilities)
    )
    assert both.relative_area("deletion") == pytest.approx(both.deletion.area / first)


def with_values(explanation: Explanation, values: np.ndarray) -> Explanation:
    attribution = dataclasses.replace(explanation.attribution, values=values)
    return dataclasses.replace(explanation, attribution=attribution)


def test_the_networks_own_map_finds_what_the_network_needs() -> None:
    """Against the same map upside down in value: the least important pixels first."""
    explanation = explained("espresso")
    own = deletion_insertion(explanation, photograph("espresso"))
    opposite = with_values(explanation, -explanation.attribution.values)
    other = deletion_insertion(opposite, photograph("espresso"))
    assert own.deletion.area < other.deletion.area
    assert own.insertion.area > other.insertion.area


# Grid pointing game


def test_a_mosaic_holds_each_photograph_as_the_network_sees_it_alone(cells: list[GridCell]) -> None:
    entry = variants.find("lite1")
    doubled = entry_for_mosaic(entry)
    assert doubled.key == "lite1-r480"
    image = mosaic(cells, doubled.preprocessing)
    assert image.shape == (1, 3, 480, 480)
    places = [(0, 0), (0, 240), (240, 0)]
    for cell, (y, x) in zip(cells, places, strict=True):
        alone, _ = entry.preprocessing(cell.photograph)
        assert np.array_equal(image[:, :, y : y + 240, x : x + 240], alone)
    assert not image[:, :, 240:, 240:].any()  # the mean colour


def test_a_mosaic_needs_different_classes(cells: list[GridCell]) -> None:
    preprocessing = variants.find("lite0-r448").preprocessing
    for wrong in (cells[:1], [cells[0], cells[0]], cells + cells):
        with pytest.raises(ValueError, match="different classes"):
            mosaic(wrong, preprocessing)


def test_lite0_points_at_the_photograph_of_the_class(cells: list[GridCell]) -> None:
    """Chance is 0.25. The share, counted on the pixels between cells at 16, 48 … of 448."""
    played = grid_pointing(eager("lite0-r448"), cells)
    assert [score.target.label for score in played.scores] == list(CLASSES.values())
    quarters = [np.s_[:224, :224], np.s_[:224, 224:], np.s_[224:, :224]]
    in_cells = (np.arange(448) + 0.5 - 16) / 32
    at = np.meshgrid(in_cells, in_cells, indexing="ij")
    for score, quarter in zip(played.scores, quarters, strict=True):
        positive = np.maximum(score.evidence, 0)
        assert positive.shape == (14, 14)
        pixels = ndimage.map_coordinates(positive, at, order=1, mode="nearest")  # (448, 448)
        assert score.share == pytest.approx(pixels[quarter].sum() / pixels.sum(), rel=1e-4)
        assert score.share > 0.7
    assert played.mean == pytest.approx(np.mean([score.share for score in played.scores]))
    assert played.model.id.key == "lite0-r448"
    assert (played.stage, played.method.title) == (9, "CAM")


def test_the_maps_of_the_game_are_those_of_the_mosaic(cells: list[GridCell]) -> None:
    """At an earlier stage, too, against autograd through the whole network."""
    model = eager("lite0-r192")
    played = grid_pointing(model, cells, stage=6)
    network = model.engine.network  # type: ignore[attr-defined]
    image = torch.from_numpy(mosaic(cells, model.preprocessing))
    outputs = network.forward_intermediates(image)
    leaf = outputs[5].detach().requires_grad_()
    logit = network.tail(leaf, 6)[0, cells[2].target]
    (gradient,) = torch.autograd.grad(logit, leaf)
    weight = gradient.mean(dim=(2, 3), keepdim=True)
    expected = ((weight * leaf).sum(dim=1)[0] * leaf[0, 0].numel()).detach().numpy()
    np.testing.assert_allclose(played.scores[2].evidence, expected, rtol=1e-3, atol=1e-3)


def test_a_network_too_large_for_the_game_says_so() -> None:
    with pytest.raises(variants.VariantError, match="of B7"):
        entry_for_mosaic(variants.find("b6"))


# All networks


def test_networks_that_cannot_work_do_not_stop_the_others(compared: Comparison) -> None:
    names = [result.explanation.analysis.model.name for result in compared.networks]
    assert names == ["lite0-r96", "lite0-r128", "b0-w0.25-d0.25-r64 (untrained)"]
    missing, broken = compared.failures
    assert missing.model == "b0-d4"
    assert "No weights were ever published" in missing.message
    assert broken.model == "b6"
    assert "does not run on this machine. Choose another network" in broken.message
    assert "a library's own words" not in broken.message
    assert isinstance(broken.error, EngineError)


@pytest.mark.parametrize("error", [TypeError("a mistake"), RuntimeError("another one")])
def test_a_mistake_of_ours_is_no_property_of_the_network(error: Exception) -> None:
    class Mistaken(Broken):
        def forward(self, _: np.ndarray) -> None:
            raise error

    model = of_entry(variants.find("b0"), Mistaken(), None)
    with pytest.raises(type(error), match=str(error)):
        list(explain_each(SAMPLES / "cat.jpg", [model]))


def test_each_network_comes_as_soon_as_it_is_there_and_trained_ones_first() -> None:
    """One failure by memory, one untrained, one trained: asked one by one."""
    asked: list[str] = []

    def explain_one(
        photo: Photograph,
        model: str | ModelRef | Model,
        target: int | str | None,
        stage: int | None,
    ) -> Explanation:
        assert isinstance(model, ModelRef)
        asked.append(model.key)
        if model.key == "b7":
            raise MemoryError
        return explain(photo, eager(model.key, untrained=model.untrained), target, stage)

    refs = [ModelRef("b0-w0.25-d0.25-r64", untrained=True), ModelRef("b7"), ModelRef("lite0-r96")]
    outcomes = explain_each(SAMPLES / "cat.jpg", refs, stage=5, explain=explain_one)
    place, first = next(outcomes)
    assert (place, asked) == (1, ["b7"])
    assert isinstance(first, Failure)
    assert "needs more memory" in first.message
    place, second = next(outcomes)
    assert (place, asked) == (2, ["b7", "lite0-r96"])
    assert isinstance(second, Explanation)
    place, third = next(outcomes)
    assert (place, list(outcomes)) == (0, [])
    assert isinstance(third, Explanation)
    assert third.attribution.target.index == second.attribution.target.index
    assert third.attribution.stage == 5


def test_all_explain_the_class_of_the_first_that_works(compared: Comparison) -> None:
    first = compared.networks[0].explanation.analysis
    assert first.target == first.predictions[0]
    assert {r.explanation.analysis.target.index for r in compared.networks} == {first.target.index}


def test_an_untrained_network_names_the_class_only_when_alone() -> None:
    untrained = eager("b0-w0.25-d0.25-r64", untrained=True)
    chance = explain(photograph("cat"), untrained).analysis.target.label
    alone = compare(SAMPLES / "cat.jpg", [untrained])
    assert [result.explanation.attribution.target.label for result in alone.networks] == [chance]
    both = compare(SAMPLES / "cat.jpg", [untrained, eager("lite0-r128")])
    assert [result.explanation.attribution.provenance.model for result in both.networks] == [
        *("b0-w0.25-d0.25-r64", "lite0-r128"),
    ]
    trained = both.networks[1].explanation.analysis
    assert trained.target == trained.predictions[0]
    assert trained.target.label != chance
    assert both.networks[0].explanation.analysis.target.index == trained.target.index


def test_agreement_is_measured_on_one_grid(compared: Comparison) -> None:
    region = compared.region
    for result, values in zip(compared.networks, compared.maps, strict=True):
        left, top, right, bottom = result.explanation.analysis.crop.box
        assert left <= region[0] < region[2] <= right
        assert top <= region[1] < region[3] <= bottom
        assert values.shape == (GRID, GRID)
    for matrix, measure in (
        (compared.rank_correlation, agreement.rank_correlation),
        (compared.overlap, agreement.top_iou),
    ):
        np.testing.assert_allclose(np.diag(matrix), 1)
        np.testing.assert_allclose(matrix, matrix.T)
        assert matrix[0, 1] == measure(compared.maps[0], compared.maps[1])
    assert compared.disagreement.shape == (GRID, GRID)
    assert 0 < compared.disagreement.max() <= 0.5


def test_the_same_network_twice_agrees_with_itself() -> None:
    twice = Comparison((NetworkResult(explained("cat")),) * 2)
    np.testing.assert_allclose(twice.rank_correlation, 1)
    assert twice.overlap.min() == 1
    assert twice.disagreement.max() == 0


def test_mixed_recipes_are_told(compared: Comparison) -> None:
    assert compared.recipes == ("EfficientNet-Lite (Google)",)
    assert compared.notes == ()
    explanation = explained("cat")
    analysis = replace_recipe(explanation.analysis, "another recipe")
    foreign = dataclasses.replace(explanation, analysis=analysis)
    mixed = Comparison((NetworkResult(explanation), NetworkResult(foreign)))
    (note,) = mixed.notes
    assert "2 recipes" in note
    assert "another recipe" in note


def replace_recipe(analysis: Analysis, recipe: str) -> Analysis:
    provenance = dataclasses.replace(analysis.provenance, recipe=recipe)
    return dataclasses.replace(analysis, provenance=provenance)


def test_what_makes_no_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        compare(SAMPLES / "cat.jpg", [])
    with pytest.raises(ValueError, match="1 to 9"):
        compare(SAMPLES / "cat.jpg", ["lite0"], stage=0)
    with pytest.raises(zoo.UnknownModelError):
        compare(SAMPLES / "cat.jpg", ["lite9"])
    with pytest.raises(UnknownClassError):
        compare(SAMPLES / "cat.jpg", ["lite0"], "Tiger")
    with pytest.raises(WeightsError, match="No weights were ever published"):
        compare(SAMPLES / "cat.jpg", ["b0-d4", "b0-w2"])


# The table


def test_the_table_has_every_number(compared: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(report.comparison_csv(compared))))
    assert [row["model"] for row in rows] == [
        *("lite0-r96", "lite0-r128", "b0-w0.25-d0.25-r64", "b0-d4", "b6"),
    ]
    for place, (row, result) in enumerate(zip(rows, compared.networks, strict=False)):
        explanation = result.explanation
        assert row["weights"] == explanation.analysis.model.weights_name
        assert row["trained"] == str(explanation.analysis.model.trained)
        assert row["target"] == "Egyptian cat"
        assert float(row["probability"]) == explanation.analysis.target.probability
        assert float(row["spearman with lite0-r96"]) == compared.rank_correlation[place, 0]
        assert float(row["iou of top 20 % with lite0-r128"]) == compared.overlap[place, 1]
        assert (
            float(row["area with half of the positive evidence"]) == explanation.concentration.area
        )
        assert result.deletion_insertion is not None
        assert result.pointing is not None
        assert float(row["area under insertion"]) == result.deletion_insertion.insertion.area
        assert (
            float(row["probability at 50% deletion"])
            == result.deletion_insertion.deletion.probabilities[1]
        )
        share = row["pointing: share for espresso"]
        assert float(share) == result.pointing.scores[1].share
    assert rows[0]["weights sha256"].startswith("57934424")
    assert "Another resolution" in rows[0]["caveats"]
    assert "Untrained" in rows[2]["caveats"]
    assert "No weights were ever published" in rows[3]["notes"]
    assert rows[3]["probability"] == ""


def test_undefined_numbers_are_empty_cells() -> None:
    explanation = explained("cat")
    against = with_values(explanation, -np.abs(explanation.attribution.values))
    table = report.comparison_csv(Comparison((NetworkResult(against),)))
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["area with half of the positive evidence"] == ""
    assert row["regions in it"] == "0"
    assert "Nothing speaks for the class" in row["caveats"]
    assert "area under deletion" not in row


def test_networks_of_other_classes_are_not_compared() -> None:
    """Not even in another order: a mosaic finds a class by its place."""
    small = eager("lite0-r96")
    fewer = dataclasses.replace(small, classes=Classes(imagenet()[:5]))
    turned = dataclasses.replace(small, classes=Classes(reversed(imagenet())))
    outcomes = dict(explain_each(photograph("cat"), [small, fewer, turned, small]))
    assert isinstance(outcomes[0], Explanation)
    assert isinstance(outcomes[3], Explanation)
    for place, counts in ((1, ": it has 5, and that one 1000"), (2, "")):
        failure = outcomes[place]
        assert isinstance(failure, Failure)
        assert isinstance(failure.error, OtherClassesError)
        assert failure.message == (
            f"It tells other classes apart than {small.card.title}{counts}. Maps are compared for "
            "one class: compare networks of the same classes."
        )
    # The first that works says which.
    [failed] = compare(photograph("cat"), ["b0-d4", turned, small]).failures[1:]
    assert isinstance(failed.error, OtherClassesError)
