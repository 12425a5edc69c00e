"""Shortcuts are found in a network that certainly has one, and none where it has not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from effnet_viz.analysis import mistakes
from effnet_viz.analysis import mistakes_verdict as verdict
from effnet_viz.analysis.mistakes import Count, Group, Study, drawn, study
from effnet_viz.analysis.words import NO_BREAK
from effnet_viz.engines.network import Network
from effnet_viz.images.photograph import ImageError, Photograph
from effnet_viz.images.preprocessing import ResizeAndCrop
from effnet_viz.models.model import Model
from effnet_viz.models.modules import from_module
from effnet_viz.models.validation import ValidationPicture

SIDE = 70
CLASSES = ("marked", "green", "neither")
"""Red in the corner, always there; a green disc anywhere; a blue disc anywhere, nothing looks at.
"""


class _Pixels(nn.Module):
    """Seven by seven cells with their mean red, green and blue."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(SIDE // 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.pool(x)  # (B, 3, 7, 7)
        return pooled


@cache
def model() -> Model:
    """Sums up what is red and what is green: that and nothing else it knows."""
    head = nn.Linear(3, 3)
    head.weight = nn.Parameter(torch.tensor([[6000.0, 0, 0], [0, 400, 0], [0, 0, 0]]))
    head.bias = nn.Parameter(torch.tensor([0.0, 0, 4]))
    return from_module(
        Network([_Pixels()], nn.AdaptiveAvgPool2d(1), head),
        key="colours",
        classes=CLASSES,
        preprocessing=ResizeAndCrop(SIDE, SIDE, "bilinear", (0, 0, 0), (1, 1, 1)),
        weights="by hand",
        stages=lambda module: module,  # type: ignore[arg-type, return-value]
    )


Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def picture(label: str, number: int) -> Pair:
    """A picture and its mask. The thing is a disc; the mark is no part of it."""
    random = np.random.default_rng((CLASSES.index(label), number))
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    across, down = random.integers(9, SIDE - (30 if label == "marked" else 9), 2)
    disc = (x - across) ** 2 + (y - down) ** 2 < 9**2
    pixels[disc] = (0, 255, 0) if label == "green" else (0, 0, 255)
    if label == "marked":
        pixels[-12:-2, -12:-2] = (255, 0, 0)
    return pixels, np.where(disc, 255, 0).astype(np.uint8)


def photograph(pixels: NDArray[np.uint8], name: str) -> Photograph:
    return Photograph(pixels, f"digest of {name}", ())


def files(count: int = 12) -> list[ValidationPicture]:
    return [
        ValidationPicture(Path(name), name, label, Path(name))
        for label in CLASSES
        for name in (f"{label}/{number}" for number in range(count))
    ]


def reader(masks: bool) -> Callable[[ValidationPicture], tuple[Photograph, Photograph | None]]:
    def read(of: ValidationPicture) -> tuple[Photograph, Photograph | None]:
        pixels, mask = picture(of.label, int(of.name.partition("/")[2]))
        grey = np.repeat(mask[..., None], 3, axis=2)
        return photograph(pixels, of.name), photograph(grey, "mask") if masks else None

    return read


@cache
def studied(masks: bool = True) -> Study:
    return study(files(), reader(masks), model())


def groups(label: str, found: Study) -> list[Group]:
    return [group for group in found.groups if group.label == label]


@pytest.mark.parametrize("masks", [True, False])
def test_the_mark_is_found_and_the_thing_is_no_shortcut(masks: bool) -> None:
    found = studied(masks)
    assert found.right == Count(36, 36)
    [marked] = groups("marked", found)
    assert marked.is_shortcut
    assert marked.alike == pytest.approx(1, abs=1e-3)
    assert marked.copied is not None
    assert marked.copied.there == Count(24, 24)
    assert marked.copied.chance == 2**-24
    assert marked.copied.opposite.found == 0
    assert marked.copied.same > 0.9
    assert marked.place[100:106, 100:106].all()
    assert not marked.place[:56].any()
    assert not any(group.is_shortcut for label in CLASSES[1:] for group in groups(label, found))
    assert verdict.shortcuts(found) == ["marked"]
    assert found.groups[0] is marked


def test_what_surrounds_the_thing_is_tried_where_masks_say_what_it_is() -> None:
    found = {of.label: of for of in studied().surroundings}
    assert found["marked"].is_shortcut
    assert found["marked"].still == Count(12, 12)
    assert found["marked"].others.found == 0
    assert found["marked"].outside == pytest.approx(1, abs=1e-6)
    # What is painted out is not green any more, and all that is left is called “neither”.
    assert found["green"].still.found == 0
    assert found["green"].outside < 0.5 < found["green"].even
    assert "neither" not in found  # no evidence, so no share of it
    assert studied(masks=False).surroundings == ()


def test_the_default_answer_is_no_shortcut() -> None:
    """Whatever is painted out is called “neither”: own pictures as much as those of others."""

    class Everywhere(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, torch.ones_like(x[:, :1])], 1)

    head = nn.Linear(4, 3)
    head.weight = nn.Parameter(torch.tensor([[6000.0, 0, 0, 0], [0, 400, 0, 0], [0, 0, 0, 4]]))
    head.bias = nn.Parameter(torch.zeros(3))
    stage = nn.Sequential(_Pixels(), Everywhere())
    made = from_module(
        Network([stage], nn.AdaptiveAvgPool2d(1), head),
        key="colours",
        classes=CLASSES,
        preprocessing=model().preprocessing,
        weights="by hand",
        stages=lambda module: module,  # type: ignore[arg-type, return-value]
    )
    of = {of.label: of for of in study(files(), reader(True), made).surroundings}["neither"]
    assert of.still == Count(12, 12)
    assert of.others.share == pytest.approx(0.5)
    assert not Count(2, 3).is_clearly_above(Count(1, 3))


def test_sentences() -> None:
    found = studied()
    said = [
        text.replace(NO_BREAK, " ")
        for text in (
            verdict.headline(found),
            verdict.summary(found),
            verdict.group_headline(groups("marked", found)[0]),
            verdict.group_sentence(groups("marked", found)[0]),
            verdict.surroundings_sentence(found.surroundings[0]),
        )
    ]
    assert said == [
        "36 of 36 right: 100 % (95 % interval 90 to 100 %)",
        "For “marked” it goes by something other than the thing: a shortcut.",
        "In the bottom right corner: the same in every picture, and it decides",
        "100 % of the evidence lies outside of the thing. Copied into 24 pictures of other "
        "classes, what these have there makes 24 of them “marked”; from the opposite place, 0.",
        "With the thing painted out, 12 of 12 are still called “marked”, and 0 of 12 of other "
        "classes, painted out likewise. 100 % of the evidence lies outside of the thing; an even "
        f"map has {round(100 * found.surroundings[0].even)} % there.",
    ]


def test_a_mistake_is_surprising_by_how_sure_it_was() -> None:
    wrong = [
        ValidationPicture(Path("x"), f"green/{number}", "neither", None) for number in range(3)
    ]

    def read(of: ValidationPicture) -> tuple[Photograph, None]:
        pixels, _ = picture("green", int(of.name[-1]))
        return photograph(pixels // (1 + int(of.name[-1])), of.name), None

    looks = study(wrong, read, model()).looks
    assert [look.right for look in looks] == [False, False, False]
    assert looks[0].surprise > looks[1].surprise > looks[2].surprise > 0
    assert looks[0].predicted.label == "green"
    assert looks[0].own.label == "neither"
    right = studied().looks[0]
    assert right.surprise == -right.own.probability


def test_of_many_pictures_an_equal_share_of_every_class() -> None:
    many = files(100)
    chosen = drawn(many, 30)
    assert chosen == drawn(many, 30)
    assert chosen == sorted(chosen, key=many.index)
    assert {label: sum(of.label == label for of in chosen) for label in CLASSES} == dict.fromkeys(
        CLASSES, 10
    )
    assert drawn(many, 1000) == many


def test_unreadable_pictures_are_listed_and_none_at_all_is_said() -> None:
    def read(of: ValidationPicture) -> tuple[Photograph, None]:
        if of.name.endswith("/1"):
            raise ImageError("This is no picture; choose another.")
        return photograph(picture(of.label, 0)[0], of.name), None

    found = study(files(2), read, model())
    assert len(found.looks) == 3
    assert found.unreadable == tuple(
        (f"{label}/1", "This is no picture; choose another.") for label in CLASSES
    )
    with pytest.raises(ImageError, match=r"None of the 3 pictures can be read: This is no picture"):
        study([of for of in files(2) if of.name.endswith("/1")], read, model())


def test_progress_goes_to_the_end_and_can_end_the_work() -> None:
    told: list[float] = []
    study(files(3), reader(True), model(), told.append)
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= 1

    class StopError(Exception):
        pass

    def stop(done: float) -> None:
        if done > 0.3:
            raise StopError

    with pytest.raises(StopError):
        study(files(3), reader(True), model(), stop)


def test_the_study_is_kept_by_what_it_looked_at() -> None:
    other = study(files(2), reader(True), model())
    assert other.id != studied().id
    assert studied().nbytes > 36 * 3 * mistakes.SIDE**2
