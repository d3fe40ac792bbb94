"""Reverse Derivative Ascent on MNIST's digits 0 and 1: the published experiment, one bit a pixel, in seconds.

python examples/rda_mnist.py --data-dir FOLDER      MNIST's four IDX files; without it, those in $CATLEARN_DATA

A pixel is 1 where it is above 32; the model `layers.pseudo_linear` says 0 or 1 from 784 bits of parameters, all zero at
the start. Of the rows to train with these digits, in the order of the file, the first 11,400 are to train and the rest
to validate; 999 steps, one row each. Of the 1,000 parameters seen, those with the most correct validation rows are
kept, the later ones of equals. Source: Wilson and Zanasi, Reverse derivative ascent (2101.10488).
"""

import argparse
import os

import jax
import numpy as np

import catlearn as cl
from catlearn import images, layers, losses, optimisers
from catlearn.functors import Jax

TRAINING_ROWS, STEPS = 11_400, 999

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data-dir", default=os.environ.get("CATLEARN_DATA"), help="the folder of MNIST's four IDX files")
folder = parser.parse_args().data_dir

model = layers.pseudo_linear(28 * 28)
learner = cl.supervised(model, losses.exclusive_or, optimisers.reverse_derivative_ascent())


def zeros_and_ones(pictures, digits):
    """The rows with the digits 0 and 1, as bits."""
    rows = digits < 2
    # Pixels come divided by 255; half way between 32 and 33 there is nothing to round.
    return (pictures[rows] > 32.5 / 255).reshape(-1, 28 * 28).astype(np.uint8), digits[rows].astype(np.uint8)


def parameters_seen(x, y):
    """The parameters at the start and after each step, the training run being one diagram: a scan of the step."""
    step = learner.step()
    run = cl.scan(step >> cl.copy(step.cod), len(x))
    (start,) = learner.initial()
    _, after = Jax()(run)(start, y, x)
    return np.concatenate([[start], after])


def right(seen, x, y):
    """How many rows each of the parameters gets right."""
    predict = jax.jit(Jax()(cl.batch(model.morphism, len(x), (False, True))))
    return np.array([(np.asarray(predict(p, x)) == y).sum() for p in seen])


def experiment(data):
    """Train, choose and test; what came of it, as a line."""
    x, y = zeros_and_ones(data.train_inputs, data.train_targets)
    seen = parameters_seen(x[:STEPS], y[:STEPS])
    validated = right(seen, x[TRAINING_ROWS:], y[TRAINING_ROWS:])
    best = len(seen) - 1 - validated[::-1].argmax()
    tested = zeros_and_ones(data.test_inputs, data.test_targets)
    accuracy = right(seen[best : best + 1], *tested)[0] / len(tested[0])
    return f"parameters after step {best} of {STEPS}: test accuracy {100 * accuracy:.1f} % ({accuracy:.5f})"


if folder is None:
    print("MNIST's files are needed: give --data-dir FOLDER, or set CATLEARN_DATA to that folder or the one above")
else:
    print(experiment(images.mnist(folder, subset="all")))
