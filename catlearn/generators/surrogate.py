"""Generators whose reverse is not the derivative of what they compute: any lens as a node (LENS.share, BWD.*).

Forward such a node is its `get`; backward it is its `put`. If the put is not additive in the cotangent, the node is
marked: it is never merged with its twin nor dropped before R is taken, and its put runs even on a zero cotangent.

>>> from catlearn.semirings import REAL
>>> from catlearn.reverse import reverse_derivative
>>> from catlearn.diagram import copy
>>> x = Space((), REAL)
>>> once = clip_change(x, 1.0)
>>> twice = copy(x) >> (once @ once)
>>> round(float(reverse_derivative(twice)(0.0, 0.8, 0.8)), 6)
1.6
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catlearn.diagram import Diagram, Generator, identity
from catlearn.errors import CompositionError
from catlearn.space import Object, Space, as_object, changes, first_difference
from catlearn.substitution import evaluation, plain
from catlearn.tracing import Wire, trace

__all__ = ["Surrogate", "clip_change", "stop_change", "surrogate"]


@dataclass(frozen=True)
class Surrogate(Generator):
    """A node that is `get` forward and `put` backward; `is_additive` says whether the put is additive."""

    label: str
    get: Diagram
    put: Diagram
    is_additive: bool = False

    def __post_init__(self) -> None:
        if self.put.dom != self.get.dom + changes(self.get.cod):
            expected = self.get.dom + changes(self.get.cod)
            raise first_difference(
                expected, self.put.dom, f"the put of {self.label} has the wrong domain, what was expected and what came"
            )
        if self.put.cod != changes(self.get.dom):
            raise CompositionError(f"the put of {self.label} must end in {changes(self.get.dom)}; got {self.put.cod}")

    @property
    def name(self) -> str:
        return self.label

    @property
    def lawful(self) -> bool:
        return False

    def computes(self) -> Diagram | None:
        return plain(self.get)

    @property
    def additive(self) -> bool:
        return self.is_additive

    @property
    def dom(self) -> Object:
        return self.get.dom

    @property
    def cod(self) -> Object:
        return self.get.cod

    def reverse(self) -> Diagram | None:
        return self.put

    def expansion(self) -> Diagram | None:
        return self.get

    def evaluation(self) -> Diagram | None:
        after = evaluation(self.get)
        return None if after is self.get else after

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        from catlearn.generators.batching import batch

        if not all(flags):
            return None
        return Surrogate(self.label, batch(self.get, size), batch(self.put, size), self.is_additive).diagram


def surrogate(name: str, get: Diagram, put: Diagram, *, additive: bool = False) -> Diagram:
    """The diagram of one node that computes `get : A -> B` and whose reverse is `put : A x B' -> A'`.

    `additive=True` promises that the put preserves sums and zero of cotangents (RD.2).
    """
    return Surrogate(name, get, put, additive).diagram


def stop_change(spaces: Space | Iterable[Space]) -> Diagram:
    """The identity whose reverse is zero: what came before is held still (BWD.*)."""
    from catlearn.functions import zero

    spaces = as_object(spaces)
    put = zero(spaces + changes(spaces), changes(spaces))
    return surrogate("stop", identity(spaces), put, additive=True)


def clip_change(space: Space, bound: float) -> Diagram:
    """The identity whose reverse clips each entry of the cotangent to [-bound, bound]; not additive (BWD.clip).

    Its put reads the cotangent alone, so nothing is kept for it.
    """
    from catlearn import functions

    bound = float(bound)

    def put(_: Wire, d: Wire) -> Wire:
        return -functions.maximum(-functions.maximum(d, -bound), -bound)

    return surrogate("clip", identity(space), trace((space, space.changes), put))
