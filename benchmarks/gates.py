"""Gate evaluations a second: 8 layers of 16,000 random two-input gates on 784 inputs, on one core.

Every side runs in turn in one process, single-threaded, on the same circuit and samples; its outputs are first compared
bit for bit with NumPy's, layer by layer. The sides: the engine of `catlearn.packed` under numba (its kernel alone, on a
block of 512 samples that is in place; from words to words; the whole call from an array of bool to class counts) and
under JAX; layers written by hand in JAX on words of 32 samples, by one formula for all tables or with the gates sorted
by kind (compiled anew for each circuit), with blocks of several sizes; and an unpacked one. What is printed is the
median [least, greatest] of 10^9 gates times samples a second, and of ratios of two sides taken in the same round. Times
are those of the processor, so other processes disturb them less; the machine's own limits are a & b -> c on arrays that
fit into the caches of the second and third level, or not at all, one bit of c counted as one gate. Every input, and
every gate of a layer, is read equally often, so that no gate can be left out.

Run with `python benchmarks/gates.py`; needs numba. `--threads 2` adds a line for the engine on as many threads, in
elapsed time.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import jax
import jax.numpy as jnp
import numpy as np

from catlearn.kernels import gates as kernels
from catlearn.netlist import Netlist, Port
from catlearn.packed import Packed, aligned

INPUTS, LAYERS, WIDTH, CLASSES = 784, 8, 16_000, 10
GATES = LAYERS * WIDTH
BLOCKS = (64, 256, 1024)  # words of 32 samples
KINDS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda a, b: jnp.zeros_like(a),
    lambda a, b: ~(a | b),
    lambda a, b: a & ~b,
    lambda a, b: ~b,
    lambda a, b: b & ~a,
    lambda a, b: ~a,
    lambda a, b: a ^ b,
    lambda a, b: ~(a & b),
    lambda a, b: a & b,
    lambda a, b: ~(a ^ b),
    lambda a, b: a,
    lambda a, b: a | ~b,
    lambda a, b: b,
    lambda a, b: b | ~a,
    lambda a, b: a | b,
    lambda a, b: ~jnp.zeros_like(a),
)

Layers = list[tuple[np.ndarray, np.ndarray]]


def layers_of(seed: int) -> Layers:
    """Random layers: the wiring (gates, 2) into the layer before, read in equal shares, and the tables (gates,)."""
    generator, width, layers = np.random.default_rng(seed), INPUTS, []
    for _ in range(LAYERS):
        rounds = -(-2 * WIDTH // width)
        wires = np.concatenate([generator.permutation(width) for _ in range(rounds)])[: 2 * WIDTH]
        layers.append((generator.permutation(wires).reshape(WIDTH, 2), generator.integers(0, 16, WIDTH)))
        width = WIDTH
    return layers


def netlist_of(layers: Layers) -> Netlist:
    """The layers as a netlist."""
    starts = [2, *(2 + INPUTS + WIDTH * number for number in range(LAYERS))]
    wiring = np.concatenate([wires + start for (wires, _), start in zip(layers, starts, strict=False)])
    tables = np.concatenate([tables for _, tables in layers])
    outputs = starts[-1] + np.arange(WIDTH)
    return Netlist((Port("x", INPUTS),), wiring, tables, np.full(GATES, 2), outputs, (Port("y", WIDTH),))


def reference(layers: Layers, rows: np.ndarray) -> np.ndarray:
    """The output bits (bits, samples) of rows (samples, bits): each bit is looked up in its table."""
    values = np.ascontiguousarray(rows.T).astype(np.uint8)
    for wires, tables in layers:
        address = values[wires[:, 0]] + 2 * values[wires[:, 1]]
        values = (tables.astype(np.uint16)[:, None] >> address & 1).astype(np.uint8)
    return values


def packed(bits: np.ndarray, dtype: Any) -> np.ndarray:
    """Bits (nets, samples) as words (nets, words)."""
    return np.packbits(bits, axis=1, bitorder="little").view(dtype)


def by_formula(dtype: Any, separate: bool) -> Callable[[Any, Any], Any]:
    """All tables by one formula, c + a ca + b cb + a b cab over Z2; `separate` gathers before it computes."""

    def run(x: Any, layers: Any) -> Any:
        for left, right, (c, ca, cb, cab) in layers:
            a, b = (x.at[wires].get(mode="promise_in_bounds") for wires in (left, right))
            if separate:
                a, b = jax.lax.optimization_barrier((a, b))
            x = c ^ (a & ca) ^ (b & cb) ^ (a & b & cab)
        return x

    return run


def masks(tables: np.ndarray, ones: Any) -> list[Any]:
    """The coefficients of the formula, as columns of masks."""
    bit = [(tables >> place & 1).astype(bool) for place in range(4)]
    chosen = (bit[0], bit[0] ^ bit[1], bit[0] ^ bit[2], bit[0] ^ bit[1] ^ bit[2] ^ bit[3])
    return [jnp.asarray(np.where(m, ones, ones ^ ones)[:, None]) for m in chosen]


def formula_layers(layers: Layers, ones: Any) -> list[Any]:
    return [(*map(jnp.asarray, wires.T), masks(tables, ones)) for wires, tables in layers]


def by_kind(cuts: Sequence[Sequence[int]]) -> Callable[[Any, Any], Any]:
    """The gates of a layer sorted by kind, a slice for each, whose bounds are constants."""

    def run(x: Any, layers: Any) -> Any:
        for (left, right), cut in zip(layers, cuts, strict=True):
            parts = []
            for kind, start, stop in zip(KINDS, cut, cut[1:], strict=False):
                a, b = (x.at[wires[start:stop]].get(mode="promise_in_bounds") for wires in (left, right))
                parts.append(kind(a, b))
            x = jnp.concatenate(parts)
        return x

    return run


def kind_layers(layers: Layers) -> tuple[list[Any], list[list[int]], np.ndarray]:
    """The sorted layers, where each kind starts, and the places of the last layer's gates."""
    arrays, cuts, place = [], [], np.arange(INPUTS)
    for wires, tables in layers:
        order = np.argsort(tables, kind="stable")
        arrays.append(tuple(jnp.asarray(place[wires[order, k]]) for k in (0, 1)))
        cuts.append(np.searchsorted(tables[order], np.arange(17)).tolist())
        place = np.argsort(order)
    return arrays, cuts, place


def blocked(run: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A circuit compiled to run over blocks (blocks, nets, words) one after another."""
    return jax.jit(lambda blocks, layers: jax.lax.map(lambda x: run(x, layers), blocks))


def hand_sides(
    layers: Layers, rows: np.ndarray
) -> Iterator[tuple[str, Callable[[], Any], Callable[[Any], np.ndarray]]]:
    """The sides written by hand: name, what is timed, and how its result is read as words (bits, words)."""
    words = packed(np.ascontiguousarray(rows.T), np.uint32)
    formula = formula_layers(layers, np.uint32(2**32 - 1))
    sorted_layers, cuts, place = kind_layers(layers)
    same = np.arange(WIDTH)
    forms = {
        "formula": (by_formula(np.uint32, False), formula, same),
        "formula, gathers apart": (by_formula(np.uint32, True), formula, same),
        "by kind": (by_kind(cuts), sorted_layers, place),
    }

    def read(out: Any, order: np.ndarray) -> np.ndarray:
        return np.asarray(out).transpose(1, 0, 2).reshape(WIDTH, -1)[order]

    for name, (run, arrays, order) in forms.items():
        for size in BLOCKS:
            if size <= words.shape[1]:
                blocks = jnp.asarray(words.reshape(INPUTS, -1, size).transpose(1, 0, 2))
                yield f"JAX, {name}, {size} words", partial(blocked(run), blocks, arrays), partial(read, order=order)
    bits = jnp.asarray(rows.T.reshape(INPUTS, -1, 256).transpose(1, 0, 2).astype(np.uint8))
    unpacked = formula_layers(layers, np.uint8(1))
    side = partial(blocked(by_formula(np.uint8, True)), bits, unpacked)
    yield "JAX, unpacked", side, lambda out: packed(read(out, same), np.uint32)


def stream(size: int) -> Callable[[], None]:
    """a & b -> c some times, three arrays of together that many bytes; about 2^29 bytes of c in all."""
    words = size // 24
    a, b, c = (np.full(words, k, np.uint64) for k in range(3))

    def run() -> None:
        for _ in range(2**26 // words):
            np.bitwise_and(a, b, out=c)

    return run


def summary(values: Sequence[float], digits: int = 1) -> str:
    """The median [least, greatest]."""
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def seconds(run: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    jax.block_until_ready(run())
    return clock() - start


def kernel_of(circuit: Packed, blocks: int) -> Callable[[], None]:
    """The kernel alone, on a block that is in place."""
    state = aligned(circuit.runner.size, kernels.LANES)

    def run() -> None:
        for _ in range(blocks):
            kernels.evaluate(state, *circuit.runner.program)

    return run


def construction(repeats: int) -> list[float]:
    """Milliseconds until a new circuit has given its first outputs, under numba."""
    times = []
    for seed in range(1, repeats + 1):
        netlist, rows = netlist_of(layers_of(seed)), np.zeros((1, INPUTS), bool)
        times.append(1e3 * seconds(lambda n=netlist, r=rows: Packed(n, "numba").counts(r, CLASSES)))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="how often each side is timed")
    parser.add_argument("--samples", type=int, default=16_384, help="a multiple of 2,048")
    parser.add_argument("--threads", type=int, default=1, help="also on so many threads")
    options = parser.parse_args()
    samples = options.samples
    layers = layers_of(0)
    rows = np.random.default_rng(0).integers(0, 2, (samples, INPUTS)).astype(bool)
    bits = reference(layers, rows)
    expected, counts = packed(bits, np.uint32), bits.reshape(CLASSES, -1, samples).sum(1).T
    words = packed(np.ascontiguousarray(rows.T), np.uint64)
    netlist = netlist_of(layers)
    ours, plain = Packed(netlist, "numba"), Packed(netlist, "jax")
    assert ours.runner.program[0].shape[0] == GATES

    same = lambda out: np.asarray(out).view(np.uint32)  # noqa: E731
    sides = [
        ("numba, words to words", lambda: ours.words(words), same),
        ("engine jax, words to words", lambda: plain.words(words), same),
    ]
    sides += list(hand_sides(layers, rows))
    for name, run, read in sides:
        start = time.perf_counter()
        assert (read(run()) == expected).all(), name
        print(f"{name}: equal; the first call took {time.perf_counter() - start:.2f} s", flush=True)
    for engine in (ours, plain):
        assert (engine.counts(rows, CLASSES) == counts).all()
        assert (engine(rows[:1000]) == bits[:, :1000].T).all()
    timed: dict[str, Callable[[], Any]] = {
        "numba, kernel alone": kernel_of(ours, samples // 512),
        "numba, bool in, counts out": lambda: ours.counts(rows, CLASSES),
        "engine jax, bool in, counts out": lambda: plain.counts(rows, CLASSES),
        **{name: run for name, run, _ in sides},
    }
    limits = {"second level": stream(2**19), "third level": stream(12 * 2**20), "memory": stream(3 * 2**27)}
    rates: dict[str, list[float]] = {name: [] for name in (*timed, *limits)}
    for run in (*timed.values(), *limits.values()):
        run()
    for _ in range(options.repeats):
        for name, run in timed.items():
            rates[name].append(GATES * samples / seconds(run) / 1e9)
        for name, run in limits.items():
            rates[name].append(64 * 2**26 / seconds(run) / 1e9)
    print(f"\n{'10^9 gate evaluations a second, one core':60}")
    for name in timed:
        print(f"{name:44}{summary(rates[name]):>26}")
    best = max((name for name in rates if name.startswith("JAX")), key=lambda name: median(rates[name]))
    print(f"\nbest of pure JAX by hand: {best}")

    def ratio(label: str, above: str, below: str) -> None:
        values = [a / b for a, b in zip(rates[above], rates[below], strict=True)]
        print(f"{label:60}{summary(values, 2):>22}", flush=True)

    ratio("kernel : best of pure JAX", "numba, kernel alone", best)
    ratio("words to words : best of pure JAX", "numba, words to words", best)
    ratio("bool in, counts out : best of pure JAX (words to words)", "numba, bool in, counts out", best)
    ratio("bool in, counts out : kernel", "numba, bool in, counts out", "numba, kernel alone")
    ratio("engine jax : best of pure JAX", "engine jax, words to words", best)
    for name in limits:
        print(f"a & b -> c, {name}: {summary(rates[name])}")
        ratio(f"kernel : a & b -> c, {name}", "numba, kernel alone", name)
    print(f"a new circuit to its first outputs, ms (no compilation)   {summary(construction(options.repeats), 0)}")
    if options.threads > 1:
        many = Packed(netlist, "numba", options.threads)
        elapsed = partial(seconds, clock=time.perf_counter)
        gains = [
            elapsed(lambda: ours.counts(rows, CLASSES)) / elapsed(lambda: many.counts(rows, CLASSES))
            for _ in range(options.repeats)
        ]
        print(f"elapsed, one thread : {options.threads} threads                          {summary(gains, 2)}")


if __name__ == "__main__":
    main()
