"""Steps of reverse derivative ascent a second, by R and by the brute-force Boolean difference.

On Iris (three tables of 16 bits) and on the 784-bit pseudo-linear model, one row a step from parameters of zero, as one
compiled loop on both sides: the learner's step, and a step that evaluates the model once for every parameter with that
bit flipped, all of them at once. Both end in the same bits, which is checked first. The ratio is the brute force's time
over ours: median [least, greatest], all in turn. The brute force evaluates our own model, or the formula by hand,
whichever is named.

Run with `python benchmarks/ascent.py`; needs optax, as the other benchmarks do.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from overhead import seconds, summary, time_ratios

import catlearn as cl
from catlearn import datasets, layers, losses, optimisers
from catlearn.functors import Jax

Model = Callable[[Any, Any], Any]
"""(parameters, one row of inputs) -> the outputs, as bits."""


def by_reverse_derivative(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], np.ndarray]:
    """The parameters after a step on each row: a scan of the learner's step, compiled once."""
    learner = cl.supervised(model, losses.exclusive_or, optimisers.reverse_derivative_ascent())
    run = jax.jit(Jax()(cl.scan(learner.step(), len(x))))
    (start,) = learner.initial()
    given = jnp.asarray(start), jnp.asarray(y), jnp.asarray(x)
    return lambda: np.asarray(run(*given))


def by_brute_force(predict: Model, bits: int, x: np.ndarray, y: np.ndarray) -> Callable[[], np.ndarray]:
    """The same by Boolean differences: the model at the parameters, and with each bit of them flipped."""
    flips = jnp.eye(bits, dtype=jnp.uint8)

    def step(p: Any, row: tuple[Any, Any]) -> tuple[Any, None]:
        here = predict(p, row[0])
        flipped = jax.vmap(lambda flip: predict(p ^ flip, row[0]))(flips)
        change = ((flipped ^ here) & (row[1] ^ here)).reshape(bits, -1)
        return p ^ (change.sum(1, dtype=jnp.uint8) & 1), None

    run = jax.jit(lambda p, x, y: jax.lax.scan(step, p, (x, y))[0])
    given = jnp.zeros(bits, jnp.uint8), jnp.asarray(x), jnp.asarray(y)
    return lambda: np.asarray(run(*given))


def of_circuit(model: Any) -> Model:
    """The circuit itself, at parameters in one row."""
    shape, run = model.parameter[0].shape, Jax()(model.morphism)
    return lambda p, x: run(p.reshape(shape), x)


def table_by_hand(p: Any, x: Any) -> Any:
    """Three tables of 16 bits at the address that four bits make."""
    return p.reshape(3, 16)[:, (x.astype(jnp.int32) << jnp.arange(4)).sum()]


def pseudo_linear_by_hand(p: Any, x: Any) -> Any:
    """[popcount(p and x) <= popcount(p) div 4]."""
    return ((p & x).sum(dtype=jnp.int32) <= p.sum(dtype=jnp.int32) // 4).astype(jnp.uint8)


def iris_rows(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The training rows of Iris as bits, over and over."""
    data = datasets.iris_sorted(3).binarised(labels="one-hot")
    order = np.arange(steps) % data.rows
    return data.train_inputs[order], data.train_targets[order]


def random_rows(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 784 random bits, about a fifth of them set as in a picture of a digit, and random targets."""
    random = np.random.default_rng(0)
    return (random.random((steps, 784)) < 0.2).astype(np.uint8), random.integers(0, 2, steps).astype(np.uint8)


def measure(name: str, model: Any, by_hand: Model, rows: tuple[np.ndarray, np.ndarray], repeats: int) -> None:
    bits, ours = model.parameter[0].size, by_reverse_derivative(model, *rows)
    sides = {"our circuit": of_circuit(model), "by hand": by_hand}
    for evaluated, predict in sides.items():
        brute = by_brute_force(predict, bits, *rows)
        assert np.array_equal(brute().ravel(), ours().ravel()), f"{name}: the parameters differ"
        ratios = time_ratios([brute, ours], repeats)[0]
        print(f"{name}, brute force ({evaluated}) : R".ljust(54) + summary(ratios), flush=True)
    rate = len(rows[0]) / median(seconds(ours) for _ in range(repeats))
    print(f"{name}, steps a second by R".ljust(54) + f"{rate:,.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="how often each side is timed")
    parser.add_argument("--steps", type=int, default=2000, help="how many steps a run has; on Iris 50 times as many")
    given = parser.parse_args()
    measure("Iris", layers.lookup_table(4, 3), table_by_hand, iris_rows(50 * given.steps), given.repeats)
    model = layers.pseudo_linear(784)
    measure("784 bits", model, pseudo_linear_by_hand, random_rows(given.steps), given.repeats)


if __name__ == "__main__":
    main()
