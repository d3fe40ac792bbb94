"""Sequences that are constant from some time on: of objects, of states, of steps.

    prefix[0], prefix[1], .., rest, rest, ..

They are data with decidable equality: the prefix is kept as short as it can be. The delay of a sequence of objects is
nothing at time 0 and then the sequence, (∂X)_0 = 1 and (∂X)_{k+1} = X_k (ST.delay).

>>> from catlearn.semirings import Z2
>>> from catlearn.space import Space
>>> bit = always((Space((), Z2),))
>>> bit.delayed(())
Sequence(prefix=((),), rest=(Space((), Z2),))
>>> Sequence((bit[0],), bit[0]) == bit
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from catlearn.errors import CompositionError, OperationError
from catlearn.space import Object, Space, as_object, first_difference

__all__ = ["Objects", "Sequence", "along", "always", "first_time", "objects_of"]

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Sequence(Generic[T]):
    """prefix[0], .., prefix[-1], rest, rest, ..; entries at the end of the prefix that equal the rest are left out."""

    prefix: tuple[T, ...]
    rest: T

    def __post_init__(self) -> None:
        entries = tuple(self.prefix)
        while entries and entries[-1] == self.rest:
            entries = entries[:-1]
        object.__setattr__(self, "prefix", entries)

    def __getitem__(self, time: int) -> T:
        """The entry at that time; raises `OperationError` for anything but an integer of at least 0."""
        if isinstance(time, bool) or not isinstance(time, int) or time < 0:
            raise OperationError(f"a time is an integer of at least 0; got {time!r}")
        return self.prefix[time] if time < len(self.prefix) else self.rest

    @property
    def settled(self) -> int:
        """The time from which on it is constant."""
        return len(self.prefix)

    def delayed(self, first: T) -> Sequence[T]:
        """`first`, and then the sequence."""
        return Sequence((first, *self.prefix), self.rest)

    def map(self, function: Callable[[T], U]) -> Sequence[U]:
        """The function of every entry."""
        return along(self.settled, lambda time: function(self[time]))


Objects = Sequence[Object]


def always(value: T) -> Sequence[T]:
    """The constant sequence."""
    return Sequence((), value)


def along(settled: int, make: Callable[[int], T]) -> Sequence[T]:
    """`make(0), make(1), ..`, constant from the time `settled` on."""
    return Sequence(tuple(make(time) for time in range(settled)), make(settled))


def objects_of(spaces: Objects | Space | Iterable[Space]) -> Objects:
    """A sequence of objects as it is; an object, or a space, at all times."""
    return spaces if isinstance(spaces, Sequence) else always(as_object(spaces))


def first_time(left: Objects, right: Objects, what: str) -> CompositionError:
    """The error for two sequences of objects that should agree: it names the time, both objects, and the wire."""
    times = range(max(left.settled, right.settled) + 1)
    time = next(time for time in times if left[time] != right[time])
    return first_difference(left[time], right[time], f"{what} at time {time}")
