"""Arithmetic of a carrier, entry by entry: constants, sums, products, negation, bits (CIRC.gen, CIRC.R).

Reverse derivatives, inputs first, then the cotangents of the outputs:

    R[add](x, y, d)      = (d, d)                    R[constant](d)    = ()
    R[multiply](x, y, d) = (y d, x d)                R[negate](x, d)   = -d
    R[subtract](x, y, d) = (d, -d)                   R[include](x, d)  = d
    R[divide](x, y, d)   = (d / y, -(d / y) x / y)   R[invert](x, d)   = -d       (bits: 1 - x)
    R[xor](x, y, d)      = ((1 - 2 y) d, (1 - 2 x) d)                             (bits: x + y - 2 x y)

Values that meet a cotangent are first included among the changes (BITS in INTEGERS; for a semiring nothing happens).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["Add", "Constant", "Divide", "Include", "Invert", "Multiply", "Negate", "Pointwise", "Subtract", "Xor"]


@dataclass(frozen=True)
class Pointwise(Generator):
    """A generator that acts entry by entry: `arity` inputs and one output, all of `space`.

    Subclasses give `rule`, the reverse derivative on wires, and `operation`, the carrier's method of that meaning.
    """

    space: Space
    arity: ClassVar[int] = 2
    operation: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.operation:
            self.space.carrier.require(self.operation)

    @property
    def dom(self) -> Object:
        return (self.space,) * self.arity

    @property
    def cod(self) -> Object:
        return (self.space,)

    def on(self, space: Space) -> Pointwise:
        """The same operation on another space."""
        return type(self)(space)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        """The cotangents of the inputs, from the inputs and the cotangent of the output."""
        raise NotImplementedError

    def reverse(self) -> Diagram | None:
        return trace((*self.dom, self.cod[0].changes), self.rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        from catlearn.generators.contraction import stack

        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]
        inner = self.on(self.space.batch(size))
        return trace(
            spaces,
            lambda *wires: apply_generator(
                inner, *(w if flag else stack(w, size) for w, flag in zip(wires, flags, strict=True))
            ),
        )

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return getattr(arrays.carrier(self.space.carrier), self.operation)(arrays.namespace, *inputs)


class Add(Pointwise):
    """`(x, y) -> x + y`."""

    operation = "add"
    linear = ((0, 1),)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        return wires[2], wires[2]


class Subtract(Pointwise):
    """`(x, y) -> x - y`, in a ring."""

    operation = "subtract"
    linear = ((0, 1),)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        return wires[2], -wires[2]


class Negate(Pointwise):
    """`x -> -x`, in a ring."""

    operation = "negate"
    arity = 1
    linear = ((0,),)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        return (-wires[1],)


class Multiply(Pointwise):
    """`(x, y) -> x y`; on bits, and."""

    operation = "multiply"
    linear = ((0,), (1,))

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        x, y, d = wires
        return include(y) * d, include(x) * d


class Divide(Pointwise):
    """`(x, y) -> x / y`, in a field; y = 0 gives what the arrays' division gives."""

    operation = "divide"
    linear = ((0,),)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        x, y, d = wires
        quotient = d / y
        return quotient, -(quotient * (x / y))


class Invert(Pointwise):
    """`x -> 1 - x` on bits (not)."""

    operation = "invert"
    arity = 1

    def __post_init__(self) -> None:
        _require_bits(self.space, "invert")

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        return (-wires[1],)


class Xor(Pointwise):
    """`(x, y) -> x + y - 2 x y` on bits (exclusive or)."""

    operation = "exclusive_or"

    def __post_init__(self) -> None:
        _require_bits(self.space, "xor")

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        x, y, d = wires
        return (1 - 2 * include(y)) * d, (1 - 2 * include(x)) * d


def _require_bits(space: Space, name: str) -> None:
    if not hasattr(space.carrier, "invert"):
        raise OperationError(f"{name} acts on bits (BITS); got {space}. Over Z2, exclusive or is + and not is 1 + x")


class Include(Pointwise):
    """The inclusion of values among their changes: BITS in INTEGERS, the identity map on numbers."""

    arity = 1

    def __post_init__(self) -> None:
        if self.space.carrier.kind != "bit" or self.space.carrier.changes.kind != "integer":
            raise OperationError(f"only bits are included in integers; got {self.space}")

    @property
    def cod(self) -> Object:
        return (self.space.changes,)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        return (wires[1],)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.cast(inputs[0], self.space.changes.carrier)


def include(x: Wire) -> Wire:
    """The value among its own changes: no node where the two spaces agree."""
    return x if x.space.changes == x.space else apply_generator(Include(x.space), x)


@dataclass(frozen=True)
class Constant(Generator):
    """A constant `() -> value`: a number, filled into the whole space, or an array of the space's shape.

    Raises `InputError` for a value of another shape, or outside the carrier.
    """

    space: Space
    value: Any

    def __post_init__(self) -> None:
        value = np.asarray(self.value)
        if value.ndim and value.shape != self.space.shape:
            raise InputError(
                f"a constant of {self.space} needs a number or shape {self.space.shape}; got {value.shape}"
            )
        numbers = value.dtype != object or all(isinstance(entry, (int, float)) for entry in value.flat)
        if value.dtype.kind not in "biufO" or not numbers or not np.all(self.space.carrier.contains(value)):
            raise InputError(f"{self.value!r} is not a value of {self.space.carrier}; write the constant in its values")
        if value.dtype.kind == "f" and self.space.carrier.kind != "real":
            raise InputError(f"{self.value!r} is a float and {self.space} is not real; write whole numbers as integers")
        nested = value.tolist()
        if self.space.carrier.kind == "real":
            nested = np.asarray(value, float).tolist()
        object.__setattr__(self, "value", _frozen(nested))

    @property
    def dom(self) -> Object:
        return ()

    @property
    def cod(self) -> Object:
        return (self.space,)

    @property
    def name(self) -> str:
        return f"{self.value:g}" if isinstance(self.value, float) else str(self.value)[:20]

    @cached_property
    def is_zero(self) -> bool:
        """Whether it is the zero of its carrier (and so has no size as a cotangent)."""
        return not isinstance(self.value, tuple) and self.value == self.space.carrier.zero

    def reverse(self) -> Diagram | None:
        return Diagram((self.space.changes,), (), ())

    def evaluate(self, arrays: Any) -> Any:
        return arrays.constant(self.space, self.value)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else int(value) if value is True else value


def zero_of(space: Space) -> Constant:
    """The zero of a space of changes."""
    return Constant(space, space.carrier.zero)
