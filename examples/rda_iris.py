"""Reverse Derivative Ascent on Iris: the published experiment.

Four measurements as four bits, (x - min) / (max - min) > 1/2 over the rows in use; look-up tables over Z2, all zero at
the start; the first 25 rows of each class in order, once, one row a step; the rest test. A prediction counts when every
bit is right. Source: Wilson and Zanasi, Reverse derivative ascent (2101.10488).
"""

import catlearn as cl
from catlearn import datasets, layers, losses, optimisers

for classes in (2, 3):
    for labels in ("binary", "one-hot"):
        data = datasets.iris_sorted(classes).binarised(labels=labels)
        circuit = layers.lookup_table(4, data.train_targets.shape[1])
        learner = cl.supervised(circuit, losses.exclusive_or, optimisers.reverse_derivative_ascent())
        result = cl.fit(learner, data, epochs=1, batch_size=1, seed=0, shuffle=False)
        print(f"{classes} classes, {labels} labels: test accuracy {result.test_accuracy:.1f} %")
