"""Choosing by a bit: the multiplexer, a polynomial on bits and on integers.

choose(s, a, b) = a + s (b - a)             a where s is 0, b where it is 1
R[choose](s, a, b, v) = ((b - a) v, (1 - s) v, s v)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import include
from catlearn.generators.contraction import stack
from catlearn.semirings import BITS, INTEGERS
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Choose", "choose"]


@dataclass(frozen=True)
class Choose(Generator):
    """`(s, a, b) -> a where the bit s is 0, b where it is 1`, entry by entry, over bits or integers."""

    space: Space
    linear = ((1, 2),)
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.space.carrier not in (BITS, INTEGERS):
            raise OperationError(f"choose acts on bits or integers; got {self.space}")

    @property
    def dom(self) -> Object:
        return (self.space.with_carrier(BITS), self.space, self.space)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        def rule(s: Wire, a: Wire, b: Wire, v: Wire) -> tuple[Wire, ...]:
            nothing = zeros(v.space)
            return (include(b) - include(a)) * v, choose(s, v, nothing), choose(s, nothing, v)

        return trace((*self.dom, self.space.changes), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]
        inner = Choose(self.space.batch(size))

        def run(*wires: Wire) -> Any:
            return apply_generator(inner, *(w if f else stack(w, size) for w, f in zip(wires, flags, strict=True)))

        return trace(spaces, run)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        s, a, b = inputs
        return arrays.namespace.where(s == 1, b, a)


def choose(s: Wire, a: Wire, b: Wire) -> Wire:
    """a where the bit is 0, b where it is 1; raises `OperationError` where shapes or carriers do not fit."""
    s, a, b = (as_wire(wire, "choose") for wire in (s, a, b))
    if a.space != b.space or s.space != a.space.with_carrier(BITS):
        raise OperationError(
            f"choose takes bits and two wires of one space of their shape; got {s.space}, {a.space} and {b.space}"
        )
    return apply_generator(Choose(a.space), s, a, b)
