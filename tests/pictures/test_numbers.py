"""What leaves the app carries its provenance and the right numbers."""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image

from effnet_viz import Analysis, analyse
from effnet_viz.arrays import Placement
from effnet_viz.images.samples import samples
from effnet_viz.pictures import numbers as written
from effnet_viz.pictures.captions import map_caption, stage_caption, where_strongest
from tests.conftest import SAMPLES, eager


def test_caption_says_model_weights_method_class_and_stage(cat: Analysis) -> None:
    first, second = map_caption(cat.attribute(stage=5))
    assert first == "EfficientNet-Lite0 at 224 px, weights: efficientnet-lite0-57934424.pth"
    assert second == "Grad-CAM, class “tiger cat”, stage 5 (14×14)"
    assert map_caption(cat.attribute("cam"))[1] == "CAM, class “tiger cat”, stage 9 (7×7)"
    assert stage_caption(1, cat.stages[1]) == "stage 1 (112×112)"


def test_where_a_map_is_strongest_is_the_place_of_the_cell() -> None:
    """The third of seven cells lies in the upper third of B0's square, below that of Lite0's."""
    values = np.zeros((7, 7), np.float32)
    values[2, 6] = 1
    found = [where_strongest(values, Placement(at / 224, 32 / 224)) for at in (0.5, 31.5)]
    assert "at the top right of" in found[0]
    assert "at the middle right of" in found[1]


def test_caption_of_an_untrained_model_says_so() -> None:
    result = analyse(SAMPLES / "cat.jpg", eager("lite0", untrained=True))
    assert "untrained" in map_caption(result.attribute("cam"))[0]


def test_npz_has_the_arrays_and_the_provenance(cat: Analysis) -> None:
    attribution = cat.attribute(stage=5)
    with np.load(io.BytesIO(written.as_npz(cat, attribution)), allow_pickle=False) as saved:
        assert np.array_equal(saved["cam"], cat.cam)
        assert np.array_equal(saved["map"], cat.grad_cam(5))
        assert np.array_equal(saved["channels"], attribution.channels)
        assert np.array_equal(saved["activation"], cat.stages[5])
        assert np.array_equal(saved["logits"], cat.logits)
        numbers = json.loads(str(saved["numbers"]))
    assert numbers["provenance"] == json.loads(json.dumps(cat.provenance.as_dict()))
    assert numbers["target"]["label"] == "tiger cat"
    assert tuple(numbers["crop"]["box"]) == cat.crop.box
    assert numbers["format"] == 2
    # Lite0's cells of stages 9 and 5 tile its 224 pixels: 7 of 32, 14 of 16.
    assert numbers["placement"] == {
        "cam": {"start": 16 / 224, "step": 32 / 224},
        "map": {"start": 8 / 224, "step": 16 / 224},
    }


def test_json_has_the_same_numbers(cat: Analysis) -> None:
    numbers = json.loads(written.as_json(cat, cat.attribute(stage=6, target="lynx")))
    lynx = cat.for_target("lynx")
    np.testing.assert_array_equal(np.array(numbers["cam"], np.float32), lynx.cam)
    np.testing.assert_array_equal(np.array(numbers["map"], np.float32), lynx.grad_cam(6))
    assert (numbers["stage"], numbers["method"]) == (6, "Grad-CAM")
    assert numbers["target"]["label"] == "lynx"
    assert len(numbers["predictions"]) == len(cat.model.classes)
    assert numbers["predictions"][0]["label"] == "tiger cat"
    assert numbers["provenance"]["weights_sha256"].startswith("57934424")


def test_samples_are_described_credited_and_free_of_metadata() -> None:
    credited = (SAMPLES.parent / "CREDITS.md").read_text(encoding="utf-8")
    assert next(iter(samples())) == "cat"
    files = set()
    for sample in samples().values():
        assert sample.description.endswith(".")
        [credit] = sample.credits
        assert credit.split(", ")[-1].startswith("CC")
        assert f"`{sample.path.name}`" in credited
        with Image.open(sample.path) as picture:
            assert not picture.getexif()
        files.add(sample.path)
    assert files == set(SAMPLES.glob("*.jpg"))
