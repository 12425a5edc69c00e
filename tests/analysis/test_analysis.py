"""The public API on the sample photographs, with real weights."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from effnet_viz import Analysis, Model, analyse
from effnet_viz.analysis.predictions import Predictions
from effnet_viz.images.photograph import ImageError
from effnet_viz.models import weights
from effnet_viz.models.classes import UnknownClassError, imagenet
from effnet_viz.models.variants import find
from tests.choices import one_of_many
from tests.conftest import SAMPLES, loaded


@pytest.mark.parametrize("key", one_of_many(["lite0", "lite1", "lite2"], ["lite0"]))
@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("cat.jpg", {"Egyptian cat", "tiger cat", "tabby"}),
        ("espresso.jpg", {"espresso"}),
        ("palace.jpg", {"palace"}),
    ],
)
def test_real_predictions(key: str, sample: str, expected: set[str]) -> None:
    result = analyse(SAMPLES / sample, loaded(key))
    assert result.predictions[0].label in expected


def test_mosaic_has_both_objects_and_the_map_follows_the_class(lite0: Model) -> None:
    result = analyse(SAMPLES / "cat-and-espresso.jpg", lite0)
    best = [prediction.label for prediction in result.predictions[:5]]
    cats = [label for label in best if label in ("Egyptian cat", "tiger cat", "tabby")]
    assert cats
    assert "espresso" in best
    share = {}
    for label in (cats[0], "espresso"):
        positive = np.maximum(result.for_target(label).cam, 0)  # (h, w)
        share[label] = positive[:, : positive.shape[1] // 2].sum() / positive.sum()
    assert share[cats[0]] > 0.6  # the cat is on the left
    assert share["espresso"] < 0.4


def test_predictions_are_a_sorted_softmax_of_the_logits(cat: Analysis) -> None:
    assert len(cat.predictions) == 1000
    probabilities = [prediction.probability for prediction in cat.predictions]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    for prediction in cat.predictions[:5]:
        assert prediction.logit == cat.logits[prediction.index]
    first, second = cat.predictions[:2]
    ratio = first.probability / second.probability
    assert ratio == pytest.approx(np.exp(first.logit - second.logit))


def test_ranking_by_hand() -> None:
    logits = np.full(1000, -1e9, dtype=np.float32)
    logits[[3, 5]] = np.log([3.0, 1.0])
    best = Predictions(logits, imagenet())
    assert [prediction.index for prediction in best[:2]] == [3, 5]
    assert [prediction.probability for prediction in best[:2]] == pytest.approx([0.75, 0.25])
    assert [best.rank(3), best.rank(5), best.rank(0)] == [1, 2, 3]
    assert best.of(5) == best[1]


def test_every_kind_of_source_gives_the_same(cat: Analysis) -> None:
    path = SAMPLES / "cat.jpg"
    content = path.read_bytes()
    sources = [str(path), content, io.BytesIO(content), Image.open(path)]
    for source in sources:
        assert np.array_equal(analyse(source, cat.model).logits, cat.logits)


def test_target_by_index_label_or_none(cat: Analysis) -> None:
    path = SAMPLES / "cat.jpg"
    assert cat.target == cat.predictions[0]
    assert analyse(path, cat.model, 967).target.label == "espresso"
    assert analyse(path, cat.model, "espresso").target.index == 967
    with pytest.raises(UnknownClassError, match="tiger cat"):
        analyse(path, cat.model, "Tiger")
    with pytest.raises(UnknownClassError, match="0 to 999"):
        analyse(path, cat.model, 1000)
    with pytest.raises(ValueError, match="1 to 9"):
        cat.grad_cam(10)


def test_results_cannot_be_changed(cat: Analysis) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        cat.target = cat.predictions[1]  # type: ignore[misc]
    for array in (cat.logits, cat.stages[5]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_provenance_says_everything(cat: Analysis) -> None:
    provenance = cat.provenance
    located = weights.path_of(find("lite0").weights)
    assert located is not None
    assert provenance.weights == located.name
    assert provenance.weights_sha256 == hashlib.sha256(located.read_bytes()).hexdigest()
    assert provenance.image_sha256 == hashlib.sha256((SAMPLES / "cat.jpg").read_bytes()).hexdigest()
    assert provenance.preprocessing == {
        "name": "ResizeAndCrop",
        **dataclasses.asdict(cat.model.preprocessing),  # type: ignore[call-overload]
    }
    assert {"torch", "timm", "pillow", "effnet-viz"} <= set(provenance.versions)
    assert json.loads(json.dumps(provenance.as_dict()))["trained"] is True


def test_untrained_says_so() -> None:
    result = analyse(SAMPLES / "cat.jpg", loaded("b0", untrained=True))
    assert not result.provenance.trained
    assert "untrained" in result.provenance.weights
    assert result.provenance.weights_sha256 is None
    assert np.isfinite(result.logits).all()


def test_a_broken_image_is_named(lite0: Model) -> None:
    with pytest.raises(ImageError):
        analyse(b"not an image", lite0)
