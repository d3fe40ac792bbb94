"""What a training step of a recurrent network costs beside hand-written `jax.lax.scan` with optax.

An embedding of characters, a cell along the sequence (a causal map, unrolled to one Scan), scores for the next
character at every place, softmax cross-entropy, Adam. A step takes the state through one batch; both sides give the new
state and the loss, in float32, nothing is donated. The peers:

- by hand: the whole cell in `jax.lax.scan`, differentiated by `jax.value_and_grad`;
- by hand, hoisted: the products with the inputs taken out of the scan, one for all places, as one writes it for speed.

For each size the table has the ratio of the flops that XLA counts for one step (the body of a scan counts once, on both
sides, so that a peer that hoists shows more) and the ratios of the times, run in turn in one process: the median
[least, greatest]. A ratio below 1 says that catlearn takes less.

Run with `python benchmarks/recurrent.py`; needs optax. `taskset -c 0` measures one core. `--quick` has one size a cell.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from networks import by_hand, ours, running, tree_of
from overhead import Pair, summary, time_ratios

import catlearn as cl
from catlearn import layers
from catlearn.semirings import Discrete
from catlearn.systems.causal import stateful

LETTERS = 98
CELLS: dict[str, Callable[[int, int], cl.Para]] = {
    "tanh": layers.tanh_cell,
    "gru": layers.gru_cell,
    "lstm": layers.lstm_cell,
}
STATES = {"tanh": 1, "gru": 1, "lstm": 2}
SIZES = ((64, 32, 16), (64, 64, 32), (128, 64, 32), (128, 128, 64), (256, 64, 32))  # hidden, length, batch
QUICK = ((128, 64, 32),)

State = tuple[Any, ...]


def network(cell: str, hidden: int, length: int) -> cl.Para:
    """Embedding, the cell along the sequence, and scores at every place."""
    return layers.chain(
        cl.Space(length, Discrete(LETTERS)),
        layers.embedding(LETTERS, hidden, length),
        stateful(CELLS[cell](hidden, hidden), [0.0] * STATES[cell]).as_scan(length),
        layers.each(layers.dense(hidden, LETTERS), length),
    )


def hand_cell(cell: str, p: Any, state: State, a: Any) -> tuple[State, Any]:
    """The cell by hand, given its products with the input."""
    if cell == "tanh":
        new = jnp.tanh(a + state[0] @ p["state_weight"])
        return (new,), new
    if cell == "gru":
        h, n = state[0], a.shape[-1] // 3
        b = h @ p["state_weight"]
        both = jax.nn.sigmoid(a[:, : 2 * n] + b[:, : 2 * n])
        candidate = jnp.tanh(a[:, 2 * n :] + both[:, :n] * (b[:, 2 * n :] + p["state_bias"]))
        new = candidate + both[:, n:] * (h - candidate)
        return (new,), new
    h, c = state
    enter, forget, candidate, leave = jnp.split(a + h @ p["state_weight"], 4, axis=-1)
    memory = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
    new = jax.nn.sigmoid(leave) * jnp.tanh(memory)
    return (new, memory), new


def hand_network(cell: str, hoisted: bool, parameters: Any, tokens: Any) -> Any:
    """The network by hand: tokens (batch, length) to scores (batch, length, letters)."""
    p = parameters[f"{cell}_cell_0"]

    def products(x: Any) -> Any:
        return x @ p["input_weight"] + p["bias"]

    x = jnp.swapaxes(parameters["embedding_0"]["table"][tokens], 0, 1)
    start = (jnp.zeros(x.shape[1:]),) * STATES[cell]
    if hoisted:
        emitted = jax.lax.scan(partial(hand_cell, cell, p), start, products(x))[1]
    else:
        emitted = jax.lax.scan(lambda s, item: hand_cell(cell, p, s, products(item)), start, x)[1]
    dense = parameters["dense_0"]
    return jnp.swapaxes(emitted, 0, 1) @ dense["weight"] + dense["bias"]


def pairs(cell: str, hidden: int, length: int, batch: int, rule: str = "adam") -> list[Pair]:
    """The network of that size with each of its peers."""
    generator = np.random.default_rng(0)
    x, y = (jnp.asarray(generator.integers(0, LETTERS, (batch, length)), jnp.int32) for _ in range(2))
    side, learner, state = ours(network(cell, hidden, length), x, y, rule)
    start = tree_of(learner, state)
    return [
        Pair(name, side, by_hand(partial(hand_network, cell, hoisted), start, x, y, rule))
        for name, hoisted in (("by hand", False), ("by hand, hoisted", True))
    ]


def show(cell: str, size: tuple[int, int, int], repeats: int) -> None:
    """Print the ratios of one size."""
    both = pairs(cell, *size)
    functions = [running(both[0].diagram), *(running(pair.by_hand) for pair in both)]
    times = time_ratios(functions, repeats)
    for pair, ratios in zip(both, times, strict=True):
        hidden, length, batch = size
        name = f"{cell}, hidden {hidden}, length {length}, batch {batch}"
        print(f"{name:42}{pair.name:18}{pair.ratios()[0]:8.3f}{summary(ratios):>26}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=25, help="how often each side is timed")
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=list(CELLS))
    parser.add_argument("--quick", action="store_true", help="one size a cell")
    given = parser.parse_args()
    print(f"{'catlearn : peer':60}{'flops':>8}    {'time, median [least, most]':>26}")
    for cell in given.cells:
        for size in QUICK if given.quick else SIZES:
            show(cell, size, given.repeats)


if __name__ == "__main__":
    main()
