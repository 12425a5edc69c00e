"""Fine-tuning: the head on features of the frozen network, then all layers.

What is random in an epoch depends on the seed, the phase and the epoch only, and everything else is
in the checkpoint that each epoch ends with: a run that was killed goes on bit for bit on a CPU.
"""

from __future__ import annotations

import io
import json
import pickle
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from filelock import FileLock, Timeout
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from tqdm import tqdm

from effnet_viz import __version__
from effnet_viz.arrays import Floats
from effnet_viz.engines.create import create
from effnet_viz.finetuning import output, recipes
from effnet_viz.finetuning.data import FinetuneError, Picture, Split, read, split
from effnet_viz.finetuning.features import extract
from effnet_viz.finetuning.inputs import augmented, batched, in_order, unchanged
from effnet_viz.finetuning.network import head_of, set_drops, to_training_mode, with_classes
from effnet_viz.finetuning.output import Finished, write_atomically
from effnet_viz.finetuning.phases import Best, Phase, Trained
from effnet_viz.models import architectures, checkpoints, variants
from effnet_viz.models.published import Family
from effnet_viz.models.zoo import ModelEntry

Json = dict[str, Any]

FINE_TUNED = (Family.LITE, Family.B)
"""Families whose checkpoints models.own recognises with any number of classes."""

WORKING = ".training"
"""Folder beside the networks with what is needed to go on: features, checkpoints."""


@dataclass(frozen=True)
class Settings:
    """What a run depends on beside the pictures. Raises FinetuneError for what cannot be."""

    model: str = "lite0"
    """Key of the network to begin with."""
    recipe: str = "default"
    head_epochs: int = 40
    """At most, on the features of the frozen network."""
    epochs: int = 5
    """At most, of all layers; 0 trains the head alone."""
    batch: int = 32
    seed: int = 0
    """Of the split and of everything random."""
    validation: float = 0.2
    """Share of every class that is measured on and not learned from."""
    patience: int = 5
    """Epochs without a smaller loss on the validation pictures after which a phase ends."""

    def __post_init__(self) -> None:
        recipes.find(self.recipe)
        least = {"head_epochs": 1, "epochs": 0, "batch": 2, "seed": 0, "patience": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                option = name.replace("_", "-")
                raise FinetuneError(
                    f"--{option} is at least {low}, not {getattr(self, name)}. Choose another."
                )
        if not 0 < self.validation < 1:
            raise FinetuneError(
                f"--validation is between 0 and 1, not {self.validation:g}. Choose another, such "
                "as 0.2."
            )


def finetune(
    source: Path, folder: Path, name: str, settings: Settings, *, progress: bool = True
) -> tuple[Path, Finished]:
    """Train, or go on where a run of this name was stopped; the network's folder and what it holds.

    `source` is what data.read takes. The network becomes `folder/name`, whole or not at all. Until
    then checkpoints lie in `folder/.training/name`; features stay in `folder/.training`.
    Raises FinetuneError, UnknownModelError, WeightsError, EngineError and MemoryError.
    """
    entry = variants.find(settings.model)
    if entry.family not in FINE_TUNED or entry.labels is not None:
        raise FinetuneError(
            f"{entry.title} cannot be fine-tuned here. Choose an EfficientNet-Lite or one of B0 to "
            "B7, such as lite0."
        )
    goal, working = folder / name, folder / WORKING / name
    output.refuse_existing(goal)
    files = read(source)
    state, weights = checkpoints.load_state_dict(entry)
    try:
        working.mkdir(parents=True, exist_ok=True)
        with FileLock(working / "lock", timeout=0):
            engine = create(architectures.build(entry, state), entry.resolution)
            found = extract(
                files, engine, entry.preprocessing, weights.sha256, working.parent,
                progress=progress,
            )  # fmt: skip
            made = split(found.files, found.digests, settings.seed, settings.validation)
            base = {
                "model": entry.key,
                "weights_sha256": weights.sha256,
                "recipe": entry.recipe,
            }
            features = dict(zip(found.digests, found.features, strict=True))
            run = _Run(entry, state, made, features, settings, base)
            with torch.random.fork_rng(devices=[]):
                run.train(working / "checkpoint.pt", name, progress)
            finished = run.finished(name, found.skipped)
            output.write(finished, working / "finished", goal)
    except Timeout:
        raise FinetuneError(
            f"Another process trains {name} in {folder}. Wait for it, or choose another --name."
        ) from None
    except OSError as error:
        raise output.not_written(working, error) from error
    shutil.rmtree(working, ignore_errors=True)
    return goal, finished


class _Run:
    """Both phases on a split."""

    def __init__(
        self,
        entry: ModelEntry,
        state: Mapping[str, Tensor],
        split: Split,
        features: Mapping[str, Floats],
        settings: Settings,
        base: Json,
    ) -> None:
        self._entry, self._state, self._split = entry, state, split
        self._features, self._settings, self._base = features, settings, base
        self._recipe = recipes.find(settings.recipe)
        self._curves: list[Json] = []
        self._best: Best | None = None
        self._targets = torch.tensor([picture.target for picture in split.validation])  # (n,)

    def train(self, path: Path, name: str, progress: bool) -> None:
        """Both phases to their ends; every epoch ends with a checkpoint at `path`."""
        saved = self._load(path, name)
        if saved is None or saved["phase"] == "head":
            self._train(self._head_phase(), saved, path, progress)
            saved = None
        if self._settings.epochs > 0:
            self._train(self._all_layers_phase(), saved, path, progress)

    def finished(self, name: str, skipped: Sequence[tuple[str, str]]) -> Finished:
        """The network of the best epoch."""
        best = self._found()
        return Finished(
            entry=self._entry,
            title=f"{name} ({self._entry.title}, fine-tuned)",
            state=self._network(best).state_dict(),
            split=self._split,
            probabilities=best.probabilities.numpy(),
            curves=self._curves,
            best=best.place,
            recipe=self._recipe,
            settings=asdict(self._settings),
            base=self._base,
            versions={
                "effnet-viz": __version__,
                "python": platform.python_version(),
                "torch": torch.__version__,
                "torchvision": torchvision.__version__,
                "timm": timm.__version__,
            },
            skipped=skipped,
        )

    def _found(self) -> Best:
        assert self._best is not None, "every phase has at least one epoch"
        return self._best

    def _network(self, best: Best) -> nn.Module:
        module = with_classes(self._entry, self._state, len(self._split.classes))
        (head_of(module)[1] if best.phase == "head" else module).load_state_dict(best.state)
        return module

    def _train(self, trained: Trained, saved: Json | None, path: Path, progress: bool) -> None:
        if saved is not None:
            trained.load(saved)
        epoch = len(self._losses(trained.phase))
        with tqdm(
            total=trained.epochs * trained.steps,
            initial=epoch * trained.steps,
            desc={"head": "head", "all": "all layers"}[trained.phase],
            unit="step",
            disable=not progress,
        ) as bar:
            while epoch < trained.epochs and not self._stuck(trained.phase):
                torch.manual_seed(self._seed(trained.phase, epoch))
                record = trained.advance(epoch, self._recipe, bar)
                epoch += 1
                record = {"phase": trained.phase, "epoch": epoch} | record
                self._measure(trained, record)
                bar.set_postfix(
                    loss=f"{record['validation_loss']:.3f}",
                    accuracy=f"{record['validation_accuracy']:.1%}",
                )
                self._save(trained, path)

    def _measure(self, trained: Trained, record: Json) -> None:
        """Complete the record of an epoch, and keep its weights if they are the best so far."""
        logits = trained.logits()  # (n, classes)
        # As smoothed as in training: else the best epoch would be one before smoothing took effect.
        loss = float(
            nn.functional.cross_entropy(
                logits, self._targets, label_smoothing=self._recipe.label_smoothing
            )
        )
        if not np.isfinite(loss + record["training_loss"]):
            raise FinetuneError(
                f"Training diverged in epoch {record['epoch']} of the phase “{trained.phase}”: the "
                "loss is no number any more. Choose another --recipe or a smaller --batch, under "
                "another --name."
            )
        record["validation_loss"] = loss
        record["validation_accuracy"] = float((logits.argmax(1) == self._targets).float().mean())
        self._curves.append(record)
        if self._best is None or loss < self._best.loss:
            state = {
                name: tensor.detach().cpu().clone()
                for name, tensor in trained.measured.state_dict().items()
            }
            place = len(self._curves) - 1
            self._best = Best(place, trained.phase, loss, state, logits.softmax(1))

    def _losses(self, phase: Phase) -> list[float]:
        return [each["validation_loss"] for each in self._curves if each["phase"] == phase]

    def _stuck(self, phase: Phase) -> bool:
        """Whether the phase has not become better for as many epochs as patience has."""
        losses = self._losses(phase)
        return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= self._settings.patience

    def _seed(self, phase: Phase, epoch: int) -> int:
        sequence = np.random.SeedSequence((self._settings.seed, phase == "all", epoch))
        return int(sequence.generate_state(1)[0])

    def _order(self, phase: Phase, epoch: int) -> Iterator[list[int]]:
        """Places of the training pictures, in batches, in a new order every epoch."""
        random = np.random.default_rng((self._settings.seed, phase == "all", epoch))
        return batched(random.permutation(len(self._split.training)).tolist(), self._settings.batch)

    # The head

    def _head_phase(self) -> Trained:
        training, validation = (
            torch.from_numpy(np.stack([self._features[picture.digest] for picture in part]))
            for part in (self._split.training, self._split.validation)
        )  # (n, C)
        targets = torch.tensor([picture.target for picture in self._split.training])  # (n,)
        module = nn.Linear(training.shape[1], len(self._split.classes))
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)
        optimizer = torch.optim.AdamW(
            module.parameters(),
            lr=recipes.HEAD_LEARNING_RATE,
            weight_decay=recipes.HEAD_WEIGHT_DECAY,
        )
        epochs, steps = self._settings.head_epochs, self._steps
        return Trained(
            phase="head",
            epochs=epochs,
            steps=steps,
            module=module,
            optimizer=optimizer,
            schedule=CosineLRScheduler(optimizer, t_initial=epochs * steps, t_in_epochs=False),
            scaler=torch.amp.GradScaler("cpu", enabled=False),
            ema=None,
            device=torch.device("cpu"),
            batches=lambda epoch: (
                (training[places], targets[places]) for places in self._order("head", epoch)
            ),
            held=lambda: [validation],
            start=module.train,
        )

    @property
    def _steps(self) -> int:
        return -(-len(self._split.training) // self._settings.batch)

    # All layers

    def _all_layers_phase(self) -> Trained:
        recipe, settings = self._recipe, self._settings
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        module = self._network(self._found())
        set_drops(module, recipe.dropout, recipe.drop_connect)
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = recipes.optimizer_of(module, recipe, settings.batch)
        return Trained(
            phase="all",
            epochs=settings.epochs,
            steps=self._steps,
            module=module,
            optimizer=optimizer,
            schedule=recipes.schedule_of(optimizer, recipe, settings.epochs, self._steps),
            scaler=torch.amp.GradScaler(device.type, enabled=device.type == "cuda"),
            ema=ModelEmaV3(module, decay=recipe.ema, use_warmup=True),
            device=device,
            batches=self._augmented_batches,
            held=self._held_batches,
            start=lambda: to_training_mode(module, statistics=recipe.train_statistics),
        )

    def _augmented_batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        pictures, preprocessing = self._split.training, self._entry.preprocessing

        def view(place: int) -> tuple[Floats, int]:
            picture = pictures[place]
            random = np.random.default_rng((self._settings.seed, 2, epoch, place))
            photograph = unchanged(picture.file, picture.digest)
            return augmented(photograph, preprocessing, self._recipe, random), picture.target

        order = [place for places in self._order("all", epoch) for place in places]
        for batch in batched(in_order(view, order), self._settings.batch):
            x = torch.from_numpy(np.concatenate([one for one, _ in batch]))  # (B, 3, R, R)
            yield x, torch.tensor([target for _, target in batch])

    def _held_batches(self) -> Iterator[Tensor]:
        def view(picture: Picture) -> Floats:
            return self._entry.preprocessing(unchanged(picture.file, picture.digest))[0]

        views = in_order(view, self._split.validation)
        for batch in batched(views, self._settings.batch):
            yield torch.from_numpy(np.concatenate(batch))  # (B, 3, R, R)

    # Checkpoints

    @property
    def _identity(self) -> Json:
        """What a run that goes on must have in common with the one that was stopped."""
        identity: Json = json.loads(
            json.dumps(
                asdict(self._settings)
                | {"recipe": asdict(self._recipe)}
                | {"pictures": self._split.digest, "weights": self._base["weights_sha256"]}
            )
        )
        return identity

    def _save(self, trained: Trained, path: Path) -> None:
        best = self._found()
        content = trained.state() | {
            "identity": self._identity,
            "curves": self._curves,
            "best": {
                "place": best.place,
                "phase": best.phase,
                "loss": best.loss,
                "state": best.state,
                "probabilities": best.probabilities,
            },
        }
        written = io.BytesIO()
        torch.save(content, written)
        write_atomically(path, written.getvalue())

    def _load(self, path: Path, name: str) -> Json | None:
        if not path.exists():
            return None
        try:
            saved: Json = torch.load(path, map_location="cpu", weights_only=True)
            found = saved["identity"]
            self._curves, self._best = saved["curves"], Best(**saved["best"])
        except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
            raise FinetuneError(
                f"{path} is damaged and {name} cannot go on from it. Delete it to begin anew; the "
                "features are kept."
            ) from error
        other = [key for key, value in self._identity.items() if found.get(key) != value]
        if other:
            raise FinetuneError(
                f"{name} was begun with other {', '.join(other)}. Give the same pictures and "
                f"options to go on, choose another --name, or delete {path.parent} to begin anew."
            )
        return saved
