"""Time to an accuracy on MNIST 8k/2k: circuits trained as circuits, beside a real-valued relaxation of the same wiring.

Four layers of 8,000 two-input gates read three thermometer levels a pixel, 2,352 bits; a gate's inputs are drawn so
that every wire of the layer below is read equally often (to one), and both sides get the same draw. Class scores are
group sums. A side is an iterator of `Reading`s: the seconds it has trained so far and the accuracy of the circuit on
the test rows at that point. Compiling and measuring are not counted; what compiling took is told at the end.

The relaxation is that of Petersen et al., Deep differentiable logic gate networks (2022): a gate is a softmax over the
sixteen operations, its output the expectation over them on inputs in [0, 1]; cross-entropy of the group sums over a
temperature, Adam. It is measured discretised, each gate its likeliest operation. It is made as fast as plain JAX allows
here: sixteen operations are four coefficients of 1, a, b, ab; wires are rows, so that a gate's inputs are copied whole;
and what a gather sends back is a gather as well, by the inverse wiring.

Its settings were chosen for the time to 92 % on the last 1,000 training rows (`--held-out` measures on these instead of
the test rows); `--rate 0.01 --batch 100` are the published ones.

Run with `taskset -c 0 python benchmarks/relaxation.py --data-dir FOLDER`; needs optax.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from catlearn import images, layers, supervised
from catlearn.coding import Thermometer
from catlearn.count_losses import count_softmax
from catlearn.counters import saturating
from catlearn.feeding import Pace, Portion, Resident
from catlearn.functors import Bits
from catlearn.running import Run

LEVELS = (32, 96, 160)
LAYERS, WIDTH, CLASSES = 4, 8_000, 10
GOALS = (0.90, 0.92)
HELD_OUT = 1_000


class Reading(NamedTuple):
    """The accuracy on the rows to measure on after `seconds` of training; `compiling` are seconds before that."""

    seconds: float
    accuracy: float
    compiling: float


class Problem(NamedTuple):
    """Bits of shape (rows, wires), uint8, and class numbers."""

    train_bits: np.ndarray
    train_labels: np.ndarray
    test_bits: np.ndarray
    test_labels: np.ndarray


def mnist(data_dir: str, held_out: bool) -> Problem:
    """MNIST 8k/2k as bits; with `held_out` the last training rows take the place of the test rows."""
    data = images.mnist(data_dir)
    coding = Thermometer(np.array(LEVELS) / 255)
    bits, test_bits = (coding.encode(x.reshape(len(x), -1)) for x in (data.train_inputs, data.test_inputs))
    if held_out:
        cut = len(bits) - HELD_OUT
        return Problem(bits[:cut], data.train_targets[:cut], bits[cut:], data.train_targets[cut:])
    return Problem(bits, data.train_targets, test_bits, data.test_targets)


def balanced(sources: int, gates: int, generator: np.random.Generator) -> np.ndarray:
    """Two different wires for each gate, (gates, 2), every source read equally often, to one."""
    rounds = -(-2 * gates // sources)
    ends = np.concatenate([generator.permutation(sources) for _ in range(rounds)])[: 2 * gates].reshape(gates, 2)
    while (same := np.flatnonzero(ends[:, 0] == ends[:, 1])).size:
        other = generator.integers(gates, size=same.size)
        for gate, partner in zip(same, other, strict=True):  # one by one: an exchange may touch a gate twice
            ends[gate, 1], ends[partner, 1] = ends[partner, 1], ends[gate, 1]
    return ends


def wirings(sources: int, seed: int) -> list[np.ndarray]:
    """The wiring of all layers."""
    generator = np.random.default_rng(seed)
    return [balanced(n, WIDTH, generator) for n in (sources, *[WIDTH] * (LAYERS - 1))]


def readers(wiring: np.ndarray, sources: int) -> np.ndarray:
    """The inverse wiring: for each source the ends that read it, (most readers, sources), padded with 2 * gates.

    End e < gates is the first input of gate e, else the second of gate e - gates.
    """
    ends = wiring.T.ravel()
    order, counts = np.argsort(ends, kind="stable"), np.bincount(ends, minlength=sources)
    place = np.arange(len(ends)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = np.full((counts.max(), sources), len(ends))
    found[place, ends[order]] = order
    return found


def gather(wiring: np.ndarray, sources: int) -> Callable[[jax.Array], jax.Array]:
    """`x (sources, batch) -> (2 gates, batch)`, the first inputs of all gates, then the second ones."""
    ends = jnp.asarray(wiring.T.ravel(), jnp.int32)
    back = [jnp.asarray(row, jnp.int32) for row in readers(wiring, sources)]

    @jax.custom_vjp
    def gathered(x: jax.Array) -> jax.Array:
        return jnp.take(x, ends, axis=0, mode="clip")

    def reverse(_: None, d: jax.Array) -> tuple[jax.Array]:
        padded = jnp.concatenate([d, jnp.zeros((1, d.shape[1]), d.dtype)])
        return (sum(jnp.take(padded, row, axis=0, mode="clip") for row in back),)

    gathered.defvjp(lambda x: (gathered(x), None), reverse)
    return gathered


TABLES = np.arange(16)[:, None] >> np.arange(4) & 1
"""The operations by their number: entry 2b + a is the output at (a, b)."""

_AT = TABLES.astype(np.float32)
COEFFICIENTS = np.stack([_AT[:, 0], _AT[:, 1] - _AT[:, 0], _AT[:, 2] - _AT[:, 0], _AT @ (1, -1, -1, 1)], axis=1)
"""Those of 1, a, b and ab."""

FIRST = 0b1010
"""The operation that passes its first input on."""


def relaxed(logits: Sequence[Any], x: Any, gathers: Sequence[Callable[[jax.Array], jax.Array]]) -> Any:
    """The expected outputs of the last layer, (gates, batch)."""
    for layer, take in zip(logits, gathers, strict=True):
        one, a, b, both = (c[:, None] for c in (jax.nn.softmax(layer) @ COEFFICIENTS).T)
        ends = take(x)
        left, right = ends[: len(layer)], ends[len(layer) :]
        x = one + a * left + right * (b + both * left)
    return x


def discretised(logits: Sequence[Any], wirings: Sequence[np.ndarray], bits: np.ndarray) -> np.ndarray:
    """The class numbers by the circuit of the likeliest operations, rows packed eight to a byte."""
    x = np.packbits(bits.T, axis=1)
    for layer, wiring in zip(logits, wirings, strict=True):
        a, b = x[wiring[:, 0]], x[wiring[:, 1]]
        table = (TABLES[np.argmax(layer, axis=1)] * 0xFF).astype(np.uint8)
        t00, t10, t01, t11 = (column[:, None] for column in table.T)
        x = (~a & (~b & t00 | b & t01)) | (a & (~b & t10 | b & t11))
    counts = np.unpackbits(x, axis=1, count=len(bits)).reshape(CLASSES, -1, len(bits)).sum(1, dtype=np.int32)
    return np.argmax(counts, axis=0)


def train_relaxation(
    train_bits: np.ndarray,
    train_labels: np.ndarray,
    test_bits: np.ndarray,
    test_labels: np.ndarray,
    wirings: Sequence[np.ndarray],
    epochs: int,
    batch: int = 50,
    seed: int = 0,
    report: int = 1,
    *,
    rate: float = 0.1,
    temperature: float = 20.0,
    residual: float = 0.0,
) -> Iterator[Reading]:
    """Train the relaxation; a `Reading` `report` times an epoch.

    Logits start as normal noise; with a positive `residual` as 0, and that much for the operation that passes its first
    input on.
    """
    generator = np.random.default_rng(seed)
    sources = [train_bits.shape[1], *(len(w) for w in wirings[:-1])]
    gathers = [gather(w, n) for w, n in zip(wirings, sources, strict=True)]
    optimiser = optax.adam(rate)
    rows, labels = jnp.asarray(train_bits), jnp.asarray(train_labels)

    def loss(logits: Any, x: Any, y: Any) -> Any:
        counts = relaxed(logits, x, gathers).reshape(CLASSES, -1, batch).sum(1).T
        return optax.softmax_cross_entropy_with_integer_labels(counts / temperature, y).mean()

    def step(state: Any, chosen: Any) -> Any:
        logits, moments = state
        change = jax.grad(loss)(logits, rows[chosen].T.astype(jnp.float32), labels[chosen])
        change, moments = optimiser.update(change, moments)
        return (optax.apply_updates(logits, change), moments), None

    def start(gates: int) -> Any:
        passing = residual * (np.arange(16) == FIRST) * np.ones((gates, 1))
        return jnp.asarray(passing if residual else generator.normal(size=(gates, 16)), jnp.float32)

    logits = [start(len(w)) for w in wirings]
    state = (logits, optimiser.init(logits))
    steps = len(train_bits) // batch // report  # a few rows an epoch are left out where this does not divide
    began = time.perf_counter()
    shape = jax.ShapeDtypeStruct((steps, batch), jnp.int32)
    # In a scan the buffers of a step are used again; step by step, new pages cost more than the arithmetic.
    many = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0], donate_argnums=0)
    run = many.lower(state, shape).compile()
    compiling, seconds = time.perf_counter() - began, 0.0
    for _ in range(epochs):
        order = generator.permutation(len(train_bits))[: steps * report * batch].reshape(report, steps, batch)
        for part in order.astype(np.int32):
            began = time.perf_counter()
            state = jax.block_until_ready(run(state, part))
            seconds += time.perf_counter() - began
            right = discretised([np.asarray(layer) for layer in state[0]], wirings, test_bits) == test_labels
            yield Reading(seconds, float(right.mean()), compiling)


def ours(
    train_bits: np.ndarray,
    train_labels: np.ndarray,
    test_bits: np.ndarray,
    test_labels: np.ndarray,
    wirings: Sequence[np.ndarray],
    epochs: int,
    batch: int = 32,
    seed: int = 0,
    report: int = 1,
    *,
    limit: int = 512,
    scale: int = 16,
    temperature: float = 20.0,
    start: str = "random",
) -> Iterator[Reading]:
    """Train the circuit itself, with the same readings as `train_relaxation`."""
    sources = [train_bits.shape[1], *(len(w) for w in wirings[:-1])]
    model: Any = layers.group_sum(len(wirings[-1]), CLASSES)
    for wiring, inputs in reversed(list(zip(wirings, sources, strict=True))):
        model = layers.table_layer(inputs, len(wiring), arity=2, wiring=wiring, initialise=start) >> model
    learner = supervised(model, count_softmax(scale, temperature), saturating(limit))
    run = Run(learner, Bits(), seed, size=batch)
    run.columns = run.backend.accept(learner.model.dom[0].batch(len(train_bits)), train_bits, "bits"), train_labels
    state, steps = run.initial(), len(train_bits) // batch // report
    feed = Resident(np.arange(len(train_bits)), batch, seed, True, True)
    began = time.perf_counter()
    run.steps(state, next(feed.portions(0, 0, Pace(1))), 0)
    compiling, seconds, taken = time.perf_counter() - began, 0.0, 0
    for epoch in range(epochs):
        order = feed.order(epoch)[: steps * report * batch].reshape(report, steps, batch)
        for part in order.astype(np.int32):
            began = time.perf_counter()
            state = run.steps(state, Portion(batch, steps, (part,), part), taken).state
            seconds += time.perf_counter() - began
            taken += steps
            _, right = run.evaluate(state, (test_bits,), (test_labels,))
            yield Reading(seconds, right / 100, compiling)


SIDES: dict[str, Callable[..., Iterator[Reading]]] = {"relaxation": train_relaxation, "circuit": ours}


def reached(readings: Sequence[Reading], goal: float) -> float | None:
    """The seconds at the first reading of at least that accuracy."""
    return next((r.seconds for r in readings if r.accuracy >= goal), None)


def measure(name: str, side: Iterator[Reading]) -> list[Reading]:
    """All readings of a side, told as they come."""
    readings = []
    for reading in side:
        readings.append(reading)
        print(f"{name:>12} {reading.seconds:8.1f} s {100 * reading.accuracy:6.2f} %", flush=True)
    return readings


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("CATLEARN_DATA"))
    parser.add_argument("--sides", nargs="+", default=["relaxation"], choices=sorted(SIDES))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=int, default=4, help="readings an epoch")
    parser.add_argument("--held-out", action="store_true", help="measure on the last training rows")
    for name, kind in (("batch", int), ("rate", float), ("temperature", float), ("residual", float)):
        parser.add_argument(f"--{name}", type=kind, help="of the relaxation")
    given = parser.parse_args()
    problem = mnist(given.data_dir, given.held_out)
    wiring = wirings(problem.train_bits.shape[1], given.seed)
    names = ("batch", "rate", "temperature", "residual")
    chosen = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    found = {}
    for name in given.sides:
        settings = chosen if name == "relaxation" else {}
        side = SIDES[name](*problem, wiring, given.epochs, seed=given.seed, report=given.report, **settings)
        found[name] = measure(name, side)
    for name, readings in found.items():
        times = [reached(readings, goal) for goal in GOALS]
        told = ", ".join(
            f"{100 * goal:.0f} % " + ("not reached" if seconds is None else f"after {seconds:.1f} s")
            for goal, seconds in zip(GOALS, times, strict=True)
        )
        best = max(r.accuracy for r in readings)
        print(f"{name}: {told}; best {100 * best:.2f} %, last {100 * readings[-1].accuracy:.2f} %, ", end="")
        print(f"{readings[-1].seconds:.1f} s in all, compiling {readings[-1].compiling:.1f} s")


if __name__ == "__main__":
    main()
