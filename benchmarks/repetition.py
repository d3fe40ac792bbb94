"""What `repeat` costs: 128 dense layers as one Scan, their value and reverse derivative together.

The first ratio is the time to trace and compile at depth 128 over that at depth 2, each time of a new width so that
nothing is known from before. The second is the time to run at depth 128 over that of the unrolled `jax.vjp` of the same
layers one after another, and the third that to trace and compile of the two. What is printed is the median [least,
greatest]. Width 64, batch 16, tanh.

Run with `python benchmarks/repetition.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from overhead import seconds, summary, time_ratios, with_reverse

from catlearn import layers
from catlearn.functors import Jax

WIDTH, BATCH, DEPTH = 64, 16, 128


def arrays(width: int, depth: int, batch: int = BATCH) -> tuple[Any, ...]:
    """Biases and weights stacked, the input, the cotangent."""
    generator = np.random.default_rng(0)
    shapes = [(depth, width), (depth, width, width), (batch, width), (batch, width)]
    return tuple(jnp.asarray(generator.normal(size=s) / width**0.5, jnp.float32) for s in shapes)


def repeated(width: int, depth: int, batch: int = BATCH) -> Callable[..., Any]:
    """The layers by `repeat`, with their reverse derivative."""
    model = layers.repeat(layers.dense(width, width, "tanh"), depth).batch(batch)
    backend = Jax()
    whole = backend.prepare(with_reverse(model.diagram))
    return lambda *wires: backend.interpret(whole, wires)


def unrolled(width: int, depth: int) -> Callable[..., Any]:
    """The layers one after another, with jax.vjp."""

    def network(bias: Any, weight: Any, x: Any) -> Any:
        for k in range(depth):
            x = jnp.tanh(x @ weight[k] + bias[k])
        return x

    def both(bias: Any, weight: Any, x: Any, change: Any) -> Any:
        value, pull = jax.vjp(network, bias, weight, x)
        return (value, *pull(change))

    return both


def compiling(make: Callable[[int], Callable[..., Any]], depth: int) -> Callable[[], float]:
    """How long building, tracing and compiling takes, of a new width each time."""
    widths = count(WIDTH)

    def once() -> float:
        width = next(widths)
        inputs = arrays(width, depth)
        return seconds(lambda: jax.jit(make(width)).lower(*inputs).compile())

    return once


def ratios(first: Callable[[], float], second: Callable[[], float], repeats: int) -> list[float]:
    """The ratios of two measurements made in turn, after one of each."""
    first(), second()
    return [first() / second() for _ in range(repeats)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="how often each side is timed")
    repeats = parser.parse_args().repeats
    inputs = arrays(WIDTH, DEPTH)
    ours, theirs = jax.jit(repeated(WIDTH, DEPTH)), jax.jit(unrolled(WIDTH, DEPTH))
    for mine, other in zip(ours(*inputs), theirs(*inputs), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)

    deep = compiling(lambda width: repeated(width, DEPTH), DEPTH)
    shallow = compiling(lambda width: repeated(width, 2), 2)
    print(f"trace and compile, depth {DEPTH} : depth 2        {summary(ratios(deep, shallow, repeats))}", flush=True)
    run = [lambda f=f: jax.block_until_ready(f(*inputs)) for f in (ours, theirs)]
    print(f"run, repeat : unrolled jax.vjp             {summary(time_ratios(run, 3 * repeats)[0])}", flush=True)
    flat = compiling(lambda width: unrolled(width, DEPTH), DEPTH)
    print(f"trace and compile, repeat : unrolled       {summary(ratios(deep, flat, max(repeats // 3, 3)))}", flush=True)


if __name__ == "__main__":
    main()
