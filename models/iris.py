"""Iris by a network of 4, 20 and 3 units with sigmoids, trained by Adam.

catlearn train models/iris.py
"""

from catlearn import datasets, layers, losses, optimisers, supervised

LEARNING_RATE = 0.02
HIDDEN = 20

data = datasets.iris(split_seed=0)
model = layers.dense(4, HIDDEN, "sigmoid") >> layers.dense(HIDDEN, 3, "sigmoid")
learner = supervised(model, losses.mean_squared_error, optimisers.adam(LEARNING_RATE))
epochs, batch_size, seed = 200, 16, 0
