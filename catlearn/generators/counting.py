"""Maps of integers that counters and votes need: signs, bounds, shares of a softmax, dither (BIT.counter, BIT.softres).

    positive(x)      = 1 where x > 0, else 0: a bit              R = 0, as CIRC.compare's `zero`
    clamp(x, b)      = x cut to [-b, b]                          R(x, b, d) = (d inside, d above - d below, summed)
    shares(x)        = round(q e_k / sum e), e_k = round(4096 exp(-(max x - x_k) / t))       R = 0
    scaled(x, n, u)  = floor((x n + u) / 2**s)                   R = 0: rounding has steps only
    popcount(x)      = how many bits are 1 along the last axis   R(x, d) = d for each bit
    dither(n)        = whole numbers that look random, of a counter and their place           R = 0

All is whole arithmetic, so that it is the same in every functor and in hardware.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import Pointwise, include
from catlearn.generators.contraction import broadcast, repeated
from catlearn.generators.contraction import sum as sum_over
from catlearn.generators.multiplexer import choose
from catlearn.semirings import BITS, DISCRETE, INTEGERS
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = [
    "Clamp",
    "Dither",
    "Popcount",
    "Positive",
    "Scaled",
    "Shares",
    "clamp",
    "dither",
    "popcount",
    "positive",
    "scaled",
    "shares",
]

NUMBER = Space((), INTEGERS)


def _check_integers(space: Space, what: str) -> None:
    if space.carrier != INTEGERS:
        raise OperationError(f"{what} acts on INTEGERS; got {space}")


@dataclass(frozen=True)
class Positive(Pointwise):
    """`x -> [x > 0]`, integers to bits."""

    arity = 1
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_integers(self.space, "positive")

    @property
    def cod(self) -> Object:
        return (self.space.with_carrier(BITS),)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        from catlearn.functions import zeros

        return (zeros(self.space),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.cast(inputs[0] > 0, BITS)


@dataclass(frozen=True)
class Popcount(Generator):
    """`x -> the number of ones along the last axis`, bits to integers: their inclusion, summed (BIT.groupsum)."""

    space: Space

    def __post_init__(self) -> None:
        if self.space.carrier != BITS or not self.space.shape:
            raise OperationError(f"popcount acts on bits along a last axis; got {self.space}")

    @property
    def dom(self) -> Object:
        return (self.space,)

    @property
    def cod(self) -> Object:
        return (Space(self.space.shape[:-1], INTEGERS),)

    def expansion(self) -> Diagram | None:
        return trace(self.space, lambda x: sum_over(include(x), len(self.space.shape) - 1))

    def reverse(self) -> Diagram | None:
        return trace((self.space, *self.cod), lambda x, d: repeated(d, self.space.shape[-1]))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Popcount(self.space.batch(size)).diagram

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        last = len(self.space.shape) - 1
        return arrays.carrier(INTEGERS).sum(arrays.namespace, arrays.cast(inputs[0], INTEGERS), (last,))


@dataclass(frozen=True)
class Clamp(Generator):
    """`(x, b) -> x cut to [-b, b]`, the bound one number at least 0."""

    space: Space
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_integers(self.space, "clamp")

    @property
    def dom(self) -> Object:
        return (self.space, NUMBER)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import invert, zeros

        def rule(x: Wire, b: Wire, d: Wire) -> tuple[Wire, Wire]:
            limit, nothing = broadcast(b, x.shape), zeros(d.space)
            below_top, above_floor = positive(limit - x), positive(limit + x)
            over = sum_over(choose(invert(below_top), nothing, d)) - sum_over(choose(invert(above_floor), nothing, d))
            return choose(below_top * above_floor, nothing, d), over

        return trace((*self.dom, self.space), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Clamp(self.space.batch(size)).diagram if flags == (True, False) else None

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        x, bound = inputs
        return arrays.namespace.minimum(arrays.namespace.maximum(x, -bound), bound)


@dataclass(frozen=True)
class Shares(Generator):
    """`x -> round(scale softmax(x / temperature))` along the last axis, by a table of exponentials and division."""

    space: Space
    scale: int
    temperature: float
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_integers(self.space, "shares")
        if not self.space.shape or not self.space.shape[-1]:
            raise OperationError(f"shares needs counts along a last axis; got {self.space}")
        if isinstance(self.scale, bool) or not isinstance(self.scale, int) or not 1 <= self.scale <= 2**14:
            raise OperationError(f"the scale of shares is an integer from 1 to {2**14}; got {self.scale!r}")
        if not isinstance(self.temperature, (int, float)) or not 0 < self.temperature <= 2**16:
            raise OperationError(
                f"the temperature of shares is a positive number, at most {2**16}; got {self.temperature!r}"
            )

    @property
    def dom(self) -> Object:
        return (self.space,)

    @property
    def cod(self) -> Object:
        return (self.space,)

    @cached_property
    def table(self) -> np.ndarray:
        """4096 exp(-i / temperature), rounded, down to the first 0."""
        length = math.ceil(self.temperature * math.log(2 * 4096)) + 2
        return np.rint(4096 * np.exp(-np.arange(length) / self.temperature)).astype(np.int32)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((self.space, self.space), lambda x, d: zeros(self.space))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Shares(self.space.batch(size), self.scale, self.temperature).diagram

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        (x,) = inputs
        xp = arrays.namespace
        below = xp.minimum(x.max(axis=-1, keepdims=True) - x, len(self.table) - 1)
        e = arrays.cast(xp.take(arrays.cast(self.table, INTEGERS), arrays.positions(below)), INTEGERS)
        total = e.sum(axis=-1, keepdims=True, dtype=e.dtype)
        return (2 * self.scale * e + total) // (2 * total)


@dataclass(frozen=True)
class Scaled(Generator):
    """`(x, n, u) -> floor((x n + u) / 2**shift)`: x times n / 2**shift, rounded up where the dither u says so."""

    space: Space
    shift: int
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_integers(self.space, "scaled")
        if isinstance(self.shift, bool) or not isinstance(self.shift, int) or not 0 <= self.shift <= 30:
            raise OperationError(f"the shift of scaled is an integer from 0 to 30; got {self.shift!r}")

    @property
    def dom(self) -> Object:
        return (self.space, NUMBER, self.space)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((*self.dom, self.space), lambda *_: tuple(zeros(space) for space in self.dom))

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        x, number, dithering = inputs
        return (x * number + dithering) // (1 << self.shift)


@dataclass(frozen=True)
class Dither(Generator):
    """`n -> numbers from 0 to 2**bits - 1 that look random`, a hash of the counter, the place and a seed."""

    shape: tuple[int, ...]
    bits: int
    seed: int = 0
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int) or not 1 <= self.bits <= 30:
            raise OperationError(f"dither has 1 to 30 bits; got {self.bits!r}")

    @property
    def dom(self) -> Object:
        return (Space((), DISCRETE),)

    @property
    def cod(self) -> Object:
        return (Space(self.shape, INTEGERS),)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((*self.dom, *self.cod), lambda n, d: zeros(n.space.changes))

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        xp = arrays.namespace
        count = xp.asarray(inputs[0] & (2**31 - 1)).astype(np.uint32)
        places = np.arange(math.prod(self.shape), dtype=np.uint32) + np.uint32(self.seed % 2**32)
        mixed = hashed(xp.asarray(places)) ^ xp.reshape(count * np.uint32(0x9E3779B1), (1,))
        chosen = hashed(mixed) >> np.uint32(32 - self.bits)
        return arrays.cast(xp.reshape(chosen, self.shape).astype(np.int32), INTEGERS)


def hashed(x: Any) -> Any:
    """A mixing of 32 bits in which every bit of x moves every bit of the result."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def positive(x: Wire) -> Wire:
    """The bit [x > 0] of each integer."""
    return apply_generator(Positive(as_wire(x, "positive").space), x)


def popcount(x: Wire) -> Wire:
    """The number of ones along the last axis."""
    return apply_generator(Popcount(as_wire(x, "popcount").space), x)


def clamp(x: Wire, bound: Wire) -> Wire:
    """Integers cut to [-bound, bound], the bound a scalar wire."""
    result: Wire = apply_generator(Clamp(as_wire(x, "clamp").space), x, bound)
    return result


def shares(x: Wire, scale: int, temperature: float) -> Wire:
    """`scale` times the softmax of counts over the last axis, in whole numbers."""
    result: Wire = apply_generator(Shares(as_wire(x, "shares").space, scale, temperature), x)
    return result


def scaled(x: Wire, number: Wire, dithering: Wire, shift: int) -> Wire:
    """x times number / 2**shift, rounded by the dither, whole numbers from 0 to 2**shift - 1."""
    result: Wire = apply_generator(Scaled(as_wire(x, "scaled").space, shift), x, number, dithering)
    return result


def dither(count: Wire, shape: tuple[int, ...], bits: int, seed: int = 0) -> Wire:
    """Whole numbers below 2**bits that look random, other ones at each count."""
    result: Wire = apply_generator(Dither(shape, bits, seed), count)
    return result
