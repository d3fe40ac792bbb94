"""The symbolic functor: polynomials with coefficients in any commutative semiring, in normal form (INST.poly).

A polynomial is a dictionary from monomials to coefficients; a monomial is a sorted tuple of (variable, exponent). The
same evaluator that runs a diagram on numbers runs it on these, since polynomials over S are again a semiring. Bits are
read as polynomials over the integers. `derivative` is the formal one, d x**k = k x**(k-1), k being a k-fold sum of one.

>>> from catlearn.semirings import Z2
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), Z2), Space((), Z2))
... def f(x, y): return (x + y) * x
>>> polynomials(f)
(x0*x1 + x0**2,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.functors.arrays import Arrays
from catlearn.generators.arithmetic import Include
from catlearn.generators.multiplexer import Choose
from catlearn.semirings import INTEGERS, Carrier, Semiring
from catlearn.space import Object, Space

__all__ = ["Polynomial", "Symbolic", "polynomials", "variables"]

Monomial = tuple[tuple[str, int], ...]


class Polynomial:
    """A polynomial over a semiring; zero coefficients are not kept, so equality is equality of normal forms."""

    __slots__ = ("semiring", "terms")

    def __init__(self, semiring: Carrier, terms: dict[Monomial, Any]) -> None:
        self.semiring = semiring
        self.terms = {m: c for m, c in terms.items() if c != semiring.zero}

    def _combine(self, pairs: Iterable[tuple[Monomial, Any]]) -> Polynomial:
        terms: dict[Monomial, Any] = {}
        for monomial, coefficient in pairs:
            known = terms.get(monomial)
            terms[monomial] = coefficient if known is None else self.semiring.add(np, known, coefficient)
        return Polynomial(self.semiring, terms)

    def __add__(self, other: Polynomial) -> Polynomial:
        if not isinstance(other, Polynomial):
            return NotImplemented
        return self._combine([*self.terms.items(), *other.terms.items()])

    def __mul__(self, other: Polynomial) -> Polynomial:
        if not isinstance(other, Polynomial):
            return NotImplemented
        return self._combine(
            (_times(m, n), self.semiring.multiply(np, c, d))
            for m, c in self.terms.items()
            for n, d in other.terms.items()
        )

    def __neg__(self) -> Polynomial:
        return Polynomial(self.semiring, {m: self.semiring.negate(np, c) for m, c in self.terms.items()})

    def derivative(self, variable: str) -> Polynomial:
        """The formal derivative by a variable."""
        parts = []
        for monomial, coefficient in self.terms.items():
            powers = dict(monomial)
            exponent = powers.pop(variable, 0)
            if exponent:
                if exponent > 1:
                    powers[variable] = exponent - 1
                for _ in range(exponent):
                    parts.append((tuple(sorted(powers.items())), coefficient))
        return self._combine(parts)

    def at(self, values: dict[str, Any]) -> Any:
        """The value at a point."""
        total = self.semiring.zero
        for monomial, coefficient in self.terms.items():
            for variable, exponent in monomial:
                for _ in range(exponent):
                    coefficient = self.semiring.multiply(np, coefficient, values[variable])
            total = self.semiring.add(np, total, coefficient)
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and self.semiring == other.semiring and self.terms == other.terms

    def __hash__(self) -> int:
        return hash((self.semiring, frozenset(self.terms.items())))

    def __repr__(self) -> str:
        parts = []
        for monomial, coefficient in sorted(self.terms.items(), key=lambda item: str(item[0])):
            powers = [v if e == 1 else f"{v}**{e}" for v, e in monomial]
            head = [] if coefficient == self.semiring.one and powers else [str(coefficient)]
            parts.append("*".join(head + powers))
        return " + ".join(parts) or str(self.semiring.zero)


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for variable, exponent in right:
        powers[variable] = powers.get(variable, 0) + exponent
    return tuple(sorted(powers.items()))


@dataclass(frozen=True)
class _Polynomials(Semiring):
    """The polynomials over a semiring, as entries of object arrays; those over the integers also stand for bits."""

    base: Carrier = INTEGERS

    @property
    def nothing(self) -> Polynomial:
        """The zero polynomial."""
        return Polynomial(self.base, {})

    def add(self, xp: ModuleType, x: Any, y: Any) -> Any:
        return x + y

    def multiply(self, xp: ModuleType, x: Any, y: Any) -> Any:
        return x * y

    def negate(self, xp: ModuleType, x: Any) -> Any:
        return -x

    def subtract(self, xp: ModuleType, x: Any, y: Any) -> Any:
        return x + -y

    def _sum_axis(self, xp: ModuleType, x: Any, axis: int) -> Any:
        if x.shape[axis]:
            return np.sum(x, axis=axis)
        shape = x.shape[:axis] + x.shape[axis + 1 :]
        return _filled(shape, self.nothing)

    def _one(self) -> Polynomial:
        return Polynomial(self.base, {(): self.base.one})

    def invert(self, xp: ModuleType, x: Any) -> Any:
        """1 - x."""
        return _filled(np.shape(x), self._one()) + -x

    def exclusive_or(self, xp: ModuleType, x: Any, y: Any) -> Any:
        """x + y - 2 x y."""
        product = x * y
        return x + y + -(product + product)


def _filled(shape: tuple[int, ...], value: Any) -> np.ndarray:
    result = np.empty(shape, object)
    result[...] = value
    return result


class Symbolic(Arrays):
    """Diagrams as functions of arrays of polynomials."""

    def __init__(self) -> None:
        super().__init__("symbolic")

    @property
    def namespace(self) -> Any:
        return np

    def dtype(self, carrier: Carrier) -> Any:
        return np.dtype(object)

    def carrier(self, carrier: Carrier) -> Any:
        return _Polynomials(base=base_of(carrier))

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        if any(not _known(space) for space in (*generator.dom, *generator.cod)):
            return None
        if isinstance(generator, Include):
            return lambda generator, x: x
        if isinstance(generator, Choose):
            return lambda generator, s, a, b: a + s * (b + -a)
        if generator.by_value:
            return None
        return super().rule(generator)

    def cast(self, value: Any, carrier: Carrier) -> Any:
        return value

    def constant(self, space: Space, value: Any) -> Any:
        if space.carrier.kind == "index":
            return np.broadcast_to(np.asarray(value), space.shape)
        base = base_of(space.carrier)
        numbers = np.asarray(value, dtype=object)
        entries = np.broadcast_to(numbers, space.shape)
        result = np.empty(space.shape, object)
        for index in np.ndindex(*space.shape):
            result[index] = Polynomial(base, {(): entries[index]})
        return result

    def scatter(self, carrier: Carrier, rows: Any, index: np.ndarray, length: int) -> Any:
        total = _filled((length, *rows.shape[1:]), _Polynomials(base=base_of(carrier)).nothing)
        for row, k in zip(rows, index, strict=True):
            total[k] = total[k] + row
        return total

    def accept(self, space: Space, value: Any, what: str) -> Any:
        return _filled(space.shape, value) if isinstance(value, Polynomial) else np.asarray(value, dtype=object)


def _known(space: Space) -> bool:
    """Whether there are polynomials over a space's carrier, or its values are known numbers."""
    return space.carrier.has("multiply") or space.carrier.kind == "index"


def base_of(carrier: Carrier) -> Carrier:
    """The semiring that a carrier's polynomials are over: the changes of bits, otherwise the carrier itself."""
    return carrier.changes


def variables(spaces: Object, name: str = "x") -> tuple[np.ndarray, ...]:
    """An array of variables for each space, named x0, x1, ... over all entries.

    Raises `OperationError` for a space without multiplication: there is no polynomial in its values.
    """
    for space in spaces:
        if not space.carrier.has("multiply"):
            raise OperationError(f"there are no polynomials in values of {space}, which has no multiplication")
    result, number = [], 0
    for space in spaces:
        base = base_of(space.carrier)
        array = np.empty(space.shape, object)
        for index in np.ndindex(*space.shape):
            array[index] = Polynomial(base, {((f"{name}{number}", 1),): base.one})
            number += 1
        result.append(array)
    return tuple(result)


def polynomials(diagram: Diagram) -> tuple[Polynomial, ...]:
    """The polynomials that a diagram denotes, one an entry of its outputs, in variables x0, x1, ... for its inputs."""
    functor = Symbolic()
    outputs = functor.interpret(functor.prepare(diagram), variables(diagram.dom))
    return tuple(entry for array in outputs for entry in np.asarray(array, dtype=object).flat)
