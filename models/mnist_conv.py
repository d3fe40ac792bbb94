"""Handwritten digits by a convolutional network.

catlearn train models/mnist_conv.py                                     scikit-learn's Digits, enlarged to 28 x 28
catlearn train models/mnist_conv.py --data-dir FOLDER                   MNIST's IDX files, 8,000 and 2,000 rows of them
catlearn train models/mnist_conv.py --data-dir FOLDER --set SUBSET=all  all of MNIST
catlearn train models/mnist_conv.py --set SOURCE=openml                 MNIST from OpenML, by scikit-learn

At the end it writes mnist_conv.png: the digits of the test part that it gets wrong, and how it learnt.
"""

from functools import partial

import numpy as np

import catlearn as cl
from catlearn import images, layers, losses, optimisers, schedules

SOURCE, SUBSET = "digits", "8k/2k"
EPOCHS, BATCH = 12, 64
RATE, DROPOUT, SHIFT = 2e-3, 0.3, 2
PICTURE = "mnist_conv.png"


def load(data_dir):
    """The digits of the folder, or those that the constants name."""
    if data_dir is None and SOURCE == "digits":
        return enlarged(images.digits())
    return images.mnist(data_dir, subset=SUBSET)


def enlarged(data):
    """Every pixel of an 8 x 8 image three times in each direction, and a border of two."""

    def large(x):
        return np.pad(x.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2), (0, 0)))

    return cl.Data(large(data.train_inputs), data.train_targets, large(data.test_inputs), data.test_targets)


def convolution(shape, channels):
    """A convolution, the largest of each 2 x 2 pixels, and relu, which may as well come after it."""
    layer = layers.conv(shape, channels) >> layers.max_pool((*shape[:-1], channels))
    return layer >> layers.activation("relu", layer.cod[0])


ROWS = 60_000 if SUBSET == "all" else 8_000
model = layers.chain(
    cl.Space((28, 28, 1), cl.REAL),
    partial(layers.random_shift, most=SHIFT),
    partial(convolution, channels=32),
    partial(convolution, channels=64),
    layers.flatten,
    partial(layers.dropout, rate=DROPOUT),
    lambda shape: layers.dense(*shape, 128, "relu"),
    partial(layers.dropout, rate=DROPOUT),
    lambda shape: layers.dense(*shape, 10),
)
rate = schedules.cosine(RATE, EPOCHS * (ROWS // BATCH + 1))
learner = cl.supervised(model, losses.label_cross_entropy, optimisers.adam(rate))
epochs, batch_size, seed = EPOCHS, BATCH, 0


def finish(result):
    """Draw what the network gets wrong, and how it learnt."""
    from matplotlib.figure import Figure

    x, labels = result.data.test_inputs, result.data.test_targets
    guesses = result.predict(x).argmax(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[3, 2])
    for axis in (axes := left.subplots(4, 8)).flat:
        axis.axis("off")
    for k, axis in zip(wrong, axes.flat, strict=False):
        axis.imshow(x[k, :, :, 0], cmap="gray_r")
        axis.set_title(f"{labels[k]}, read as {guesses[k]}", fontsize=7)
    left.suptitle(f"{len(wrong)} of {len(labels)} test digits are read wrong")
    axis = right.subplots()
    axis.plot(range(1, result.history.epochs + 1), result.history.loss, marker=".")
    axis.set(xlabel="epoch", ylabel="training loss", yscale="log")
    axis.grid(alpha=0.3)
    figure.savefig(PICTURE, dpi=110)
    print(f"wrote {PICTURE}")
