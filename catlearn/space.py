"""Spaces and objects: the types of wires.

A *space* is a shape over a carrier; it knows the space of its changes (cotangents), which need not be itself
(C.prime). An *object* is a tuple of spaces, and the tensor of objects is concatenation, so the monoidal structure is
strict (C.strict). A space has no dtype: the functor that runs a diagram chooses it.

>>> from catlearn.semirings import BITS, REAL
>>> Space((2, 3), REAL).changes
Space((2, 3), REAL)
>>> Space(4, BITS).changes
Space((4,), INTEGERS)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import index
from typing import Any, TypeAlias

from catlearn.errors import CompositionError, OperationError
from catlearn.semirings import Carrier

__all__ = ["Object", "Space", "as_object", "changes", "first_difference"]


def sides_of(shape: Any) -> tuple[int, ...]:
    """The lengths that a shape names: an integer, or several; raises `OperationError` for anything else."""
    try:
        sides = tuple(shape) if isinstance(shape, Iterable) else (shape,)
        if any(isinstance(side, bool) for side in sides):
            raise TypeError
        lengths = tuple(index(side) for side in sides)
    except TypeError:
        lengths = (-1,)
    if any(length < 0 for length in lengths):
        raise OperationError(f"a shape is a tuple of non-negative integers; got {shape!r}")
    return lengths


class Space:
    """A shape over a carrier.

    `shape` is a tuple of non-negative integers (an integer n stands for `(n,)`); `carrier` says which values an entry
    takes. Raises `OperationError` for anything else. Spaces are immutable and compare by value.
    """

    __slots__ = ("_hash", "carrier", "shape")
    _hash: int
    shape: tuple[int, ...]
    carrier: Carrier

    def __init__(self, shape: int | Iterable[int], carrier: Carrier) -> None:
        sides = sides_of(shape)
        if not isinstance(carrier, Carrier):
            raise OperationError(f"a space is a shape over a carrier such as REAL or Z2; got {carrier!r}")
        object.__setattr__(self, "shape", sides)
        object.__setattr__(self, "carrier", carrier)
        object.__setattr__(self, "_hash", hash((sides, carrier)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Space is immutable; make a new one")

    def __reduce__(self) -> tuple[type[Space], tuple[tuple[int, ...], Carrier]]:
        return Space, (self.shape, self.carrier)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Space):
            return NotImplemented
        return self._hash == other._hash and self.shape == other.shape and self.carrier == other.carrier

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Space({self.shape!r}, {self.carrier!r})"

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def changes(self) -> Space:
        """The space of the changes of these values: the same shape over the carrier's changes."""
        carrier = self.carrier.changes
        return self if carrier is self.carrier else Space(self.shape, carrier)

    def with_shape(self, shape: Iterable[int]) -> Space:
        """The space of that shape over the same carrier."""
        return Space(tuple(shape), self.carrier)

    def with_carrier(self, carrier: Carrier) -> Space:
        """The space of the same shape over that carrier."""
        return Space(self.shape, carrier)

    def batch(self, size: int) -> Space:
        """The space of `size` values stacked along a new first axis."""
        return Space((size, *self.shape), self.carrier)


Object: TypeAlias = tuple[Space, ...]


def as_object(spaces: Space | Iterable[Space]) -> Object:
    """The object that a space, or an iterable of spaces, names.

    >>> from catlearn.semirings import REAL
    >>> as_object(Space((), REAL))
    (Space((), REAL),)
    """
    if isinstance(spaces, Space):
        return (spaces,)
    result = tuple(spaces)
    if not {*map(type, result)} <= {Space}:
        raise OperationError(f"an object is a tuple of spaces; got {result!r}")
    return result


def changes(spaces: Iterable[Space]) -> Object:
    """The object of changes, wire by wire."""
    return tuple(space.changes for space in spaces)


def first_difference(expected: Object, came: Object, what: str) -> CompositionError:
    """The error for two objects that should agree: it names both, and the first wire that differs."""
    for k, (left, right) in enumerate(zip(expected, came, strict=False)):
        if left != right:
            where = f"wire {k} is {left} on one side and {right} on the other"
            break
    else:
        where = f"there are {len(expected)} wires on one side and {len(came)} on the other"
    return CompositionError(f"{what}: {show_object(expected)} and {show_object(came)} differ; {where}")


def show_object(spaces: Object, most: int = 8) -> str:
    """The object in one line, long ones abbreviated in the middle."""
    names = [repr(space) for space in spaces]
    if len(names) > most:
        names = [*names[: most // 2], f"... {len(names) - most} more ...", *names[-most // 2 :]]
    return "(" + ", ".join(names) + ("," if len(names) == 1 else "") + ")"
