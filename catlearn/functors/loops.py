"""The functor JAX with its scans as loops on the host, compiled by numba.

A scan whose body does little (a few sums and products of vectors of ten entries) is bound by what XLA spends between
two operations, not by the operations. Here such a body becomes the text of one loop, a node a line or two, and numba
compiles it once for all data. What it has no text for runs as JAX runs it, and so does whatever `jax.jit` traces.

>>> from catlearn import functions
>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> from catlearn.generators.scan import scan
>>> from catlearn.tracing import trace
>>> number = Space((), REAL)
>>> total = scan(trace((number, number), lambda s, x: (s + x, s + x)), 4)
>>> Loops()(total)(0.0, [1.0, 2.0, 3.0, 4.0])[1].tolist()
[1.0, 3.0, 6.0, 10.0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

import jax
import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import missing_extra
from catlearn.functors.functor import bare
from catlearn.functors.jax import Jax
from catlearn.generators.arithmetic import Add, Constant, Divide, Multiply, Negate, Subtract
from catlearn.generators.contraction import Contract
from catlearn.generators.elementwise import Function, Maximum
from catlearn.generators.scan import Scan
from catlearn.semirings import REAL
from catlearn.space import Space

__all__ = ["Loops"]

_OPERATORS: dict[type[Generator], str] = {
    Add: "{} + {}",
    Subtract: "{} - {}",
    Multiply: "{} * {}",
    Divide: "{} / {}",
    Negate: "-{}",
    Maximum: "np.maximum({}, {})",
}
_FUNCTIONS = {
    **{name: f"np.{name}({{}})" for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "sign")},
    "square": "{0} * {0}",
    "relu": "np.maximum({}, 0.0)",
    "sigmoid": "1.0 / (1.0 + np.exp(-{}))",
    "step": "(1.0 if {} > 0.0 else 0.0)",
}
LARGEST = 4096
"""Above so many products a node, XLA's matrix product is the better loop."""


class Loops(Jax):
    """JAX in 64 bits (or 32), its scans over small real arrays compiled by numba.

    Raises `MissingExtraError` where numba is not installed.
    """

    def __init__(self, precision: str = "float64") -> None:
        super().__init__(precision)
        if find_spec("numba") is None:
            raise missing_extra("numba", "circuits", "the functor Loops")

    def __repr__(self) -> str:
        return f"Loops({self.precision!r})"

    def accept(self, space: Space, value: Any, what: str) -> Any:
        ready = isinstance(value, np.ndarray) and value.dtype == self.dtype(REAL) and space.carrier == REAL
        return value if ready and value.shape == space.shape else super().accept(space, value, what)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: traced by `jax.jit`, there would be no loops."""
        return function

    def scan(self, generator: Scan, inputs: tuple[Any, ...]) -> Any:
        if any(isinstance(value, jax.core.Tracer) for value in inputs) or not _written(generator.body):
            return super().scan(generator, inputs)
        dtype = self.dtype(REAL)
        arrays = [np.asarray(value, dtype, order="C") for value in inputs]
        fixed = generator.shared + generator.states
        states = [array.copy() for array in arrays[generator.shared : fixed]]
        emitted = [np.empty(space.shape, dtype) for space in generator.cod[generator.states :]]
        _compiled(generator)(*arrays[: generator.shared], *states, *arrays[fixed:], *emitted)
        return bare((*states, *emitted))


def _written(body: Diagram) -> bool:
    """Whether every node of a body has a text, and is small; a body without inputs has nothing to loop over."""
    spaces = [*body.dom, *(space for generator, _, _ in body.nodes for space in generator.cod)]
    return (
        bool(body.dom)
        and all(space.carrier == REAL for space in spaces)
        and all(
            type(generator) in _OPERATORS
            or isinstance(generator, Constant)
            or (isinstance(generator, Function) and generator.function in _FUNCTIONS)
            or (isinstance(generator, Contract) and np.prod(_ranges(generator), dtype=float) <= LARGEST)
            for generator, _, _ in body.nodes
        )
    )


def _ranges(generator: Contract) -> list[int]:
    used = {label for axes in (*generator.inputs, generator.output) for label in axes}
    return [generator.sizes[label] for label in sorted(used)]


@cache
def _compiled(generator: Scan) -> Callable[..., None]:
    import numba

    text = _Text(generator)
    made: dict[str, Any] = {"np": np, "inf": np.inf, "nan": np.nan}
    exec(compile("\n".join(text.lines()), f"<loop of {generator.name}>", "exec"), made)
    made.update(text.constants)
    return numba.njit(made["loop"], fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")


class _Text:
    """The lines of the loop of a scan: a number is a local variable, an array is written entry by entry."""

    def __init__(self, generator: Scan) -> None:
        body = generator.body
        self.generator, self.body = generator, body
        self.fixed = generator.shared + generator.states
        self.spaces = [*body.dom, *(space for g, _, _ in body.nodes for space in g.cod)]
        self.constants = {
            f"c{outputs[0]}": np.asarray(g.value)
            for g, _, outputs in body.nodes
            if isinstance(g, Constant) and isinstance(g.value, tuple)
        }

    def at(self, wire: int, place: str) -> str:
        """The entry of a wire there, the indices with commas between them."""
        item = self.fixed <= wire < len(self.body.dom)
        return _entry(f"a{wire}", "t", place) if item else _entry(f"w{wire}", place)

    def lines(self) -> Iterator[str]:
        """The text of `loop(inputs, emissions)`, which leaves the last state in those of its inputs."""
        body, shared, states = self.body, self.generator.shared, self.generator.states
        emitted = range(states, len(body.cod))
        yield f"def loop({', '.join([*(f'a{k}' for k in range(len(body.dom))), *(f'y{k}' for k in emitted)])}):"
        for wire, space in enumerate(self.spaces):
            if wire < self.fixed:
                yield f"    w{wire} = a{wire}" + ("" if space.shape else "[()]")
            elif wire >= len(body.dom) and space.shape:
                yield f"    w{wire} = np.empty({space.shape}, a0.dtype)"
        for wire in range(shared, self.fixed):
            if self.spaces[wire].shape:
                yield f"    s{wire} = np.empty({self.spaces[wire].shape}, a0.dtype)"
        n = self.generator.length
        yield f"    for t in range({f'{n - 1}, -1, -1' if self.generator.backward else n}):"
        for g, inputs, outputs in body.nodes:
            yield from self.node(g, inputs, outputs[0])
        for k in emitted:
            yield from self.each(body.cod[k], f"y{k}", body.outputs[k], "t")
        moved = [(shared + k, wire) for k, wire in enumerate(body.outputs[:states]) if wire != shared + k]
        for target, wire in moved:  # first all are read, then written: a state may become another
            yield from self.each(self.spaces[wire], f"s{target}", wire)
        for target, _ in moved:
            yield from self.each(self.spaces[target], f"w{target}", f"s{target}")
        for wire in range(shared, self.fixed):
            if not self.spaces[wire].shape:
                yield f"    a{wire}[()] = w{wire}"

    def each(self, space: Space, target: str, source: int | str, row: str = "") -> Iterator[str]:
        """Entry by entry, the source to the target, or to a row of it."""
        names = _names(range(len(space.shape)))
        at = ", ".join(names)
        value = self.at(source, at) if isinstance(source, int) else _entry(source, at)
        yield from _loops(zip(names, space.shape, strict=True), [f"{_entry(target, row, at)} = {value}"])

    def node(self, g: Generator, inputs: tuple[int, ...], output: int) -> Iterator[str]:
        """The lines of a node."""
        if isinstance(g, Contract):
            yield from self.contraction(g, inputs, output)
            return
        shape = self.spaces[output].shape
        names = _names(range(len(shape)))
        at = ", ".join(names)
        if isinstance(g, Constant):
            value = f"c{output}[{at}]" if isinstance(g.value, tuple) else repr(float(g.value))
        else:
            form = _FUNCTIONS[g.function] if isinstance(g, Function) else _OPERATORS[type(g)]
            value = form.format(*(self.at(wire, at) for wire in inputs))
        yield from _loops(zip(names, shape, strict=True), [f"{self.at(output, at)} = {value}"])

    def contraction(self, g: Contract, inputs: tuple[int, ...], output: int) -> Iterator[str]:
        """The sums of products; innermost the output's last axis, where that is a matrix's: neighbours in memory."""
        target = self.at(output, ", ".join(_names(g.output)))
        product = " * ".join(
            self.at(wire, ", ".join(_names(axes))) for wire, axes in zip(inputs, g.inputs, strict=True)
        )
        outer, inner = (
            [(n, g.sizes[k]) for k, n in zip(g.output, _names(g.output), strict=True)],
            [(n, g.sizes[k]) for k, n in zip(g.summed, _names(g.summed), strict=True)],
        )
        if inner and outer and any(axes and axes[-1] == g.output[-1] for axes in g.inputs if len(axes) > 1):
            yield from _loops(outer, [f"{target} = 0.0"])
            yield from _loops([*outer[:-1], *inner, outer[-1]], [f"{target} += {product}"])
        elif inner:
            lines = ["total = 0.0", *(line[8:] for line in _loops(inner, [f"total += {product}"])), f"{target} = total"]
            yield from _loops(outer, lines)
        else:
            yield from _loops(outer, [f"{target} = {product}"])


def _entry(name: str, *places: str) -> str:
    at = ", ".join(place for place in places if place)
    return f"{name}[{at}]" if at else name


def _names(labels: Iterable[int]) -> list[str]:
    return [f"i{label}" for label in labels]


def _loops(indices: Iterable[tuple[str, int]], lines: Iterable[str]) -> Iterator[str]:
    """The lines within loops over those indices, in the loop over t."""
    depth = 8
    for name, size in indices:
        yield f"{' ' * depth}for {name} in range({size}):"
        depth += 4
    for line in lines:
        yield " " * depth + line
