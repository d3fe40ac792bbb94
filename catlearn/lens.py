"""Lenses: a map forward and a map backward, composing by the chain rule.

A lens (A, A') -> (B, B') is `get : A -> B` and `put : A x B' -> A'`, both diagrams. Forward and backward types are
independent. Composition is the textbook one (LENS.comp), which mentions the first get twice; since equal nodes of a
diagram are one, it costs it once, however a chain is nested. No law ties put to get (LENS.nolaws).

    (f, f*) ; (g, g*) = ( f ; g , (a, c') -> f*(a, g*(f(a), c')) )

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), INTEGERS))
... def square(x): return x * x
>>> fourth = Lens.of(square) >> Lens.of(square)
>>> int(fourth.get(3)), int(fourth.put(3, 1))
(81, 108)
>>> fourth == Lens.of(square >> square)
True

Source: Cruttwell et al., Categorical foundations of gradient-based learning (2103.01931), definition 2.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catlearn.diagram import Diagram, copy, discard, identity, permute, swap
from catlearn.errors import CompositionError
from catlearn.reverse import reverse_derivative
from catlearn.space import Object, Space, as_object, changes, first_difference
from catlearn.substitution import plain

__all__ = ["Lens", "Sides"]


@dataclass(frozen=True)
class Sides:
    """An object of the category of lenses: what travels forward, and what travels backward."""

    forward: Object
    backward: Object

    def __add__(self, other: Sides) -> Sides:
        return Sides(self.forward + other.forward, self.backward + other.backward)

    @classmethod
    def of(cls, spaces: Space | Iterable[Space]) -> Sides:
        """(A, A'): values forward, changes backward."""
        spaces = as_object(spaces)
        return cls(spaces, changes(spaces))


@dataclass(frozen=True)
class Lens:
    """A lens with that get and put. Raises `CompositionError` where the put does not start with the get's domain."""

    get: Diagram
    put: Diagram

    def __post_init__(self) -> None:
        if self.put.dom[: len(self.get.dom)] != self.get.dom:
            raise first_difference(
                self.get.dom, self.put.dom[: len(self.get.dom)], "a put starts with the get's domain, but the two"
            )

    @property
    def dom(self) -> Sides:
        """(A, A')."""
        return Sides(self.get.dom, self.put.cod)

    @property
    def cod(self) -> Sides:
        """(B, B')."""
        return Sides(self.get.cod, self.put.dom[len(self.get.dom) :])

    @classmethod
    def of(cls, f: Diagram) -> Lens:
        """The functor f -> (f, R[f]) from diagrams to lenses (LENS.R).

        The get is the map that f computes: surrogate nodes keep their put in R[f] and are plain in the get.
        """
        back = reverse_derivative(f)
        return cls(plain(f), back)

    @classmethod
    def identity(cls, sides: Sides | Space | Iterable[Space] = ()) -> Lens:
        """(1, pi_1)."""
        sides = sides if isinstance(sides, Sides) else Sides.of(sides)
        return cls(identity(sides.forward), discard(sides.forward) @ identity(sides.backward))

    @classmethod
    def swap(cls, left: Sides, right: Sides) -> Lens:
        """The symmetry (LENS.sym)."""
        put = discard(left.forward + right.forward) @ swap(right.backward, left.backward)
        return cls(swap(left.forward, right.forward), put)

    def __rshift__(self, other: Lens) -> Lens:
        if not isinstance(other, Lens):
            return NotImplemented
        middle, next_ = self.cod, other.dom
        if middle.forward != next_.forward:
            raise first_difference(
                middle.forward, next_.forward, "cannot compose lenses, what the left one gives and the right one takes"
            )
        if middle.backward != next_.backward:
            raise first_difference(
                middle.backward,
                next_.backward,
                "cannot compose lenses, what the left one takes back and the right one gives back",
            )
        back, same = Diagram.identity(other.cod.backward), Diagram.identity(self.get.dom)
        put = (copy(self.get.dom) @ back) >> (same @ self.get @ back) >> (same @ other.put) >> self.put
        return Lens(self.get >> other.get, put)

    def __matmul__(self, other: Lens) -> Lens:
        if not isinstance(other, Lens):
            return NotImplemented
        factors = [self.get.dom, other.get.dom, self.cod.backward, other.cod.backward]
        return Lens(self.get @ other.get, permute(factors, [0, 2, 1, 3]) >> (self.put @ other.put))

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)


def constant_lens(values: Sides, put: Diagram) -> Lens:
    """The lens (A, A') -> (1, 1) whose put is that map A -> A'."""
    if put.dom != values.forward or put.cod != values.backward:
        raise CompositionError(f"a lens to the unit over {values} needs a put {values.forward} -> {values.backward}")
    return Lens(discard(values.forward), put)
