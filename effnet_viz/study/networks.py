"""The study of networks: every one on every scene, `effnet-viz lab objects`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tqdm import tqdm

from effnet_viz.analysis.analysis import analyse
from effnet_viz.assets import OBJECTS_STUDY
from effnet_viz.engines import conversions
from effnet_viz.models import model as models
from effnet_viz.models.model import Model
from effnet_viz.scenes.editor import compose
from effnet_viz.study.design import Shown, design, digest
from effnet_viz.study.measuring import measure_object, require_classes
from effnet_viz.study.store import About, Unfinished, join, ship


def measure_network(
    key: str, folder: Path, results: Path = OBJECTS_STUDY, shown: Sequence[Shown] | None = None
) -> None:
    """Measure what is not measured yet of a network, object by object; then keep it for good.

    `folder` holds its rows meanwhile, `results` gets them in the end; `shown` None are all objects.
    Raises StudyError, WeightsError and UnknownModelError.
    """
    shown = design() if shown is None else shown
    model = models.load(key)
    conversions.wait()  # with the gradients of all stages at once it is many times faster
    require_classes(model, shown)
    about = about_of(model, shown)
    unfinished = Unfinished(folder / key, about)
    parts = [
        unfinished.rows(one.thing.name, partial(measure_object, model, one))
        for one in tqdm(shown, f"{model.card.title}, objects", mininterval=1)
    ]
    ship(key, {**about, "finished": f"{datetime.now(UTC):%Y-%m-%d}"}, join(parts), results)


def about_of(model: Model, shown: Sequence[Shown]) -> About:
    """Everything needed to measure a network again, and to read its rows."""
    told = analyse(compose(shown[0].alone[0]).photograph, model).provenance.as_dict()
    del told["image_sha256"]
    return told | {
        "design": digest(),
        "objects": [one.thing.name for one in shown],
        "scenes": sum(len(one.alone) for one in shown),
        "multiply_adds": model.structure.multiply_adds,
        "layers": [stage.layers for stage in model.structure.stages.values()],
    }
