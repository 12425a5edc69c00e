"""Training: one recipe for all five networks, three runs of each.

Every run has its own seed and its own vendor that it never sees. What is random in a step depends
on the seed and the step only, so a run that was stopped continues bit for bit on the same device.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models.efficientnet import EfficientNet
from tqdm import tqdm

from effnet_viz.lab import networks, scenes
from effnet_viz.lab.runs import Recipe, Run
from effnet_viz.lab.scalings import Scaling
from effnet_viz.lab.scenes import EASY, STANDARD, Difficulty
from effnet_viz.lab.sprites import CLASSES
from effnet_viz.lab.trained import load_checkpoint
from effnet_viz.writing import written_whole

Bytes = NDArray[np.uint8]

CHECKPOINT_EVERY = 100
LOG_EVERY = 25
"""Steps whose mean one line of the log holds; a checkpoint falls on such a line."""
CURVE_POINTS = 12
CURVE_SCENES = 480


class BusyError(RuntimeError):
    """Another process trains this run."""


def train(run: Run, folder: Path, recipe: Recipe, *, progress: bool = True) -> Path:
    """Train to the end, or continue from the last checkpoint; the checkpoint's path.

    Writes `NAME.pt` (state, optimizer, step) and `NAME.jsonl` (loss, learning rate and the
    learning curve) into the folder. Raises BusyError when another process trains this run, and
    ValueError when the checkpoint there is of another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{run.name}.lock", timeout=0):
            return _train(run, folder, recipe, progress)
    except Timeout:
        raise BusyError(f"Another process trains {run.name} in {folder}.") from None


def _train(run: Run, folder: Path, recipe: Recipe, progress: bool) -> Path:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    state = _State.start(run, recipe, device)
    path, log_path = run.checkpoint(folder), run.log(folder)
    if path.exists():
        state.load(path, recipe)
    if state.step == recipe.steps:
        return path
    easy, standard = (
        training_images(run, folder, count, difficulty, progress=progress)  # (n, S, S, 3)
        for difficulty, count in ((EASY, recipe.easy_scenes), (STANDARD, recipe.scenes))
    )
    curve = _CurveScenes.make(run)
    _forget_after(log_path, state.step)
    curve_steps = {round(recipe.steps * n / CURVE_POINTS) for n in range(1, CURVE_POINTS + 1)}
    recent: list[tuple[float, float]] = []
    with (
        log_path.open("a", encoding="utf-8") as log,
        tqdm(total=recipe.steps, initial=state.step, desc=run.name, disable=not progress) as bar,
    ):
        while state.step < recipe.steps:
            started = time.perf_counter()
            images = easy if state.step < recipe.easy_steps else standard
            recent.append(state.advance(images, run.number, recipe))
            state.seconds += time.perf_counter() - started
            bar.update()
            record: dict[str, Any] = {}
            if state.step % LOG_EVERY == 0 or state.step == recipe.steps:
                loss, accuracy = np.mean(recent, axis=0).tolist()
                recent.clear()
                record = {"loss": loss, "training_top1": accuracy}
                bar.set_postfix(loss=f"{loss:.2f}", accuracy=f"{accuracy:.0%}")
            if state.step in curve_steps:
                record |= curve.accuracy(state.module, run.scaling, device)
            if record:
                record = {
                    "step": state.step,
                    "views": state.step * recipe.batch,
                    "seconds": round(state.seconds, 1),
                    "learning_rate": recipe.learning_rate_at(state.step - 1),
                } | record
                log.write(json.dumps(record) + "\n")
            if state.step % CHECKPOINT_EVERY == 0 or state.step == recipe.steps:
                log.flush()
                state.save(path, recipe)
    return path


def training_images(
    run: Run, folder: Path, count: int, difficulty: Difficulty, *, progress: bool = False
) -> Bytes:
    """The images of the training scenes, (n, SIDE, SIDE, 3), made once per held-out vendor.

    Scene i is of class i mod 24. They stay in a file of the folder and are mapped into memory.
    """
    kind = "easy-scenes" if difficulty == EASY else "scenes"
    path = folder / f"{kind}-without-{run.held_out.lower()}-{count}.npy"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            unfinished = path.with_suffix(".part")
            shape = (count, scenes.SIDE, scenes.SIDE, 3)
            images = np.lib.format.open_memmap(unfinished, "w+", np.uint8, shape)
            title = f"{kind} without {run.held_out}"
            for number in tqdm(range(count), title, disable=not progress):
                images[number] = _training_image(run, number, difficulty)
            images.flush()
            unfinished.rename(path)
    mapped: Bytes = np.load(path, mmap_mode="r")
    if (mapped[0] != _training_image(run, 0, difficulty)).any():
        raise ValueError(f"{path} holds scenes of another version. Delete it and start again.")
    return mapped


def _training_image(run: Run, number: int, difficulty: Difficulty) -> Bytes:
    stream = scenes.FIRST_LESSONS if difficulty == EASY else scenes.TRAINING
    return scenes.make(run.seen, stream, number, difficulty).image


@dataclass
class _State:
    """What changes while a network is trained."""

    module: EfficientNet
    optimizer: torch.optim.AdamW
    resolution: int
    device: torch.device
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, run: Run, recipe: Recipe, device: torch.device) -> _State:
        torch.manual_seed(run.number)
        module = networks.build(run.scaling).to(device, memory_format=torch.channels_last)
        weights = [p for p in module.parameters() if p.ndim > 1]
        others = [p for p in module.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": weights, "weight_decay": recipe.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
        )
        return cls(module, optimizer, run.scaling.resolution, device)

    def advance(self, images: Bytes, seed: int, recipe: Recipe) -> tuple[float, float]:
        """One step; the loss and the share of right answers on its batch, before the step."""
        random = np.random.default_rng((seed, self.step))
        picked = _batch(len(images), seed, self.step, recipe.batch)  # (B,)
        x = _augmented(images, picked, random, recipe, self.device)  # (B, c, c, 3)
        x = networks.preprocess(x, self.resolution)  # (B, 3, R, R)
        y = torch.from_numpy(picked % len(CLASSES)).to(self.device)  # (B,)
        self.module.train()
        logits = self.module(x)  # (B, classes)
        loss = nn.functional.cross_entropy(logits, y, label_smoothing=recipe.label_smoothing)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.module.parameters(), recipe.largest_gradient)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate_at(self.step)
        self.optimizer.step()
        self.step += 1
        return loss.item(), (logits.argmax(1) == y).float().mean().item()

    def save(self, path: Path, recipe: Recipe) -> None:
        content = {
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "recipe": asdict(recipe),
        }
        with written_whole(path) as file:
            torch.save(content, file)

    def load(self, path: Path, recipe: Recipe) -> None:
        content = load_checkpoint(path, self.device)
        if content["recipe"] != asdict(recipe):
            raise ValueError(
                f"{path} was trained with another recipe ({content['recipe']}). Train with that "
                "recipe, or into another folder."
            )
        self.module.load_state_dict(content["module"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.seconds = content["step"], content["seconds"]


def _batch(count: int, seed: int, step: int, size: int) -> NDArray[np.int64]:
    """The scenes of a step, (size,): the whole set in a new order, again and again."""
    places = np.arange(step * size, (step + 1) * size)
    orders = {
        epoch: np.random.default_rng((seed, 1, epoch)).permutation(count)
        for epoch in np.unique(places // count).tolist()
    }
    return np.array([orders[place // count][place % count] for place in places.tolist()])


def _augmented(
    images: Bytes, picked: NDArray[np.int64], random: np.random.Generator, recipe: Recipe,
    device: torch.device,
) -> Tensor:  # fmt: skip
    """The picked images, all cut to one random square, half of them mirrored; (B, c, c, 3)."""
    crop = int(random.integers(recipe.smallest_crop, scenes.SIDE + 1))
    top, left = random.integers(0, scenes.SIDE - crop + 1, 2).tolist()
    cut = images[picked, top : top + crop, left : left + crop]  # (B, c, c, 3)
    x = torch.from_numpy(cut).to(device)
    mirrored = torch.from_numpy(random.random(len(picked)) < 0.5).to(device)  # (B,)
    return torch.where(mirrored[:, None, None, None], x.flip(2), x)


@dataclass(frozen=True, eq=False)
class _CurveScenes:
    """Scenes of seen and unseen vendors that show how training goes; never trained on."""

    images: dict[str, Bytes]

    @classmethod
    def make(cls, run: Run) -> _CurveScenes:
        sources = {"seen_top1": run.seen, "unseen_top1": run.unseen}
        return cls(
            {
                name: np.stack(
                    [
                        scenes.make(source, scenes.LEARNING_CURVE, number).image
                        for number in range(CURVE_SCENES)
                    ]
                )
                for name, source in sources.items()
            }
        )

    def accuracy(
        self, module: EfficientNet, scaling: Scaling, device: torch.device
    ) -> dict[str, float]:
        module.eval()
        labels = np.arange(CURVE_SCENES) % len(CLASSES)  # (n,)
        return {
            name: float(
                (logits_of(module, images, scaling.resolution, device).argmax(1) == labels).mean()
            )
            for name, images in self.images.items()
        }


def logits_of(
    network: nn.Module, images: Bytes, resolution: int, device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Logits (n, classes) of images (n, S, S, 3); the network is in evaluation mode."""
    with torch.no_grad():
        parts = [
            network(networks.preprocess(torch.from_numpy(part).to(device), resolution)).cpu()
            for part in _parts(images)
        ]
    logits: NDArray[np.float32] = torch.cat(parts).numpy()
    return logits


def _parts(images: Bytes, size: int = 100) -> Iterator[Bytes]:
    for start in range(0, len(images), size):
        yield images[start : start + size]


def _forget_after(log_path: Path, step: int) -> None:
    """Drop what a stopped run logged after its last checkpoint: it will be trained again."""
    if log_path.exists():
        lines = log_path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        log_path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
