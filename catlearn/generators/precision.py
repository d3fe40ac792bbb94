"""The precision that a functor computes in, as a node: the identity on the real numbers that a space stands for.

A space has no dtype, the functor chooses it. A functor of mixed precision stores numbers in one dtype and computes
between `Lower` and `Raise` in a smaller one; to every other functor both are the identity. R exchanges them: what comes
back through `Lower` is raised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram, identity
from catlearn.generators.indexing import Reindexing
from catlearn.semirings import REAL
from catlearn.space import Object, Space, as_object
from catlearn.tracing import Wire, apply_generator

__all__ = ["Lower", "Raise", "lower", "upper"]


class _Precision(Reindexing):
    """`x -> x` in the other precision."""

    @property
    def cod(self) -> Object:
        return (self.space,)


@dataclass(frozen=True)
class Lower(_Precision):
    """`x -> x`, in the precision that the functor computes in."""

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Raise(d.space), d)

    def stacked(self, size: int) -> Lower:
        return Lower(self.space.batch(size))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.lowered(x)


@dataclass(frozen=True)
class Raise(_Precision):
    """`x -> x`, in the precision that the functor stores."""

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Lower(d.space), d)

    def stacked(self, size: int) -> Raise:
        return Raise(self.space.batch(size))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.cast(x, REAL)


def lower(spaces: Space | Iterable[Space]) -> Diagram:
    """The identity of an object, its real wires lowered."""
    return _each(Lower, spaces)


def upper(spaces: Space | Iterable[Space]) -> Diagram:
    """The identity of an object, its real wires raised."""
    return _each(Raise, spaces)


def _each(kind: type[_Precision], spaces: Space | Iterable[Space]) -> Diagram:
    result = identity()
    for space in as_object(spaces):
        result = result @ (kind(space).diagram if space.carrier == REAL else identity(space))
    return result
