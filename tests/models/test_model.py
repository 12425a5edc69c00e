"""A model is made of a module of one's own, which stays as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from effnet_viz import Analysis, Model, NoClassActivationMapError, analyse, from_module, list_models
from effnet_viz.attribution.methods import UnknownMethodError
from effnet_viz.engines.adapters import UnsupportedModuleError
from effnet_viz.engines.network import Network
from effnet_viz.images.decode import decode
from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models import zoo
from effnet_viz.models.classes import Classes, UnknownClassError
from tests.conftest import SAMPLES

SMALL = ResizeAndCrop(72, 64, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
LETTERS = ["a", "b", "c"]


class Tiny(nn.Module):
    """Two stages, a pooling and a head, as somebody may write them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.ReLU(inplace=True))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(self.pool(self.second(self.first(x))).flatten(1))
        return logits


def stages_of(module: nn.Module) -> Network:
    assert isinstance(module, Tiny)
    return Network([module.first, module.second], module.pool, module.fc)


def tiny(module: nn.Module | None = None, weights: str | None = "tiny.pth") -> Model:
    torch.manual_seed(0)
    return from_module(
        module or Tiny(), key="tiny", classes=LETTERS, preprocessing=SMALL, weights=weights,
        stages=stages_of,
    )  # fmt: skip


def test_what_it_says_is_what_the_module_says() -> None:
    module = Tiny()
    result = analyse(SAMPLES / "cat.jpg", tiny(module))
    x, _ = SMALL(decode(SAMPLES / "cat.jpg"))
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(x))[0].numpy()  # (classes,)
    np.testing.assert_allclose(result.logits, expected, atol=1e-5)
    assert sorted(p.label for p in result.predictions) == LETTERS
    assert result.provenance.trained
    assert result.provenance.weights == "tiny.pth"
    assert (result.provenance.width, result.provenance.depth) == (None, None)
    head = result.model.engine.head
    assert head is not None
    bias = float(head.bias[result.target.index])
    assert result.cam.mean() + bias == pytest.approx(result.target.logit, abs=1e-5)
    assert result.grad_cam(1).shape == (32, 32)
    with pytest.raises(ValueError, match="1 to 2"):
        result.grad_cam(3)


def test_the_module_stays_as_it_was() -> None:
    module = Tiny().half()
    calls: list[int] = []
    handle = module.first.register_forward_hook(lambda *_: calls.append(1))
    before = copy.deepcopy(module.state_dict())
    tiny(module)
    assert module.training
    assert calls == []
    assert handle.id in module.first._forward_hooks
    assert all(p.requires_grad and p.dtype == torch.float16 for p in module.parameters())
    assert all(torch.equal(before[name], now) for name, now in module.state_dict().items())
    relu = module.first[1]
    assert isinstance(relu, nn.ReLU)
    assert relu.inplace


def test_a_private_module_is_fresh_unfolded_and_open_to_hooks() -> None:
    torch.manual_seed(0)
    module = torchvision.models.resnet18(num_classes=3)
    model = from_module(
        module, key="r18", classes=LETTERS, preprocessing=SMALL, weights="r18.pth"
    )  # fmt: skip
    one, other = model.module(), model.module()
    assert one is not other
    assert any(isinstance(part, nn.BatchNorm2d) for part in one.modules())
    assert not any(getattr(part, "inplace", False) for part in one.modules())
    one.stages[0].register_forward_hook(lambda *_: None)
    assert not other.stages[0]._forward_hooks
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(other(x), module.eval()(x), rtol=1e-4, atol=1e-4)


def test_results_depend_on_weights_classes_and_preprocessing() -> None:
    torch.manual_seed(3)
    module = Tiny()
    same = {tiny(module).id, tiny(copy.deepcopy(module)).id}
    assert len(same) == 1
    changed = copy.deepcopy(module)
    changed.fc.bias.data[0] += 1
    others = {
        tiny(changed).id,
        tiny(module, weights=None).id,
        from_module(module, key="tiny", classes=["x", "y", "z"], preprocessing=SMALL,
                    weights="w", stages=stages_of).id,
        from_module(module, key="tiny", classes=LETTERS, preprocessing=SMALL.at(32),
                    weights="w", stages=stages_of).id,
    }  # fmt: skip
    assert len(others | same) == 5


def test_untrained_says_so() -> None:
    model = tiny(weights=None)
    assert not model.trained
    assert model.name == "tiny (untrained)"
    result = analyse(SAMPLES / "cat.jpg", model)
    assert result.provenance.weights == "untrained"
    assert result.provenance.weights_sha256 is None


def test_parts_that_are_not_the_module_are_refused() -> None:
    def without_second(module: nn.Module) -> Network:
        assert isinstance(module, Tiny)
        return Network([module.first], module.pool, nn.Linear(4, 3))

    with pytest.raises(ValueError, match="do not give what the module gives"):
        from_module(Tiny(), key="t", classes=LETTERS, preprocessing=SMALL, stages=without_second)
    with pytest.raises(ValueError, match="2 classes"):
        from_module(Tiny(), key="t", classes=["a", "b"], preprocessing=SMALL, stages=stages_of)
    with pytest.raises(UnsupportedModuleError, match="stages=lambda"):
        from_module(Tiny(), key="t", classes=LETTERS, preprocessing=SMALL)


def test_a_network_with_more_than_one_linear_layer_has_no_cam() -> None:
    torch.manual_seed(0)
    module = timm.create_model("mobilenetv3_small_050", num_classes=3)
    model = from_module(module, key="m", classes=LETTERS, preprocessing=SMALL)
    result = analyse(SAMPLES / "cat.jpg", model)
    assert model.engine.head is None
    with pytest.raises(NoClassActivationMapError, match="Use Grad-CAM instead"):
        _ = result.cam
    last = result.grad_cam(model.last_stage)
    assert last.shape == result.stages[model.last_stage].shape[1:]
    assert np.isfinite(last).all()


def test_a_cam_is_at_the_last_stage_alone(cat: Analysis) -> None:
    with pytest.raises(NoClassActivationMapError, match="at stage 3"):
        cat.attribute("cam", stage=3)
    with pytest.raises(UnknownMethodError, match=r"no method `scorecam`. Did you mean `score-cam`"):
        cat.attribute("scorecam")


def test_all_models_are_listed() -> None:
    assert list_models() == tuple(zoo.MODELS)


def test_classes_by_hand() -> None:
    classes = Classes(["red fox", "grey fox", "cat"])
    assert (len(classes), classes[1], classes[-2:]) == (3, "grey fox", ("grey fox", "cat"))
    assert classes.index("cat") == classes.index(2) == 2
    assert "red fox" in classes
    with pytest.raises(UnknownClassError, match="Similar: red fox, grey fox"):
        classes.index("Fox")
    with pytest.raises(UnknownClassError, match="0 to 2"):
        classes.index(3)
    with pytest.raises(ValueError, match="cat"):
        Classes(["cat", "dog", "cat"])
    with pytest.raises(ValueError, match="at least one"):
        Classes([])
    assert Classes("ab") == Classes(["a", "b"])
    assert hash(Classes("ab")) == hash(Classes(["a", "b"]))
