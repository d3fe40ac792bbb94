"""Optics: a forward map that leaves a residual, and a backward map that reads it.

An optic (A, A') -> (B, B') with residual M is `forward : A -> M x B` and `backward : M x B' -> A'`, modulo sliding a
map along the residual (OPTIC.slide). Over a cartesian category optics are lenses (OPTIC.iso): the residual never
changes the lens, only what it costs. Running an optic keeps what the backward map needs, so a chain of n calls each
part once in each direction, however it is nested (COST.optic).

    (M, l, r) ; (N, l2, r2) = (M x N, l ; (1 x l2), (1 x r2) ; r)                              (OPTIC.def)
    lens of (M, l, r):  get = l ; pi_1,  put = ((l ; pi_0) x 1) ; r

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), INTEGERS))
... def square(x): return x * x
>>> (Optic.of(Lens.of(square)) >> Optic.of(Lens.of(square))).lens() == Lens.of(square >> square)
True

Source: Riley, Categories of optics (1809.00738), proposition 2.0.4 for lenses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catlearn.diagram import Diagram, copy, discard, identity, permute, swap
from catlearn.errors import CompositionError
from catlearn.lens import Lens, Sides
from catlearn.space import Object, Space, first_difference

__all__ = ["Optic"]


@dataclass(frozen=True)
class Optic:
    """The optic with that residual, forward and backward map.

    Raises `CompositionError` where the forward map does not begin its codomain, or the backward map its domain, with
    the residual.
    """

    residual: Object
    forward: Diagram
    backward: Diagram

    def __post_init__(self) -> None:
        n = len(self.residual)
        for came in (self.forward.cod[:n], self.backward.dom[:n]):
            if came != self.residual:
                raise first_difference(self.residual, came, "an optic's residual and what its map has in its place")

    @property
    def dom(self) -> Sides:
        """(A, A')."""
        return Sides(self.forward.dom, self.backward.cod)

    @property
    def cod(self) -> Sides:
        """(B, B')."""
        n = len(self.residual)
        return Sides(self.forward.cod[n:], self.backward.dom[n:])

    @classmethod
    def of(cls, lens: Lens) -> Optic:
        """The optic of a lens: its residual is the whole input, l = <1, get>, r = put."""
        a = lens.get.dom
        return cls(a, copy(a) >> (identity(a) @ lens.get), lens.put)

    @classmethod
    def identity(cls, sides: Sides | Space | Iterable[Space] = ()) -> Optic:
        """The identity, without a residual."""
        sides = sides if isinstance(sides, Sides) else Sides.of(sides)
        return cls((), identity(sides.forward), identity(sides.backward))

    @classmethod
    def swap(cls, left: Sides, right: Sides) -> Optic:
        """The symmetry, without a residual."""
        return cls((), swap(left.forward, right.forward), swap(right.backward, left.backward))

    def lens(self) -> Lens:
        """The lens that it is (OPTIC.iso)."""
        left, given = self.residual, self.cod
        get = self.forward >> (discard(left) @ identity(given.forward))
        kept = self.forward >> (identity(left) @ discard(given.forward))
        return Lens(get, (kept @ identity(given.backward)) >> self.backward)

    def slide(self, h: Diagram, backward: Diagram) -> tuple[Optic, Optic]:
        """<l ; (h x 1) | r> and <l | (h x 1) ; r>, one by OPTIC.slide; r, `backward`, reads the codomain of h."""
        ends = self.cod
        return (
            Optic(h.cod, self.forward >> (h @ identity(ends.forward)), backward),
            Optic(h.dom, self.forward, (h @ identity(ends.backward)) >> backward),
        )

    def __rshift__(self, other: Optic) -> Optic:
        if not isinstance(other, Optic):
            return NotImplemented
        if self.cod != other.dom:
            raise CompositionError(f"cannot compose optics: the left one ends in {self.cod}, not in {other.dom}")
        same = identity(self.residual)
        return Optic(
            self.residual + other.residual,
            self.forward >> (same @ other.forward),
            (same @ other.backward) >> self.backward,
        )

    def __matmul__(self, other: Optic) -> Optic:
        if not isinstance(other, Optic):
            return NotImplemented
        m, n, ours, theirs = self.residual, other.residual, self.cod, other.cod
        forward = (self.forward @ other.forward) >> permute([m, ours.forward, n, theirs.forward], [0, 2, 1, 3])
        backward = permute([m, n, ours.backward, theirs.backward], [0, 2, 1, 3]) >> (self.backward @ other.backward)
        return Optic(m + n, forward, backward)

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)
