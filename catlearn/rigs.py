"""More semirings: rigs, over which circuits have no descent (CIRC.Sat, CIRC.Bool, CIRC.trop), and the exact field.

    NATURALS           +, *                    the free one: what holds here as polynomials holds over every semiring
    Saturating(n)      min(n-1, x+y), min(n-1, x*y)   on 0 ... n-1
    BOOLEAN            or, and
    MIN_PLUS           min, +, with zero = infinity and one = 0
    TROPICAL_INTEGERS  the same on whole numbers and infinity, exactly
    RATIONALS          +, *, - and /, exactly

What is exact is so in the exact functor, whose entries are Python numbers: whole numbers of any size, and fractions.
Under JAX these two are stored as REAL is. The reverse derivative is the formal one of polynomials, here as everywhere
(INST.poly): R[min](x, y, d) = (d, d), which is not the subgradient of the smaller.

>>> import numpy
>>> Saturating(4).add(numpy, 2, 3), Saturating(4).multiply(numpy, 2, 3), MIN_PLUS.add(numpy, 2.0, 3.0)
(3, 3, 2.0)

Source: Wilson and Zanasi, Categories of differentiable polynomial circuits (2203.06430), section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite
from types import ModuleType
from typing import Any

import numpy as np

from catlearn.errors import OperationError
from catlearn.semirings import Semiring

__all__ = ["BOOLEAN", "MIN_PLUS", "NATURALS", "RATIONALS", "TROPICAL_INTEGERS", "Saturating"]

Array = Any


def _each(function: Callable[[Any], Any], x: Array) -> Array:
    """A function on Python numbers, alone or as entries of an array; an array of machine numbers stays as it is."""
    if isinstance(x, (int, float, Fraction)):
        return function(x)
    return np.frompyfunc(function, 1, 1)(x) if getattr(x, "dtype", None) == np.dtype(object) else x


@dataclass(frozen=True, repr=False)
class _Naturals(Semiring):
    name: str = "NATURALS"
    kind: str = "integer"

    def contains(self, values: np.ndarray) -> np.ndarray:
        return values >= 0

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x + y

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x * y

    def from_integer(self, number: int) -> int:
        if number < 0:
            raise OperationError(f"NATURALS has no negative numbers; got {number}")
        return number


@dataclass(frozen=True, repr=False)
class Saturating(Semiring):
    """The saturating naturals 0 ... size - 1, size at least 2: sums and products stop at the top.

    >>> Saturating(3).from_integer(7)
    2
    """

    size: int = 2
    name: str = ""
    kind: str = "integer"

    def __init__(self, size: int) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or not 2 <= size <= 2**15:
            raise OperationError(f"saturating naturals need a size from 2 to 32768; got {size!r}")
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "name", f"Saturating({size})")

    def contains(self, values: np.ndarray) -> np.ndarray:
        return (values >= 0) & (values < self.size)

    def _top(self, xp: ModuleType, x: Array) -> Array:
        top = self.size - 1
        return min(x, top) if isinstance(x, int) else xp.minimum(x, top)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return self._top(xp, x + y)

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return self._top(xp, x * y)


@dataclass(frozen=True, repr=False)
class _Boolean(Semiring):
    name: str = "BOOLEAN"
    kind: str = "bit"

    def contains(self, values: np.ndarray) -> np.ndarray:
        return (values == 0) | (values == 1)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x | y

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x & y


@dataclass(frozen=True, repr=False)
class _MinPlus(Semiring):
    name: str = "MIN_PLUS"
    kind: str = "real"
    zero: float = float("inf")
    one: float = 0.0

    def contains(self, values: np.ndarray) -> np.ndarray:
        numbers = np.asarray(values, float)
        return ~np.isnan(numbers) & (numbers > -np.inf)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return min(x, y) if isinstance(x, float) and isinstance(y, float) else xp.minimum(x, y)

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return x + y


@dataclass(frozen=True, repr=False)
class _TropicalIntegers(_MinPlus):
    name: str = "TROPICAL_INTEGERS"
    one: int = 0

    def contains(self, values: np.ndarray) -> np.ndarray:
        whole = np.frompyfunc(lambda v: isinstance(v, int) or v == inf or (isfinite(v) and v == int(v)), 1, 1)
        return np.asarray(whole(np.asarray(values, object)), bool)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        x, y = _each(_whole, x), _each(_whole, y)
        return xp.minimum(x, y) if hasattr(x, "dtype") or hasattr(y, "dtype") else min(x, y)

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return _each(_whole, x) + _each(_whole, y)


def _whole(value: Any) -> Any:
    return value if value == inf else int(value)


@dataclass(frozen=True, repr=False)
class _Rationals(Semiring):
    name: str = "RATIONALS"
    kind: str = "real"

    def contains(self, values: np.ndarray) -> np.ndarray:
        finite = np.frompyfunc(lambda v: not isinstance(v, float) or isfinite(v), 1, 1)
        return np.asarray(finite(np.asarray(values, object)), bool)

    def add(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return _each(Fraction, x) + _each(Fraction, y)

    def multiply(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return _each(Fraction, x) * _each(Fraction, y)

    def negate(self, xp: ModuleType, x: Array) -> Array:
        return -_each(Fraction, x)

    def subtract(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return _each(Fraction, x) - _each(Fraction, y)

    def divide(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return _each(Fraction, x) / _each(Fraction, y)

    def from_integer(self, number: int) -> int:
        return number


NATURALS = _Naturals()
"""The natural numbers, the free commutative semiring on nothing: Python integers in the exact functor."""

BOOLEAN = _Boolean()
"""The Booleans with or and and; the same as `Saturating(2)`."""

MIN_PLUS = _MinPlus()
"""The tropical semiring of real numbers and infinity: addition is min, multiplication is +."""

TROPICAL_INTEGERS = _TropicalIntegers()
"""The tropical semiring of whole numbers and infinity; a constant beyond 2**53 is the nearest that a float holds."""

RATIONALS = _Rationals()
"""The field of rational numbers: fractions in the exact functor, where floats are read as the fractions that they are.

A division by zero there is Python's `ZeroDivisionError`.
"""
