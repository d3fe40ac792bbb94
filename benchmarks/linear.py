"""How the cost of chains of n layers grows with n: building, the reverse derivative, lenses, and tracing under JAX.

For n = 16, 32, ..., 1024 and for chains nested to the left, to the right and in a balanced way, of plain diagrams and
of parametrised dense layers, it times: the chain built with `>>` and flattened (build), its reverse derivative taken
(reverse), the same chain composed as lenses and its put flattened (lens), and the reverse derivative traced by
`jax.make_jaxpr` (trace). Each is the least processor time of several repeats, in which the sizes run in turn, with the
garbage collector run before and off during. The exponent is the slope of the least-squares line through the logarithms,
over all n, and over n of at least 64.

Run with `python benchmarks/linear.py`, or `python benchmarks/linear.py --largest 256` to stop earlier.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

import catlearn as cl
from catlearn import layers

WIDTH = 4
SIZES = (16, 32, 64, 128, 256, 512, 1024)
FIRST_LARGE = 64


def left(parts: Sequence[Any]) -> Any:
    """((a >> b) >> c) >> d."""
    return reduce(lambda whole, part: whole >> part, parts)


def right(parts: Sequence[Any]) -> Any:
    """a >> (b >> (c >> d))."""
    return reduce(lambda whole, part: part >> whole, reversed(parts))


def balanced(parts: Sequence[Any]) -> Any:
    """(a >> b) >> (c >> d)."""
    parts = list(parts)
    while len(parts) > 1:
        paired = [first >> second for first, second in zip(parts[::2], parts[1::2], strict=False)]
        parts = paired + parts[len(parts) // 2 * 2 :]
    return parts[0]


NESTINGS: dict[str, Callable[[Sequence[Any]], Any]] = {"left": left, "right": right, "balanced": balanced}


def plain_layer() -> cl.Diagram:
    """A diagram that copies its input: x -> x tanh(x)."""
    return cl.diagram(cl.Space(WIDTH, cl.REAL))(lambda x: x * cl.functions.tanh(x))


def plain_parts(n: int) -> list[cl.Diagram]:
    """The layers of a chain of plain diagrams."""
    return [plain_layer()] * n


def dense_parts(n: int) -> list[cl.Para]:
    """The layers of a chain of dense layers."""
    return [layers.dense(WIDTH, WIDTH, "tanh")] * n


KINDS: dict[str, Callable[[int], list[Any]]] = {"plain": plain_parts, "dense": dense_parts}


def diagram_of(chain: cl.Diagram | cl.Para) -> cl.Diagram:
    """The diagram of a chain, parameters first where it has any."""
    return chain.morphism if isinstance(chain, cl.Para) else chain


def lens_of(layer: cl.Diagram | cl.Para) -> Any:
    """The layer as a lens, or as a parametrised one."""
    return layer.lens() if isinstance(layer, cl.Para) else cl.Lens.of(layer)


def put_of(lens: Any) -> cl.Diagram:
    """The put of a lens, or of a parametrised one."""
    return lens.morphism.put if isinstance(lens, cl.Para) else lens.put


def jaxpr_of(diagram: cl.Diagram) -> Any:
    """The diagram traced under JAX."""
    import jax

    from catlearn.functors import Jax

    arguments = [jax.ShapeDtypeStruct(space.shape, "float32") for space in diagram.dom]
    return jax.make_jaxpr(Jax()(diagram))(*arguments)


Measurement = tuple[Callable[[], Any], Callable[[Any], Any]]


def measurements(kind: str, nesting: str, n: int) -> dict[str, Measurement]:
    """For each construction on a chain of n layers: what prepares it anew, and what is timed."""
    nest, parts = NESTINGS[nesting], KINDS[kind](n)
    lenses = [lens_of(part) for part in parts[:1]] * n

    def chain() -> cl.Diagram:
        whole = diagram_of(nest(parts))
        whole.nodes  # noqa: B018  (flattens it)
        return whole

    return {
        "build": (lambda: None, lambda _: chain()),
        "reverse": (chain, cl.reverse_derivative),
        "lens": (lambda: None, lambda _: put_of(nest(lenses)).nodes),
        "trace": (lambda: cl.reverse_derivative(chain()), jaxpr_of),
    }


def seconds(measurement: Measurement) -> float:
    """The processor time that one run takes, the garbage collector off."""
    prepare, run = measurement
    subject = prepare()
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        run(subject)
        return time.process_time() - started
    finally:
        gc.enable()


def best_times(kind: str, nesting: str, sizes: Sequence[int], repeats: int) -> dict[str, list[float]]:
    """For each construction, the least time for each n; the sizes are run in turn, so that a busy spell hits all."""
    prepared = [measurements(kind, nesting, n) for n in sizes]
    for measurement in prepared[0].values():
        seconds(measurement)
    runs = [[{name: seconds(m) for name, m in each.items()} for each in prepared] for _ in range(repeats)]
    return {name: [min(run[k][name] for run in runs) for k in range(len(sizes))] for name in prepared[0]}


def exponent(sizes: Sequence[int], times: Sequence[float], least: int = 0) -> float:
    """The slope of log time against log n, over the sizes of at least `least`; not a number for fewer than two."""
    chosen = [(n, t) for n, t in zip(sizes, times, strict=True) if n >= least]
    if len(chosen) < 2:
        return float("nan")
    n, t = np.log(np.array(chosen)).T
    return float(np.polyfit(n, t, 1)[0])


def print_table(kind: str, sizes: Sequence[int], repeats: int) -> None:
    print(f"\n{kind} layers: milliseconds for n layers, and the exponent over all n and over n >= {FIRST_LARGE}")
    print(f"{'nesting':10}{'':10}" + "".join(f"{n:>9}" for n in sizes) + f"{'all':>8}{'large':>8}")
    for nesting in NESTINGS:
        for name, times in best_times(kind, nesting, sizes, repeats).items():
            cells = "".join(f"{1e3 * t:9.2f}" for t in times)
            exponents = f"{exponent(sizes, times):8.3f}{exponent(sizes, times, FIRST_LARGE):8.3f}"
            print(f"{nesting:10}{name:10}{cells}{exponents}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="the best of how many measurements is taken")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="the largest number of layers")
    options = parser.parse_args()
    for kind in KINDS:
        print_table(kind, [n for n in SIZES if n <= options.largest], options.repeats)


if __name__ == "__main__":
    main()
