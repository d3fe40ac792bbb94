"""Iris by a look-up-table circuit over Z2, trained by Reverse Derivative Ascent in the published order.

Each of the four measurements becomes one bit; the circuit holds three tables of 16 bits, one a class. The rows come
sorted by class, one at a time, once.

    catlearn train models/iris_circuit.py
"""

from catlearn import datasets, layers, losses, optimisers, supervised

CLASSES = 3
LABELS = "one-hot"

data = datasets.iris_sorted(CLASSES).binarised(labels=LABELS)
learner = supervised(
    layers.lookup_table(4, data.train_targets.shape[1]),
    losses.exclusive_or,
    optimisers.reverse_derivative_ascent(),
)
epochs, batch_size, seed, shuffle = 1, 1, 0, False
