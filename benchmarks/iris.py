"""Two things about small networks: whole epochs as one compiled loop, and how soon the first step is done.

The first ratio is the time of an epoch on Iris, one row a step, by a jitted step called from Python for each row, over
that of the epoch as `fit` runs it. The others are of the time from the start of a process to its end, over that of a
process which does the same with plain JAX: to the first trained step (batch 16, gradient descent), jitted; and to the
first epoch, by `fit`, against a scan over the batches that gives losses and right predictions too. All in turn; the
median [least, greatest].

Run with `python benchmarks/iris.py`; needs optax.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from overhead import (
    fit_epochs,
    hand_optimiser,
    hand_parameters,
    hand_step,
    learner_of,
    problems,
    summary,
    time_ratios,
)

ROWS = """
import csv
import numpy as np
from importlib.util import find_spec
from pathlib import Path
text = (Path(find_spec("catlearn").origin).parent / "data/iris.csv").read_text()
_, *table = csv.reader(text.splitlines())
names = sorted({row[4] for row in table})
x = np.array([[float(cell) for cell in row[:4]] for row in table[:96]], np.float32)
y = np.eye(3, dtype=np.float32)[[names.index(row[4]) for row in table[:96]]]
"""

OURS = """
import catlearn as cl
from catlearn import layers, losses, optimisers
model = layers.dense(4, 20, "sigmoid") >> layers.dense(20, 3)
learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.1))
"""

OUR_STEP = """
import jax
from catlearn.functors import Jax
step = jax.jit(Jax()(learner.step(16)))
state = step(*learner.initial(0), y[:16], x[:16], 0.1)
assert np.isfinite(np.asarray(state[0])).all()
"""

OUR_EPOCH = """
result = cl.fit(learner, cl.Data(x, y, x[:1], y[:1]), epochs=1, batch_size=16, progress=False)
assert np.isfinite(result.history.loss).all()
"""

THEIRS = """
import jax
import jax.numpy as jnp
generator = np.random.default_rng(0)
parameters = [(generator.normal(size=s).astype(np.float32), np.zeros(s[1], np.float32)) for s in ((4, 20), (20, 3))]

def loss(parameters, x, y):
    (w, b), (u, c) = parameters
    guesses = jax.nn.sigmoid(x @ w + b) @ u + c
    return jnp.mean((guesses - y) ** 2), guesses

def moved(parameters, x, y):
    (value, guesses), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, x, y)
    return jax.tree.map(lambda p, g: p - 0.1 * g, parameters, gradient), value, guesses
"""

THEIR_STEP = """
@jax.jit
def step(parameters, x, y):
    return moved(parameters, x, y)[0]

parameters = step(parameters, x[:16], y[:16])
assert np.isfinite(np.asarray(parameters[0][0])).all()
"""

THEIR_EPOCH = """
@jax.jit
def epoch(parameters, batches, x, y):
    def one(parameters, rows):
        parameters, value, guesses = moved(parameters, x[rows], y[rows])
        return parameters, (value, (jnp.argmax(guesses, 1) == jnp.argmax(y[rows], 1)).sum())
    return jax.lax.scan(one, parameters, batches)

order = np.random.default_rng(0).permutation(96).astype(np.int32).reshape(6, 16)
parameters, seen = epoch(parameters, order, x, y)
assert np.isfinite(np.asarray(seen[0])).all()
"""


def by_calls() -> Any:
    """An epoch on Iris, one row a step, by a jitted step called from Python."""
    problem = problems()[-1]
    learner = learner_of(problem.sizes, problem.activations, problem.optimiser)
    step = jax.jit(hand_step(problem.activations, problem.optimiser))
    x, y = (jnp.asarray(part, jnp.float32) for part in (problem.data.train_inputs, problem.data.train_targets))
    start = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), hand_parameters(learner, learner.initial(0)))

    def epochs() -> np.ndarray:
        parameters, stored, seen = start, hand_optimiser(problem.optimiser).init(start), []
        for order in problem.orders():
            for row in order:
                parameters, stored, value, _ = step(parameters, stored, x[row : row + 1], y[row : row + 1])
                seen.append(value)
        return np.asarray(seen)

    return epochs


def process(code: str) -> None:
    """Run that code in a fresh Python."""
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="how often each side is timed")
    repeats = parser.parse_args().repeats
    epochs = time_ratios([by_calls(), fit_epochs(problems()[-1])], repeats)[0]
    print(f"epoch on Iris, jitted steps called : fit        {summary(epochs)}", flush=True)
    sides = {
        "first trained step": (OURS + OUR_STEP, THEIRS + THEIR_STEP),
        "first epoch": (OURS + OUR_EPOCH, THEIRS + THEIR_EPOCH),
    }
    for name, (ours, theirs) in sides.items():
        starts = time_ratios([lambda c=ours: process(ROWS + c), lambda c=theirs: process(ROWS + c)], repeats)[0]
        print(f"process start to {name}, catlearn : JAX".ljust(54) + summary(starts), flush=True)


if __name__ == "__main__":
    main()
