"""Carriers: the sets that wires take their values in, with the operations that they have.

A *carrier* is a set, such operations of a commutative semiring as it has, and the carrier of its *changes*
(cotangents), which is a commutative monoid and its own carrier of changes. A *semiring* has addition, zero,
multiplication and one, and is its own carrier of changes. Bits (`BITS`) have multiplication (and) but no addition, and
change by integers; a discrete set has no operation and changes by the one-element monoid (`TRIVIAL`).

Operations take the array namespace they compute in (`numpy` or `jax.numpy`) first, so one definition serves floats,
packed integers and object arrays of Python integers. A new semiring is one new class:

>>> import numpy
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Tropical(Semiring):
...     name: str = "TROPICAL"
...     kind: str = "real"
...     zero: float = float("inf")
...     one: float = 0.0
...     def add(self, xp, x, y): return xp.minimum(x, y)
...     def multiply(self, xp, x, y): return x + y
>>> Tropical().sum(numpy, numpy.array([3.0, 1.0, 2.0]), (0,))
np.float64(1.0)

Sources: Wilson and Zanasi, Reverse derivative ascent (2101.10488) for Z2; Cockett et al., Reverse derivative categories
(1910.07065), example 14, for polynomials over a commutative semiring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from catlearn.errors import OperationError

__all__ = [
    "BITS",
    "DISCRETE",
    "INTEGERS",
    "KEYS",
    "REAL",
    "TRIVIAL",
    "Z2",
    "Carrier",
    "Discrete",
    "Modular",
    "Semiring",
]

Array = Any


@dataclass(frozen=True)
class Carrier:
    """A set of values, the operations it has, and the carrier of its changes.

    `kind` ("real", "integer", "bit", "index", "key") says how a functor may store a value; `zero` and `one` are
    Python numbers. An operation that a subclass does not define is missing: asking for it raises `OperationError`
    with the text that `missing` gives for it.
    """

    name: str = "carrier"
    kind: str = "index"
    zero: Any = 0
    one: Any = 1
    missing: ClassVar[dict[str, str]] = {}

    def __repr__(self) -> str:
        return self.name

    @property
    def changes(self) -> Carrier:
        """The carrier of the changes (cotangents) of these values."""
        return self

    def has(self, operation: str) -> bool:
        """Whether the carrier defines the operation of that name ("add", "multiply", "negate", ...)."""
        return getattr(type(self), operation) is not getattr(Carrier, operation)

    def require(self, operation: str) -> None:
        """Raise `OperationError` unless the carrier has the operation."""
        if not self.has(operation):
            hint = self.missing.get(operation, "use a carrier that has it")
            raise OperationError(f"{self.name} has no operation '{operation}': {hint}")

    def contains(self, values: np.ndarray) -> np.ndarray:
        """For each entry of a concrete array, whether it is a value of this carrier."""
        return np.ones(np.shape(values), bool)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        """The sum, entry by entry."""
        raise OperationError(f"{self.name} has no addition")

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        """The product, entry by entry."""
        raise OperationError(f"{self.name} has no multiplication")

    def negate(self, xp: ModuleType, x: Array) -> Array:
        """The additive inverse, entry by entry; only rings have it."""
        raise OperationError(f"{self.name} has no negation")

    def subtract(self, xp: ModuleType, x: Array, y: Array) -> Array:
        """`x` plus the additive inverse of `y`; only rings have it."""
        raise OperationError(f"{self.name} has no subtraction")

    def divide(self, xp: ModuleType, x: Array, y: Array) -> Array:
        """`x` times the multiplicative inverse of `y`; only fields have it."""
        raise OperationError(f"{self.name} has no division")

    def sum(self, xp: ModuleType, x: Array, axes: tuple[int, ...]) -> Array:
        """The sum over the given axes; an empty sum is zero."""
        self.require("add")
        for axis in sorted(axes, reverse=True):
            x = self._sum_axis(xp, x, axis)
        return x

    def _sum_axis(self, xp: ModuleType, x: Array, axis: int) -> Array:
        x = xp.moveaxis(x, axis, 0)
        if x.shape[0] == 0:
            return xp.full(x.shape[1:], self.zero, dtype=x.dtype)
        while x.shape[0] > 1:  # a balanced tree: the depth of the program is the logarithm of the length
            half = x.shape[0] // 2
            folded = self.add(xp, x[:half], x[half : 2 * half])
            x = xp.concatenate([folded, x[2 * half :]])
        return x[0]

    def contract(
        self, xp: ModuleType, arrays: Sequence[Array], inputs: Sequence[Sequence[int]], output: Sequence[int]
    ) -> Array:
        """The sum of products that an einsum names; axes are labelled by integers, each label of `output` in `inputs`.

        The definition: line the axes up by label, multiply, sum over the labels that the output lacks.
        """
        labels = sorted({label for axes in inputs for label in axes})
        product = None
        for array, axes in zip(arrays, inputs, strict=True):
            order = sorted(range(len(axes)), key=axes.__getitem__)
            array = xp.transpose(array, order)
            array = xp.expand_dims(array, tuple(k for k, label in enumerate(labels) if label not in axes))
            product = array if product is None else self.multiply(xp, product, array)
        summed = tuple(k for k, label in enumerate(labels) if label not in output)
        if summed:
            product = self.sum(xp, product, summed)
        kept = [label for label in labels if label in output]
        return xp.transpose(product, [kept.index(label) for label in output])

    def from_integer(self, number: int) -> Any:
        """The image of an integer: the `number`-fold sum of one (in a ring, negatives too)."""
        if number in (0, 1):
            return self.one if number else self.zero
        self.require("add" if number > 0 else "negate")
        total, power = self.zero, self.one
        for digit in reversed(f"{abs(number):b}"):
            total = self.add(np, total, power) if digit == "1" else total
            power = self.add(np, power, power)
        return total if number > 0 else self.negate(np, total)

    def weight_of_one_in(self, size: int) -> Any:
        """What one sample of a batch counts: a mean where there are fractions, otherwise a plain sum."""
        return self.one


@dataclass(frozen=True, repr=False)
class Semiring(Carrier):
    """A commutative semiring: its own carrier of changes. Subclasses give `add` and `multiply`."""


class _Numbers(Semiring):
    """Numbers with the array namespace's own arithmetic."""

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x + y

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x * y

    def negate(self, xp: ModuleType, x: Array) -> Array:
        return -x

    def subtract(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x - y

    def sum(self, xp: ModuleType, x: Array, axes: tuple[int, ...]) -> Array:
        # Integers keep their type; small floats are added up in a larger one where none is said.
        return xp.sum(x, axis=axes, dtype=x.dtype if x.dtype.kind in "iu" else None)

    def contract(
        self, xp: ModuleType, arrays: Sequence[Array], inputs: Sequence[Sequence[int]], output: Sequence[int]
    ) -> Array:
        if len(arrays) < 2 or arrays[0].dtype == object:
            return super().contract(xp, arrays, inputs, output)
        arrays, inputs = self._summed_alone(xp, arrays, inputs, output)
        interleaved = [part for pair in zip(arrays, map(list, inputs), strict=True) for part in pair]
        return xp.einsum(*interleaved, list(output))

    def _summed_alone(
        self, xp: ModuleType, arrays: Sequence[Array], inputs: Sequence[Sequence[int]], output: Sequence[int]
    ) -> tuple[list[Array], list[list[int]]]:
        """The factors, what only one of them has summed over: einsum would add it up in its own type."""
        summed, kept = [], []
        for k, (array, axes) in enumerate(zip(arrays, inputs, strict=True)):
            others = {label for j, more in enumerate((*inputs, output)) if j != k for label in more}
            alone = tuple(place for place, label in enumerate(axes) if label not in others)
            summed.append(self.sum(xp, array, alone) if alone else array)
            kept.append([label for label in axes if label in others])
        return summed, kept

    def from_integer(self, number: int) -> Any:
        return type(self.one)(number)


@dataclass(frozen=True, repr=False)
class _Real(_Numbers):
    name: str = "REAL"
    kind: str = "real"
    zero: float = 0.0
    one: float = 1.0

    def divide(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x / y

    def weight_of_one_in(self, size: int) -> Any:
        return 1.0 / size


@dataclass(frozen=True, repr=False)
class _Integers(_Numbers):
    name: str = "INTEGERS"
    kind: str = "integer"


@dataclass(frozen=True, repr=False)
class Modular(Semiring):
    """The ring of integers modulo `modulus`, at least 2, elements 0 ... modulus - 1.

    >>> Modular(4)
    Modular(4)
    >>> Modular(4).from_integer(-1)
    3
    """

    modulus: int = 2
    name: str = ""
    kind: str = "integer"

    def __init__(self, modulus: int) -> None:
        if isinstance(modulus, bool) or not isinstance(modulus, int) or not 2 <= modulus <= 2**15:
            raise OperationError(
                f"integers modulo n need an integer n from 2 to 32768 (products then fit in 32 bits); got {modulus!r}"
            )
        object.__setattr__(self, "modulus", modulus)
        object.__setattr__(self, "name", f"Modular({modulus})")

    def contains(self, values: np.ndarray) -> np.ndarray:
        return (values >= 0) & (values < self.modulus)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return (x + y) % self.modulus

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return (x * y) % self.modulus

    def negate(self, xp: ModuleType, x: Array) -> Array:
        return (-x) % self.modulus

    def subtract(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return (x - y) % self.modulus

    def from_integer(self, number: int) -> int:
        return number % self.modulus


@dataclass(frozen=True, repr=False)
class _Z2(Semiring):
    name: str = "Z2"
    kind: str = "bit"

    def contains(self, values: np.ndarray) -> np.ndarray:
        return (values == 0) | (values == 1)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x ^ y

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x & y

    def negate(self, xp: ModuleType, x: Array) -> Array:
        return x

    def subtract(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x ^ y

    def sum(self, xp: ModuleType, x: Array, axes: tuple[int, ...]) -> Array:
        return xp.sum(x, axis=axes, dtype=x.dtype) & 1  # a sum that wraps at 256 keeps its parity

    def from_integer(self, number: int) -> int:
        return number % 2


@dataclass(frozen=True, repr=False)
class _Bits(Carrier):
    name: str = "BITS"
    kind: str = "bit"
    missing: ClassVar[dict[str, str]] = {
        "add": "a sum leaves 0 and 1; use functions.xor for exclusive or (or the ring Z2), or functions.include to "
        "count in INTEGERS",
        "negate": "use functions.invert for 'not', or functions.include to count in INTEGERS",
        "subtract": "use functions.xor, or functions.include to count in INTEGERS",
        "divide": "bits have only 'and', 'or', 'xor' and 'not'",
    }

    @property
    def changes(self) -> Carrier:
        return INTEGERS

    def contains(self, values: np.ndarray) -> np.ndarray:
        return (values == 0) | (values == 1)

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x & y

    def invert(self, xp: ModuleType, x: Array) -> Array:
        """Not: one minus the bit."""
        return 1 - x

    def exclusive_or(self, xp: ModuleType, x: Array, y: Array) -> Array:
        """`x + y - 2 x y`, the polynomial over the integers that is exclusive or on bits."""
        return x ^ y


@dataclass(frozen=True, repr=False)
class Discrete(Carrier):
    """A discrete set: labels, indices, counters. Changes are trivial, and there is no operation (C.discrete).

    `size` bounds it: values are 0 ... size - 1; None leaves any non-negative integer.

    >>> Discrete(3).changes
    TRIVIAL
    """

    size: int | None = None
    name: str = ""

    def __init__(self, size: int | None = None) -> None:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise OperationError(f"a discrete set needs a positive size or None; got {size!r}")
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "name", "DISCRETE" if size is None else f"Discrete({size})")

    @property
    def changes(self) -> Carrier:
        return TRIVIAL

    def contains(self, values: np.ndarray) -> np.ndarray:
        return (values >= 0) & (True if self.size is None else values < self.size)


@dataclass(frozen=True, repr=False)
class _Keys(Carrier):
    name: str = "KEYS"
    kind: str = "key"

    @property
    def changes(self) -> Carrier:
        return TRIVIAL


@dataclass(frozen=True, repr=False)
class _Trivial(Semiring):
    """The one-element semiring, in which zero is one; the changes of everything discrete."""

    name: str = "TRIVIAL"
    kind: str = "bit"
    one: int = 0

    def contains(self, values: np.ndarray) -> np.ndarray:
        return values == 0

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x

    def negate(self, xp: ModuleType, x: Array) -> Array:
        return x

    def subtract(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x

    def from_integer(self, number: int) -> int:
        return 0


REAL = _Real()
"""The real numbers, as the running functor stores them; laws hold to rounding (SMOOTH.float)."""

INTEGERS = _Integers()
"""The ring of integers: Python integers in the exact functor, 32 bits under JAX."""

Z2 = _Z2()
"""The two-element field: addition is exclusive or, multiplication is and."""

BITS = _Bits()
"""Bits whose changes are integers (votes): multiplication is and, and there is no addition."""

DISCRETE = Discrete()
"""Non-negative integers as a discrete set: counters and indices."""

KEYS = _Keys()
"""Random keys (typed JAX keys), a discrete set."""

TRIVIAL = _Trivial()
"""The one-element monoid: the changes of everything discrete."""
