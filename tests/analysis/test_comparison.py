"""Several networks on one photograph: what is compared is in the same place, of the same kind."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch

from effnet_viz import Comparison, compare
from effnet_viz.analysis import comparison, faithfulness
from effnet_viz.analysis.explanation import GRID, Look, evidence_of, look
from effnet_viz.analysis.faithfulness import perturbation, race
from effnet_viz.analysis.pointing_game import Tile, entry_for_mosaic, mosaic, pointing
from effnet_viz.images.decode import decode
from effnet_viz.images.photograph import Photograph
from effnet_viz.images.preprocessing import as_picture, preprocess
from effnet_viz.metrics import agreement
from effnet_viz.metrics.deletion import area_under_curve
from effnet_viz.models import variants, zoo
from effnet_viz.models.classes import UnknownClassError, class_index
from effnet_viz.models.model import Model
from effnet_viz.models.weights import WeightsError
from effnet_viz.pictures import report
from tests.conftest import SAMPLES, eager, loaded

CLASSES = {"cat": "tiger cat", "espresso": "espresso", "palace": "palace"}


@cache
def photograph(name: str) -> Photograph:
    return decode(SAMPLES / f"{name}.jpg")


@cache
def looked(name: str) -> Look:
    """Lite0's look at a sample."""
    return look(photograph(name), loaded("lite0"), CLASSES[name])


@pytest.fixture(scope="module", autouse=True)
def fewer_steps() -> Iterator[None]:
    """A race of four passes instead of forty, and models without the engine that takes seconds."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(faithfulness, "FRACTIONS", (0.0, 0.5, 1.0))
        patched.setattr(comparison, "load", eager)
        yield


@pytest.fixture(scope="module")
def tiles() -> list[Tile]:
    return [Tile(photograph(name), class_index(label)) for name, label in CLASSES.items()]


@pytest.fixture(scope="module")
def compared(tiles: list[Tile]) -> Comparison:
    """A small one: Lite0 at two resolutions, an untrained one, and two that cannot work."""
    return compare(
        SAMPLES / "cat.jpg",
        [
            "b0-d4",
            eager("lite0-r96"),
            "lite0-r128",
            eager("b0-w0.25-d0.25-r64", untrained=True),
            Model(variants.find("b6"), Broken(), None),
        ],
        tiles=tiles,
    )


class Broken:
    """An engine that the machine cannot run."""

    name = "broken"
    head = None

    def forward(self, _: torch.Tensor) -> None:
        raise RuntimeError("out of memory")

    gradient = forward


# One network


def test_evidence_is_in_units_of_the_logit_at_every_stage() -> None:
    """Its mean and the bias make the logit at stage 9; elsewhere it is the enlarged Grad-CAM."""
    look = looked("cat")
    analysis = look.analysis
    bias = float(analysis.model.engine.head.bias[analysis.target.index])
    assert look.evidence.mean() + bias == pytest.approx(analysis.target.logit, abs=1e-4)
    grad_cam = analysis.grad_cam(5)
    np.testing.assert_allclose(evidence_of(analysis, 5), grad_cam * grad_cam.size)
    assert look.method == "CAM"
    assert Look(analysis, 5, grad_cam).method == "Grad-CAM"


def test_every_result_says_where_it_comes_from(compared: Comparison) -> None:
    for result in compared.networks:
        provenance = result.look.analysis.provenance
        assert result.race is not None
        for origin in (result.look.origin, result.race.origin):
            assert origin.model == provenance.model
            assert origin.weights == provenance.weights
            assert origin.trained == provenance.trained
            assert (origin.target, origin.stage, origin.method) == ("Egyptian cat", 9, "CAM")
            assert "logit" in origin.scale


# Deletion race


def test_the_mask_covers_the_hottest_pixels_of_the_crop() -> None:
    look = looked("cat")
    prepared = perturbation(
        photograph("cat"), look.analysis.model.entry.preprocessing, look.evidence
    )
    assert prepared.crop == look.analysis.crop
    mask = prepared.mask(0.1)
    assert mask.mean() == pytest.approx(0.1, abs=1e-4)
    # 224 pixels over 7 cells: the middle of the hottest cell is removed, of the coldest not.
    centres = mask[16::32, 16::32]
    assert centres.ravel()[look.evidence.argmax()]
    assert not centres.ravel()[look.evidence.argmin()]


def test_deleted_and_inserted_pictures_are_mirrored() -> None:
    look = looked("cat")
    preprocessing = look.analysis.model.entry.preprocessing
    prepared = perturbation(photograph("cat"), preprocessing, look.evidence)
    image, _ = preprocess(photograph("cat"), preprocessing)
    assert torch.equal(prepared.image(0, "deletion"), image)
    assert torch.equal(prepared.image(1, "insertion"), image)
    assert torch.equal(prepared.image(1, "deletion"), prepared.image(0, "insertion"))
    mask = prepared.mask(0.3)
    deleted, inserted = (prepared.image(0.3, kind)[0].numpy() for kind in ("deletion", "insertion"))
    assert np.array_equal(deleted[:, ~mask], prepared.sharp[:, ~mask])
    assert np.array_equal(deleted[:, mask], prepared.blurred[:, mask])
    assert np.array_equal(deleted + inserted, prepared.sharp + prepared.blurred)
    assert prepared.blurred.std() < prepared.sharp.std()


def test_the_picture_of_an_input_is_the_photograph_that_made_it() -> None:
    preprocessing = variants.find("lite0").preprocessing
    image, crop = preprocess(photograph("cat"), preprocessing)
    picture = as_picture(image, preprocessing)
    shown = photograph("cat").cropped(crop, preprocessing.crop)
    assert np.abs(picture.astype(int) - shown.astype(int)).mean() < 3  # another filter


def test_a_race_on_real_weights() -> None:
    heard: list[float] = []
    race_played = race(looked("cat"), photograph("cat"), heard.append)
    assert len(heard) == 4  # both ends are shared
    assert heard == sorted(heard)
    assert heard[-1] == 1
    first, last = race_played.deletion.probabilities[0], race_played.deletion.probabilities[-1]
    assert first == pytest.approx(looked("cat").analysis.target.probability, rel=1e-4)
    inserted = race_played.insertion.probabilities
    assert (inserted[0], inserted[-1]) == (last, first)
    assert (
        race_played.deletion.fractions == race_played.insertion.fractions == faithfulness.FRACTIONS
    )
    assert race_played.deletion.area == pytest.approx(
        area_under_curve(faithfulness.FRACTIONS, race_played.deletion.probabilities)
    )
    assert race_played.relative_area("deletion") == pytest.approx(race_played.deletion.area / first)


def test_the_networks_own_map_finds_what_the_network_needs() -> None:
    """Against the same map upside down in value: the least important pixels first."""
    look = looked("espresso")
    own = race(look, photograph("espresso"))
    opposite = Look(look.analysis, look.stage, -look.evidence)
    other = race(opposite, photograph("espresso"))
    assert own.deletion.area < other.deletion.area
    assert own.insertion.area > other.insertion.area


# Grid pointing game


def test_a_mosaic_holds_each_photograph_as_the_network_sees_it_alone(tiles: list[Tile]) -> None:
    entry = variants.find("lite1")
    doubled = entry_for_mosaic(entry)
    assert doubled.key == "lite1-r480"
    image = mosaic(tiles, doubled.preprocessing)
    assert image.shape == (1, 3, 480, 480)
    places = [(0, 0), (0, 240), (240, 0)]
    for tile, (y, x) in zip(tiles, places, strict=True):
        alone, _ = preprocess(tile.photograph, entry.preprocessing)
        assert torch.equal(image[:, :, y : y + 240, x : x + 240], alone)
    assert not image[:, :, 240:, 240:].any()  # the mean colour


def test_a_mosaic_needs_different_classes(tiles: list[Tile]) -> None:
    preprocessing = variants.find("lite0-r448").preprocessing
    for wrong in (tiles[:1], [tiles[0], tiles[0]], tiles + tiles):
        with pytest.raises(ValueError, match="different classes"):
            mosaic(wrong, preprocessing)


def test_lite0_points_at_the_photograph_of_the_class(tiles: list[Tile]) -> None:
    """Chance is 0.25. The share, counted by hand on the 14×14 map: its quarters are whole cells."""
    played = pointing(eager("lite0-r448"), tiles)
    assert [tile.target.label for tile in played.tiles] == list(CLASSES.values())
    quarters = [np.s_[:7, :7], np.s_[:7, 7:], np.s_[7:, :7]]
    for tile, quarter in zip(played.tiles, quarters, strict=True):
        positive = np.maximum(tile.evidence, 0)
        assert positive.shape == (14, 14)
        assert tile.share == pytest.approx(positive[quarter].sum() / positive.sum(), rel=1e-5)
        assert tile.share > 0.7
    assert played.mean == pytest.approx(np.mean([tile.share for tile in played.tiles]))
    assert played.origins[1].model == "lite0-r448"
    assert played.origins[1].target == "espresso"


def test_the_maps_of_the_game_are_those_of_the_mosaic(tiles: list[Tile]) -> None:
    """At an earlier stage, too, against autograd through the whole network."""
    model = eager("lite0-r192")
    played = pointing(model, tiles, stage=6)
    network = model.engine.network  # type: ignore[attr-defined]
    image = mosaic(tiles, model.entry.preprocessing)
    outputs = network.forward_intermediates(image)
    leaf = outputs[5].detach().requires_grad_()
    logit = network.tail(leaf, 6)[0, tiles[2].target]
    (gradient,) = torch.autograd.grad(logit, leaf)
    weight = gradient.mean(dim=(2, 3), keepdim=True)
    expected = ((weight * leaf).sum(dim=1)[0] * leaf[0, 0].numel()).detach().numpy()
    np.testing.assert_allclose(played.tiles[2].evidence, expected, rtol=1e-3, atol=1e-3)


def test_a_network_too_large_for_the_game_says_so() -> None:
    with pytest.raises(variants.VariantError, match="of B7"):
        entry_for_mosaic(variants.find("b6"))


# All networks


def test_networks_that_cannot_work_do_not_stop_the_others(compared: Comparison) -> None:
    names = [result.look.name for result in compared.networks]
    assert names == ["lite0-r96", "lite0-r128", "b0-w0.25-d0.25-r64 (untrained)"]
    missing, broken = compared.failures
    assert missing.model == "b0-d4"
    assert "No weights were ever published" in missing.message
    assert broken.model == "b6"
    assert "out of memory" in broken.message
    assert "Choose a smaller network" in broken.message


def test_all_explain_the_class_of_the_first_that_works(compared: Comparison) -> None:
    first = compared.networks[0].look.analysis
    assert first.target == first.predictions[0]
    assert {r.look.analysis.target.index for r in compared.networks} == {first.target.index}


def test_an_untrained_network_names_the_class_only_when_alone() -> None:
    untrained = eager("b0-w0.25-d0.25-r64", untrained=True)
    chance = look(photograph("cat"), untrained).analysis.target.label
    alone = compare(SAMPLES / "cat.jpg", [untrained])
    assert [result.look.origin.target for result in alone.networks] == [chance]
    both = compare(SAMPLES / "cat.jpg", [untrained, eager("lite0-r128")])
    assert [result.look.origin.model for result in both.networks] == [
        *("b0-w0.25-d0.25-r64", "lite0-r128"),
    ]
    trained = both.networks[1].look.analysis
    assert trained.target == trained.predictions[0]
    assert trained.target.label != chance
    assert both.networks[0].look.analysis.target.index == trained.target.index


def test_agreement_is_measured_on_one_grid(compared: Comparison) -> None:
    region = compared.region
    for result, values in zip(compared.networks, compared.maps, strict=True):
        left, top, right, bottom = result.look.analysis.crop.box
        assert left <= region[0] < region[2] <= right
        assert top <= region[1] < region[3] <= bottom
        assert values.shape == (GRID, GRID)
    for matrix, measure in (
        (compared.rank_correlation, agreement.rank_correlation),
        (compared.overlap, agreement.overlap),
    ):
        np.testing.assert_allclose(np.diag(matrix), 1)
        np.testing.assert_allclose(matrix, matrix.T)
        assert matrix[0, 1] == measure(compared.maps[0], compared.maps[1])
    assert compared.disagreement.shape == (GRID, GRID)
    assert 0 < compared.disagreement.max() <= 0.5


def test_the_same_network_twice_agrees_with_itself() -> None:
    twice = Comparison((comparison.NetworkResult(looked("cat")),) * 2)
    np.testing.assert_allclose(twice.rank_correlation, 1)
    assert twice.overlap.min() == 1
    assert twice.disagreement.max() == 0


def test_mixed_recipes_are_told(compared: Comparison) -> None:
    assert compared.recipes == ("EfficientNet-Lite (Google)",)
    assert compared.notes == ()
    look = looked("cat")
    foreign = Look(replace_recipe(look.analysis, "another recipe"), look.stage, look.evidence)
    mixed = Comparison((comparison.NetworkResult(look), comparison.NetworkResult(foreign)))
    (note,) = mixed.notes
    assert "2 recipes" in note
    assert "another recipe" in note


def replace_recipe(analysis: comparison.Analysis, recipe: str) -> comparison.Analysis:
    provenance = comparison.dataclasses.replace(analysis.provenance, recipe=recipe)
    return comparison.dataclasses.replace(analysis, provenance=provenance)


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
        look = result.look
        assert row["weights"] == look.analysis.model.weights_name
        assert row["trained"] == str(look.analysis.model.trained)
        assert row["target"] == "Egyptian cat"
        assert float(row["probability"]) == look.analysis.target.probability
        assert float(row["spearman with lite0-r96"]) == compared.rank_correlation[place, 0]
        assert float(row["iou of top 20 % with lite0-r128"]) == compared.overlap[place, 1]
        assert float(row["area with half of the positive evidence"]) == look.concentration.area
        assert result.race is not None
        assert result.pointing is not None
        assert float(row["area under insertion"]) == result.race.insertion.area
        assert float(row["probability at 50% deletion"]) == result.race.deletion.probabilities[1]
        share = row["pointing: share for espresso"]
        assert float(share) == result.pointing.tiles[1].share
    assert rows[0]["weights sha256"].startswith("57934424")
    assert "Another resolution" in rows[0]["findings"]
    assert "Untrained" in rows[2]["findings"]
    assert "No weights were ever published" in rows[3]["notes"]
    assert rows[3]["probability"] == ""


def test_undefined_numbers_are_empty_cells() -> None:
    look = looked("cat")
    against = Look(look.analysis, 9, -np.abs(look.evidence))
    table = report.comparison_csv(Comparison((comparison.NetworkResult(against),)))
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["area with half of the positive evidence"] == ""
    assert row["regions in it"] == "0"
    assert "Nothing speaks for the class" in row["findings"]
    assert "area under deletion" not in row
