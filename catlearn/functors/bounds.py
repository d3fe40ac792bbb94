"""The functor into intervals: bounds on every wire, to show that whole numbers stay in the range they are kept in.

The value of a wire is (low, high), which holds each of its entries; each rule gives an interval that holds whatever the
generator can make of values in the given ones. So a bound on the votes of a training step comes from the fan-out of
its wires, its depth and its batch.

>>> from catlearn.semirings import BITS, INTEGERS
>>> from catlearn.functions import include, sum
>>> from catlearn.space import Space
>>> from catlearn.tracing import trace
>>> bounds(trace(Space(5, BITS), lambda x: 3 * sum(include(x))), [(0, 1)])
((0, 15),)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.functors.functor import Functor
from catlearn.generators.arithmetic import Add, Constant, Include, Invert, Multiply, Negate, Subtract, Xor
from catlearn.generators.contraction import Contract
from catlearn.generators.counting import Clamp, Dither, Popcount, Positive, Scaled, Shares
from catlearn.generators.discrete import OneHot
from catlearn.generators.indexing import Concatenate, Gather, Reshape, Scatter, Slice
from catlearn.generators.lookup import Collect, Lookup
from catlearn.generators.multiplexer import Choose
from catlearn.generators.rescaling import MOST, RescaleVotes
from catlearn.generators.scan import Scan
from catlearn.generators.selection import Divides, Less, Select
from catlearn.generators.tables import Read, Votes, Write
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.semirings import BITS, INTEGERS, Discrete
from catlearn.space import Object, Space

__all__ = ["Bounds", "Interval", "bounds", "check_range", "of_space"]

Interval = tuple[int, int]


def hull(*intervals: Interval) -> Interval:
    """The least interval that holds all."""
    return min(low for low, _ in intervals), max(high for _, high in intervals)


def product(x: Interval, y: Interval) -> Interval:
    """The products of values in two intervals."""
    ends = [a * b for a in x for b in y]
    return min(ends), max(ends)


def added(x: Interval, y: Interval) -> Interval:
    """The sums of values in two intervals."""
    return x[0] + y[0], x[1] + y[1]


def times(x: Interval, most: int) -> Interval:
    """Sums of 0 to `most` values of an interval."""
    return min(x[0], 0) * most, max(x[1], 0) * most


def of_space(space: Space) -> Interval | None:
    """What a space alone says of its values: bits and labels are bounded."""
    if space.carrier.kind == "bit":
        return (0, 1)
    size = getattr(space.carrier, "size", None) if isinstance(space.carrier, Discrete) else None
    return (0, size - 1) if size is not None else (0, 2**31 - 1) if space.carrier.kind == "index" else None


class Bounds(Functor):
    """Diagrams of bits and integers as functions of intervals; `seen` collects those of integers as they are made."""

    def __init__(self) -> None:
        super().__init__("bounds")
        self.seen: list[tuple[Generator, Interval]] = []

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        if isinstance(generator, Scan):
            return self._scan if self.covers(generator.body) else None
        found = _RULES.get(type(generator))
        if found is None:
            spaces = [of_space(space) for space in generator.cod]
            if not spaces or any(space is None for space in spaces):
                return None
            return lambda generator, *inputs: tuple(spaces)  # bits and labels stay what they are

        def noted(generator: Any, *inputs: Interval) -> Interval:
            result: Interval = found(generator, *inputs)
            if generator.cod[0].carrier == INTEGERS:
                within = _WITHIN.get(type(generator))
                self.seen.append((generator, hull(result, within(generator, *inputs)) if within else result))
            return result

        return noted

    def _scan(self, generator: Scan, *inputs: Interval) -> tuple[Interval, ...]:
        """The body as often as it runs; once its states stay where they are, nothing changes any more."""
        k, fixed = generator.shared, generator.shared + generator.states
        state, emitted = inputs[k:fixed], ((0, 0),) * (len(generator.cod) - generator.states)
        for time in range(generator.length):
            results = self.interpret(generator.body, (*inputs[:k], *state, *inputs[fixed:]))
            made = results[generator.states :]
            emitted = tuple(map(hull, emitted, made)) if time else made
            if results[: generator.states] == state:
                break
            state = results[: generator.states]
        return (*state, *emitted)


def _multiplicity(places: np.ndarray) -> int:
    """How often one place is read at most."""
    return int(np.bincount(places.ravel()).max()) if places.size else 0


def _clamp(_: Clamp, x: Interval, bound: Interval) -> Interval:
    """At a bound b of 0 or more it falls or rises with b, and below that it is b: so ends of the bound are enough."""
    ends = {min(max(b, bound[0]), bound[1]) for b in (*bound, 0, -1)}
    return hull(*((y := min(max(e, -b), b), y) for e in x for b in ends))


def _before_shift(_: Scaled, x: Interval, number: Interval, dithering: Interval) -> Interval:
    low, high = product(x, number)
    return low + dithering[0], high + dithering[1]


def _contract(generator: Contract, *factors: Interval) -> Interval:
    result = (1, 1)
    for factor in factors:
        result = product(result, factor)
    summed = math.prod(generator.sizes[label] for label in generator.summed)
    return result[0] * summed, result[1] * summed


def _constant(generator: Constant) -> Interval:
    values = np.asarray(generator.value, dtype=object)
    return (int(values.min()), int(values.max())) if values.size else (0, 0)


def _votes(generator: Votes, entries: Interval, _: Interval, v: Interval) -> Interval:
    slope = entries[1] - entries[0]
    return times(product((-slope, slope), v), _multiplicity(generator.wiring.array))


def _collect(generator: Collect, _: Interval, rows: Interval) -> Interval:
    return times(rows, generator.places.size)


_RULES: dict[type[Generator], Callable[..., Interval]] = {
    Constant: _constant,
    Add: lambda g, x, y: added(x, y) if g.space.carrier == INTEGERS else (0, 1),
    Subtract: lambda g, x, y: (x[0] - y[1], x[1] - y[0]) if g.space.carrier == INTEGERS else (0, 1),
    Negate: lambda g, x: (-x[1], -x[0]) if g.space.carrier == INTEGERS else (0, 1),
    Multiply: lambda g, x, y: product(x, y),
    Include: lambda g, x: x,
    Invert: lambda g, x: (1 - x[1], 1 - x[0]),
    Xor: lambda g, x, y: (0, 1),
    Choose: lambda g, s, a, b: hull(a, b),
    Select: lambda g, c, a, b: hull(a, b),
    Positive: lambda g, x: (int(x[0] > 0), int(x[1] > 0)),
    Less: lambda g, x, y: (0, 1),
    Divides: lambda g, x: (0, 1),
    Clamp: _clamp,
    Shares: lambda g, x: (0, g.scale),
    Scaled: lambda g, x, n, u: tuple(e >> g.shift for e in _before_shift(g, x, n, u)),
    Dither: lambda g, n: (0, 2**g.bits - 1),
    Popcount: lambda g, x: (0, g.space.shape[-1]),
    OneHot: lambda g, x: (0, 1),
    Contract: _contract,
    Gather: lambda g, x: x,
    Reshape: lambda g, x: x,
    Slice: lambda g, x: x,
    Concatenate: lambda g, *xs: hull(*xs),
    Scatter: lambda g, x: times(x, _multiplicity(g.index.array)),
    Lookup: lambda g, t, i: t,
    Collect: _collect,
    Read: lambda g, t, x: t,
    Write: lambda g, x, v: times(v, math.prod(g.rows) * math.prod(g.wiring.shape[:-2])),
    Votes: _votes,
    AtLeast: lambda g, x: (0, 1),
    AtLeastVotes: lambda g, x, v: times(v, _multiplicity(g.wiring.array)),
    RescaleVotes: lambda g, v: (-MOST * g.target, MOST * g.target),
}


_WITHIN: dict[type[Generator], Callable[..., Interval]] = {
    Scaled: lambda g, x, n, u: _before_shift(g, x, n, u),
    Shares: lambda g, x: (0, x[1] - x[0]),
}
"""What is made on the way, for those that do not end in sums and products, which are right modulo any power of two."""


def bounds(diagram: Diagram, inputs: Sequence[Interval]) -> tuple[Interval, ...]:
    """The intervals of the outputs, from those of the inputs."""
    return Bounds().interpret(diagram, tuple(inputs))


def check_range(step: Diagram, state: Object, initial: Sequence[Any], rest: Sequence[Any], bits: int) -> None:
    """Show that no integer of a training step leaves `bits` bits, whatever the data and however often it is taken.

    `step : T x .. -> T x ..` starts from the arrays `initial`; `rest` holds the other inputs that are known, None for
    those that are not. Raises `OperationError` naming the node whose votes may wrap; says nothing of a step over other
    numbers.
    """
    if not any(space.carrier == BITS or space.changes.carrier == INTEGERS for space in step.dom):
        return
    functor = Bounds()
    if functor.uncovered(step) is not None:
        return
    given = [_known(space, value) for space, value in zip(step.dom[len(state) :], rest, strict=True)]
    here = [_known(space, value) for space, value in zip(state, initial, strict=True)]
    if any(interval is None for interval in (*given, *here)):
        return
    limit = 2 ** (bits - 1) - 1
    for _ in range(bits):
        functor.seen.clear()
        after = functor.interpret(step, (*here, *given))[: len(state)]
        for generator, (low, high) in functor.seen:
            if low < -limit - 1 or high > limit:
                raise OperationError(
                    f"votes may wrap: at '{generator.name}' giving {generator.cod[0]} they reach {low} to {high}, and "
                    f"there are {bits} bits; put layers.rescale_votes between layers, lower the loss's scale, or take "
                    "smaller batches"
                )
        if all(hull(a, b) == a for a, b in zip(here, after, strict=True)):
            return  # what is within these bounds stays within them
        here = [hull(a, b, (2 * b[0], 2 * b[1])) for a, b in zip(here, after, strict=True)]
    raise OperationError("the stored integers grow with every step, and would wrap: use counters with a limit")


def _known(space: Space, value: Any) -> Any:
    if space.carrier.kind == "real" or space.carrier.kind == "key":
        return None
    if value is None or space.carrier.kind != "integer":
        return of_space(space)
    array = np.asarray(value)
    return (int(array.min()), int(array.max())) if array.size else (0, 0)
