"""Choosing by a condition, and the largest entries: piecewise linear maps whose choice has no derivative.

    select(c, x, y) = x where c, else y            R = (0, select(c, d, 0), select(c, 0, d))
    maximum_over(x)[o] = max over the axes of x    R(x, d) = first_largest(x) d
    first_largest(x) = 1 at the first largest entry along the axes, else 0;   R = 0

At a tie the cotangent goes to the first of the largest entries (SMOOTH.kink).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.contraction import broadcast, einsum, stack
from catlearn.generators.indexing import axis_of
from catlearn.semirings import DISCRETE, REAL, Discrete
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Divides", "FirstLargest", "Less", "MaximumOver", "Select", "divides", "less", "maximum_over", "select"]

CONDITION = Discrete(2)
"""What a condition is: 1 where it holds, else 0."""


@dataclass(frozen=True)
class Select(Generator):
    """`(c, x, y) -> x where c is 1, else y`, entry by entry, over any carrier."""

    space: Space
    linear = ((1, 2),)

    @property
    def dom(self) -> Object:
        return (Space(self.space.shape, CONDITION), self.space, self.space)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        changes = self.space.changes

        def rule(c: Wire, x: Wire, y: Wire, d: Wire) -> tuple[Wire, ...]:
            zero = zeros(changes)
            return zeros(c.space.changes), select(c, d, zero), select(c, zero, d)

        return trace((*self.dom, changes), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]
        inner = Select(self.space.batch(size))

        def run(*wires: Wire) -> Any:
            return apply_generator(inner, *(w if f else stack(w, size) for w, f in zip(wires, flags, strict=True)))

        return trace(spaces, run)

    def evaluate(self, arrays: Any, c: Any, x: Any, y: Any) -> Any:
        return arrays.namespace.where(c == 1, x, y)


def select(condition: Wire, x: Wire, y: Wire) -> Wire:
    """x where the condition is 1, else y, entry by entry; a scalar condition chooses the whole.

    Raises `OperationError` for a condition that is no `Discrete(2)`, and for x and y of two spaces.
    """
    condition, x, y = (as_wire(w, "select") for w in (condition, x, y))
    if condition.space.carrier != CONDITION or x.space != y.space:
        raise OperationError(
            f"select takes a condition in {CONDITION} and two wires of one space; "
            f"got {condition.space}, {x.space} and {y.space}"
        )
    if condition.shape == () and x.shape != ():
        condition = broadcast(condition, x.shape)
    return apply_generator(Select(x.space), condition, x, y)


@dataclass(frozen=True)
class Divides(Generator):
    """`n -> 1 where the number divides n, else 0`, on counters; the reverse discards."""

    space: Space
    number: int

    def __post_init__(self) -> None:
        if self.space.carrier != DISCRETE:
            raise OperationError(f"divides acts on counters (DISCRETE); got {self.space}")
        if isinstance(self.number, bool) or not isinstance(self.number, int) or self.number < 1:
            raise OperationError(f"divides needs a positive integer; got {self.number!r}")

    @property
    def dom(self) -> Object:
        return (self.space,)

    @property
    def cod(self) -> Object:
        return (Space(self.space.shape, CONDITION),)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((*self.dom, self.cod[0].changes), lambda n, d: zeros(self.space.changes))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Divides(self.space.batch(size), self.number).diagram

    def evaluate(self, arrays: Any, n: Any) -> Any:
        return arrays.cast(arrays.namespace.where(n % self.number == 0, 1, 0), CONDITION)


@dataclass(frozen=True)
class Less(Generator):
    """`(m, n) -> 1 where m < n, else 0`, entry by entry on labels or counters; the reverse discards."""

    space: Space

    def __post_init__(self) -> None:
        if self.space.carrier.kind != "index":
            raise OperationError(f"less compares labels or counters; got {self.space}")

    @property
    def dom(self) -> Object:
        return (self.space, self.space)

    @property
    def cod(self) -> Object:
        return (Space(self.space.shape, CONDITION),)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        zero = self.space.changes
        return trace((*self.dom, self.cod[0].changes), lambda m, n, d: (zeros(zero), zeros(zero)))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]
        inner = Less(self.space.batch(size))

        def run(*wires: Wire) -> Any:
            return apply_generator(inner, *(w if f else stack(w, size) for w, f in zip(wires, flags, strict=True)))

        return trace(spaces, run)

    def evaluate(self, arrays: Any, m: Any, n: Any) -> Any:
        return arrays.cast(arrays.namespace.where(m < n, 1, 0), CONDITION)


def less(m: Wire, n: Wire) -> Wire:
    """Where one label or counter is less than another, as a condition for `select`."""
    return apply_generator(Less(as_wire(m, "less").space), m, n)


def divides(number: int, n: Wire) -> Wire:
    """Whether the number divides a counter, as a condition for `select`."""
    return apply_generator(Divides(as_wire(n, "divides").space, number), n)


@dataclass(frozen=True)
class _Over(Generator):
    """What works along some axes of one real wire."""

    space: Space
    axes: tuple[int, ...]

    def __post_init__(self) -> None:
        rank = len(self.space.shape)
        fits = all(0 <= axis < rank for axis in self.axes) and len(set(self.axes)) == len(self.axes)
        if self.space.carrier != REAL or not fits or any(not self.space.shape[axis] for axis in self.axes):
            raise OperationError(
                f"the largest entry is taken along different axes of positive length over REAL; "
                f"got axes {self.axes} of {self.space}"
            )

    @property
    def dom(self) -> Object:
        return (self.space,)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return type(self)(self.space.batch(size), tuple(axis + 1 for axis in self.axes)).diagram


class MaximumOver(_Over):
    """`x -> the largest entry along the axes`."""

    @property
    def cod(self) -> Object:
        return (self.space.with_shape([n for k, n in enumerate(self.space.shape) if k not in self.axes]),)

    def reverse(self) -> Diagram | None:
        letters = "".join(chr(97 + k) for k in range(len(self.space.shape)))
        kept = "".join(letter for k, letter in enumerate(letters) if k not in self.axes)

        def rule(x: Wire, d: Wire) -> Wire:
            chosen = apply_generator(FirstLargest(self.space, self.axes), x)
            return einsum(f"{letters},{kept}->{letters}", chosen, d)

        return trace((self.space, self.cod[0]), rule)

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.namespace.max(x, axis=self.axes)


class FirstLargest(_Over):
    """`x -> 1 at the first largest entry along the axes, in row-major order, else 0`; the derivative is zero."""

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((self.space, self.space), lambda x, d: zeros(self.space))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        # Entries of x are compared with each other alone: a stored maximum may have been rounded otherwise.
        xp, sides = arrays.namespace, [x.shape[axis] for axis in self.axes]
        best = place = None
        for number, at in enumerate(product(*map(range, sides))):
            where: list[Any] = [slice(None)] * x.ndim
            for axis, k in zip(self.axes, at, strict=True):
                where[axis] = slice(k, k + 1)
            entry = x[tuple(where)]
            if best is None:
                best, place = entry, xp.zeros(entry.shape, np.int32)
            else:
                place, best = xp.where(entry > best, number, place), xp.maximum(best, entry)
        shape = [n if k in self.axes else 1 for k, n in enumerate(x.shape)]
        numbers = np.arange(prod(sides), dtype=np.int32).reshape(sides).transpose(np.argsort(self.axes))
        return xp.equal(place, numbers.reshape(shape)).astype(x.dtype)


def maximum_over(x: Wire, axes: int | Iterable[int]) -> Wire:
    """The largest entry of a real wire along some axes; at a tie the cotangent goes to the first."""
    x = as_wire(x, "maximum_over")
    chosen = (axes,) if isinstance(axes, int) else tuple(axes)
    return apply_generator(MaximumOver(x.space, tuple(axis_of(x, axis) for axis in chosen)), x)
