"""Handwritten digits by a Boolean circuit of look-up tables, dense or convolutional, trained by votes in whole numbers.

catlearn train models/mnist_circuit.py                                      scikit-learn's Digits, enlarged to 28 x 28
catlearn train models/mnist_circuit.py --data-dir FOLDER                    MNIST: its test file, 8,000 and 2,000 rows
catlearn train models/mnist_circuit.py --data-dir FOLDER --set SUBSET=all   all of MNIST
... --set SUBSET=all --set ARCHITECTURE=conv                                shared tables on patches, or-pooling
... --set ARITY=2 --set LAYERS=4 --set SHIFT=0                                two-input gates only

Pixels become bits, `pixel > level`. Dense: two layers of 8,000 six-input tables, the first on random 7 x 7 patches.
Convolutional: 128 tables shared over 5 x 5 patches, or-pooling, 512 over 3 x 3, or-pooling, 8,000 tables. The settings
were chosen on held-out rows: `--set HELD_OUT=10000` takes the last training rows for the test rows.
"""

import numpy as np

import catlearn as cl
from catlearn import count_losses, counters, images, layers, wirings
from catlearn.assignment import by_name
from catlearn.augmentation import Distort, Shift, augmented
from catlearn.coding import Thermometer
from catlearn.optimisers import optimiser

SOURCE, SUBSET, ARCHITECTURE = "digits", "8k/2k", "dense"
TABLES, ARITY, LAYERS, RESCALE = 8000, 6, 2, 0
EPOCHS = 18 if ARCHITECTURE == "conv" else 20
BATCH = 64 if ARCHITECTURE == "conv" else 100
LIMIT = 2048 if SUBSET == "all" else 1024
SCALE, TEMPERATURE = 64, (TABLES / 20) ** 0.5  # matched to the width
SHIFT, HELD_OUT, SEED = 1, 0, 0
SHARED_LIMIT, SHARED_START, CLIP, LAST_LIMIT = 16384, 2048, 128, 512
LEVELS = (96,) if ARCHITECTURE == "conv" else (32, 96, 160)
ROWS = (60_000 if SUBSET == "all" else 8_000) - HELD_OUT

epochs, batch_size, seed = EPOCHS, BATCH, SEED


def load(data_dir):
    """Batches of bits, the images moved anew in every epoch."""
    data = (
        enlarged(images.digits()) if data_dir is None and SOURCE == "digits" else images.mnist(data_dir, subset=SUBSET)
    )
    if HELD_OUT:
        rows, labels = data.train_inputs, data.train_targets
        data = cl.Data(rows[:-HELD_OUT], labels[:-HELD_OUT], rows[-HELD_OUT:], labels[-HELD_OUT:])
    transforms = (Shift(SHIFT),) if SHIFT else ()
    if ARCHITECTURE == "conv":
        transforms = (Distort(rotation=10.0, scale=0.1, shear=0.1, translation=1.0),)
    coding = Thermometer([level / 255 for level in LEVELS])
    flat = ARCHITECTURE == "dense"
    if not flat:
        data = cl.Data(*(part[:, 2:26, 2:26] if part.ndim > 1 else part for part in parts(data)))
    return augmented(data, BATCH, SEED, transforms=transforms, coding=coding, flat=flat)


def parts(data):
    """The four arrays of the data."""
    return data.train_inputs, data.train_targets, data.test_inputs, data.test_targets


def enlarged(data):
    """Every pixel of an 8 x 8 image three times in each direction, and a border of two."""

    def large(x):
        return np.pad(x.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2), (0, 0)))

    return cl.Data(large(data.train_inputs), data.train_targets, large(data.test_inputs), data.test_targets)


def dense():
    """Layers of tables, the first on patches of the image."""
    shape = (28, 28, len(LEVELS))
    wiring = wirings.local(shape, TABLES, ARITY, patch=7, seed=SEED)
    model = layers.table_layer(28 * 28 * len(LEVELS), TABLES, arity=ARITY, wiring=wiring)
    for k in range(1, LAYERS):
        if RESCALE:
            model = model >> layers.rescale_votes(TABLES, RESCALE)
        model = model >> layers.table_layer(TABLES, TABLES, arity=ARITY, seed=1000 * SEED + k)
    return model


def convolutional():
    """Tables shared over patches that mostly start at 0, each followed by or-pooling, and a layer of tables."""
    sparse = wirings.RandomThreshold(1.2, sparse=True)
    first = layers.table_conv((24, 24, 1), 128, arity=ARITY, patch=5, initialise=sparse, seed=SEED)
    second = layers.table_conv((10, 10, 128), 512, arity=ARITY, patch=3, initialise=sparse, seed=SEED + 1)
    features = first >> layers.or_pool((20, 20, 128)) >> second >> layers.or_pool((8, 8, 512))
    flat = cl.trace(features.cod, lambda x: cl.functions.reshape(x, (4 * 4 * 512,)))
    last = layers.table_layer(4 * 4 * 512, TABLES, arity=ARITY, seed=1000 * SEED + 2)
    return features >> flat >> last


def doubling(limit):
    """A counter's limit, twice as large from 8, 12 and 15 eighteenths of the way on."""
    steps = EPOCHS * (ROWS // BATCH)
    return counters.stairs({steps * part // 18: limit * 2**k for k, part in enumerate((0, 8, 12, 15))})


if ARCHITECTURE == "conv":
    clipped = counters.clip_votes(CLIP) >> counters.count_votes(doubling(SHARED_LIMIT), SHARED_START)
    last = counters.saturating(doubling(LAST_LIMIT), LAST_LIMIT // 4)
    rule = by_name({"table_conv_*": optimiser("clipped counters", clipped), "*": last})
    model = convolutional()
else:
    rule, model = counters.saturating(LIMIT), dense()
learner = cl.supervised(model >> layers.group_sum(TABLES, 10), count_losses.count_softmax(SCALE, TEMPERATURE), rule)
