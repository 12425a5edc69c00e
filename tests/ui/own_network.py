"""A network of one's own with pictures, small enough to be made for a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from effnet_viz.models import architectures
from effnet_viz.models.classes import imagenet
from tests.finetuning.made_pictures import SIDE, drawn
from tests.models.own_files import put

COLOURS = {"discs": 0, "stripes": 1}


def put_network(folder: Path, labels: Sequence[str] | None = ("discs", "stripes")) -> Path:
    """A random network of 64 pixels with these classes; None for ImageNet's. Its folder."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = architectures.scaled("efficientnet_b0", 0.25, 0.25, len(labels or imagenet()))
    named = {} if labels is None else {"classes": list(labels)}
    return put(folder, module.state_dict(), resolution=64, recipe="none", **named)


def put_pictures(folder: Path, labels: Sequence[str], count: int, *, masks: bool = True) -> None:
    """So many validation pictures of each label beside the network: discs and stripes in turn."""
    lines = ["path,label"]
    for number, label in enumerate(labels):
        for index in range(count):
            kind = list(COLOURS)[number % 2]
            name = f"{number}/{index}.png"
            path = folder / "pictures" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            made = drawn(kind, index)
            made.save(path)
            lines.append(f"{name},{label}")
            if masks:
                mask = folder / "masks" / name
                mask.parent.mkdir(parents=True, exist_ok=True)
                white = made.convert("L").point(lambda _: 0)
                white.paste(255, (SIDE // 4, SIDE // 4, SIDE // 2, SIDE // 2))
                white.save(mask)
    (folder / "validation.csv").write_text("\n".join([*lines, ""]))
