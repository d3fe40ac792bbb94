"""Maps out of and between discrete sets; every reverse derivative is zero (C.discrete).

`successor` counts and `since` counts from later on; `real` reads a counter as a real number; `one_hot` turns a label
into a vector of any carrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import Pointwise
from catlearn.semirings import DISCRETE, REAL, Carrier, Discrete
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["OneHot", "Real", "Since", "Successor", "one_hot", "real", "since", "successor"]


@dataclass(frozen=True)
class FromDiscrete(Pointwise):
    """A map out of a discrete space: the reverse discards the cotangent."""

    arity = 1

    def __post_init__(self) -> None:
        if self.space.carrier.kind != "index":
            raise OperationError(f"{self.name} acts on a discrete space; got {self.space}")

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((*self.dom, self.cod[0].changes), lambda x, d: zeros(self.space.changes))


@dataclass(frozen=True)
class Successor(FromDiscrete):
    """`n -> n + 1` on an unbounded counter."""

    def __post_init__(self) -> None:
        if self.space.carrier != DISCRETE:
            raise OperationError(f"successor acts on DISCRETE (unbounded counters); got {self.space}")

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return inputs[0] + 1


@dataclass(frozen=True)
class Since(FromDiscrete):
    """`n -> max(n - number, 0)` on an unbounded counter."""

    number: int = 0

    def __post_init__(self) -> None:
        whole = isinstance(self.number, int) and not isinstance(self.number, bool)
        if self.space.carrier != DISCRETE or not whole or self.number < 0:
            raise OperationError(
                f"since counts on DISCRETE from a number of at least 0; got {self.space}, {self.number!r}"
            )

    def on(self, space: Space) -> Pointwise:
        return Since(space, self.number)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.namespace.maximum(inputs[0] - self.number, 0)


@dataclass(frozen=True)
class Real(FromDiscrete):
    """A counter as a real number."""

    @property
    def cod(self) -> Object:
        return (Space(self.space.shape, REAL),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.cast(inputs[0], REAL)


@dataclass(frozen=True)
class OneHot(FromDiscrete):
    """A label k of `Discrete(n)` as the vector of n entries that is one at k and zero elsewhere."""

    carrier: Carrier = REAL

    def __post_init__(self) -> None:
        if not isinstance(self.space.carrier, Discrete) or self.space.carrier.size is None:
            raise OperationError(f"one_hot acts on labels of a Discrete(n); got {self.space}")

    @property
    def cod(self) -> Object:
        size: int = getattr(self.space.carrier, "size", 0)
        return (Space((*self.space.shape, size), self.carrier),)

    def on(self, space: Space) -> Pointwise:
        return OneHot(space, self.carrier)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        size = self.cod[0].shape[-1]
        hot = inputs[0][..., None] == np.arange(size)
        one, zero = (arrays.constant(self.cod[0].with_shape(()), v) for v in (self.carrier.one, self.carrier.zero))
        return arrays.namespace.where(hot, one, zero)


def successor(n: Wire) -> Wire:
    """The next value of a counter."""
    return apply_generator(Successor(n.space), n)


def since(number: int, n: Wire) -> Wire:
    """A counter that starts when another reaches that number: max(n - number, 0)."""
    return apply_generator(Since(n.space, number), n)


def real(n: Wire) -> Wire:
    """A counter or index as a real number."""
    return apply_generator(Real(n.space), n)


def one_hot(label: Wire, carrier: Carrier = REAL) -> Wire:
    """The vector that is one at the label and zero elsewhere."""
    return apply_generator(OneHot(label.space, carrier), label)
