"""What Keras writes and computes, in a process of its own: `python -m tests.models.keras_writer`.

Keras decides by the environment when it is imported what computes, and takes seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from tests.browser.visitor import ROOT

if TYPE_CHECKING:
    import keras

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and "variance" in keras.applications' own files, the latter standard deviations in fact."""

STATISTICS = ((0.4, 0.5, 0.45), (0.05, 0.06, 0.09))
"""Mean and variance as Normalization.adapt might find them."""

SIDES = {"whole": 100, "nested": 128, "tutorial": 96, "sequential": 224, "imagenet": 224}
"""Of the inputs; 100 pixels become an odd number on the way, which is padded otherwise."""


def write(folder: Path, *names: str) -> None:
    """Writes networks in every form, with pixels and what Keras gives for them."""
    subprocess.run(
        [sys.executable, "-m", __name__, str(folder), *names],
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)},
        cwd=folder,
        check=True,
        capture_output=True,
    )


def pixels(side: int, count: int) -> np.ndarray:
    """Pictures (count, R, R, 3) with edges and noise, 0 to 255."""
    random = np.random.default_rng(count)
    coarse = random.uniform(0, 255, (count, side // 4 + 1, side // 4 + 1, 3))
    blocks = coarse.repeat(4, 1).repeat(4, 2)[:, :side, :side]
    return np.clip(blocks + random.normal(0, 10, blocks.shape), 0, 255).astype(np.float32)


def _disturb(model: keras.Model, statistics: tuple[tuple[float, ...], ...]) -> None:
    """With values as after training, so that a wrong epsilon, order or sign shows."""
    random = np.random.default_rng(3)
    layers = list(model._flatten_layers())
    norms = [layer for layer in layers if type(layer).__name__ == "BatchNormalization"]
    for layer in layers:
        kind, weights = type(layer).__name__, layer.get_weights()
        if kind == "Normalization":
            layer.set_weights([*map(np.array, statistics), weights[2]])
        elif kind == "Conv2D" and layer.use_bias:
            layer.set_weights([weights[0], random.normal(0, 0.5, weights[1].shape)])
        elif kind == "Dense":
            layer.set_weights([
                random.normal(0, 0.05, weights[0].shape), random.normal(0, 1, weights[1].shape)
            ])  # fmt: skip
    for layer in norms:
        gamma, beta, *rest = layer.get_weights()
        layer.set_weights([
            random.uniform(0.7, 1.3, gamma.shape), random.normal(0, 0.2, beta.shape), *rest
        ])  # fmt: skip
        layer.momentum = 0  # what moves is the last batch's
    model(pixels(model.input_shape[1], 12), training=True)


def _network(name: str) -> keras.Model:
    import keras
    from keras import layers
    from keras.src.applications import efficientnet

    applications = keras.applications
    if name == "whole":
        return applications.EfficientNetB0(weights=None, input_shape=(100, 100, 3), classes=5)
    if name == "imagenet":
        applications.EfficientNetB0(weights=None).save("published.h5")
        # The builder downloads the weights; it puts one more layer before the network, too.
        with mock.patch.object(efficientnet.file_utils, "get_file", return_value="published.h5"):
            return applications.EfficientNetB0(weights="imagenet")
    if name == "nested":
        backbone = applications.EfficientNetB0(
            include_top=False, weights=None, input_shape=(128, 128, 3)
        )
        inputs = keras.Input((128, 128, 3))
        x = layers.RandomRotation(0.1)(layers.RandomFlip()(inputs))
        x = layers.GlobalAveragePooling2D()(backbone(x))
        x = layers.Dense(3, activation="softmax", name="birds")(layers.Dropout(0.2)(x))
        return keras.Model(inputs, x)
    if name == "tutorial":  # a batch norm between pooling and dense layer
        backbone = applications.EfficientNetB0(
            include_top=False, weights=None, input_tensor=keras.Input((96, 96, 3))
        )
        x = layers.BatchNormalization()(layers.GlobalAveragePooling2D()(backbone.output))
        x = layers.Dense(4, activation="softmax", name="pred")(layers.Dropout(0.2)(x))
        return keras.Model(backbone.input, x)
    if name == "sequential":
        backbone = applications.EfficientNetB0(include_top=False, weights=None, pooling="avg")
        return keras.Sequential([
            keras.Input((230, 230, 3)), layers.Rescaling(1.5, offset=-20), backbone,
            layers.Dense(3), layers.Softmax(),
        ])  # fmt: skip
    member = getattr(applications, f"EfficientNet{name.upper()}")
    return member(weights=None, input_shape=(64, 64, 3), classes=3)


def _write(name: str) -> None:
    keras.utils.set_random_seed(1)
    model = _network(name)
    _disturb(model, IMAGENET if name == "imagenet" else STATISTICS)
    for ending in (".keras", ".h5", ".weights.h5"):
        (model.save_weights if ending == ".weights.h5" else model.save)(f"{name}{ending}")
    # "sequential" is for 230 pixels, and what it is built of for no size: that gives 224.
    side = SIDES.get(name, 64)
    images = pixels(side, 2)
    np.savez(
        f"{name}.npz",
        pixels=images,
        probabilities=keras.ops.convert_to_numpy(model(images, training=False)),
    )


if __name__ == "__main__":
    import keras

    os.chdir(sys.argv[1])
    for each in sys.argv[2:]:
        _write(each)
