"""The MONK's problems by a circuit of 144 two-input gates: six layers of 24, trained by votes.

Six nominal attributes become 17 bits, one a value. Tables start as their first input, so that six layers pass on what
they read; votes are rescaled after every layer, or they would drown it, and count less and less towards the end.

    catlearn train models/monk.py --data-dir FOLDER --set PROBLEM=2     m1.train .. m3.test lie in FOLDER or FOLDER/monk

MONK-1 is "two attributes are equal, or a third has its first value"; MONK-2 "exactly two attributes have their first
value"; MONK-3 has six wrong labels among 122. The settings were chosen on held-out training rows.
"""

import catlearn as cl
from catlearn import count_losses, counters, datasets, layers, wirings
from catlearn.optimisers import optimiser

PROBLEM, SEED = 1, 0
WIDTH, DEPTH = 24, 6
EPOCHS, BATCH = 400, 32
LIMIT, SCALE, TEMPERATURE, DECAY = 1024, 16, 2.0, 20
TARGET = 16 if PROBLEM == 3 else 4
ROWS = {1: 124, 2: 169, 3: 122}

epochs, batch_size, seed = EPOCHS, BATCH, SEED


def load(data_dir):
    """The training and test rows of the problem, as bits."""
    return datasets.monk(PROBLEM, data_dir)


def circuit():
    """Layers of two-input tables, each reading the one before, and a count of the bits of each class."""
    width, model = 17, None
    for k in range(DEPTH):
        layer = layers.table_layer(width, WIDTH, arity=2, seed=100 * SEED + k, initialise=wirings.Projection())
        layer = layer >> layers.rescale_votes(WIDTH, TARGET)
        model, width = layer if model is None else model >> layer, WIDTH
    return model >> layers.group_sum(WIDTH, 2)


def falling():
    """What 256 votes count for: all at first, a DECAY-th at the end."""
    steps = EPOCHS * -(-ROWS[PROBLEM] // BATCH)
    return counters.stairs({steps * k // 20: round(256 * (1 - k / 20 * (1 - 1 / DECAY))) for k in range(20)})


rule = optimiser("falling votes", counters.scale_votes(falling(), 8) >> counters.count_votes(LIMIT))
learner = cl.supervised(circuit(), count_losses.count_softmax(SCALE, TEMPERATURE), rule)
