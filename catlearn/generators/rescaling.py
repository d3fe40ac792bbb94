"""Votes rescaled on their way back: a lens on bits that keeps deep circuits from drowning in votes (BIT.rescale).

    get(x) = x,    put(x, v) = votes(v),    votes(v) = v 2**e, rounded at random in proportion, cut to +-64 target

where e brings the mean size of the votes nearest to `target`: 2**e <= sqrt(2) target n / sum |v| for n votes, from -15
to 7. On a
batch the mean is over all samples, not a copy of the map on each. What looks random is a hash of the place and of the
sum, so the map is a function of the votes alone, in every functor and in hardware. It is not additive: a surrogate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator, identity
from catlearn.errors import OperationError
from catlearn.generators.counting import hashed
from catlearn.semirings import BITS, INTEGERS
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["Rescale", "RescaleVotes", "rescale"]

MOST = 64
"""No vote comes back larger than this many times the target."""

UP, DOWN = 7, 15


@dataclass(frozen=True)
class RescaleVotes(Generator):
    """`votes -> votes` of a mean size near `target`; the reverse is zero, for it has steps only."""

    space: Space
    target: int
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.space.carrier != INTEGERS:
            raise OperationError(f"votes are integers; got {self.space}")
        check_target(self.target)

    @property
    def dom(self) -> Object:
        return (self.space,)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((self.space, self.space), lambda v, d: zeros(self.space))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return RescaleVotes(self.space.batch(size), self.target).diagram

    @cached_property
    def coarse(self) -> int:
        """The power of two that sizes are divided by, so that their sum stays within 32 bits."""
        return max((max(self.space.size, 1) * MOST * self.target).bit_length() - 31, 0)

    def powers(self, total: Any) -> tuple[Any, Any]:
        """The powers of two to multiply and to divide by, from the sum of the sizes: how many bounds it keeps to."""
        enough = math.isqrt(2 * (self.target * max(self.space.size, 1)) ** 2) >> self.coarse
        ups = np.array([enough >> e for e in range(1, UP + 1)], np.int32)
        downs = np.array([enough << e for e in range(DOWN) if enough << e < 2**31], np.int32)
        return (total <= ups).sum(), (total > downs).sum()

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        (v,) = inputs
        xp, most = arrays.namespace, MOST * self.target
        kept = xp.minimum(xp.maximum(v, -most), most)
        total = arrays.cast((abs(kept) // 2**self.coarse).sum(dtype=kept.dtype), INTEGERS)
        up, down = (arrays.cast(number, INTEGERS) for number in self.powers(total))
        drawn = _looking_random(arrays, total, self.space.shape)
        halved = (kept + drawn % (2**down)) // (2**down)
        return xp.minimum(xp.maximum(halved * (2**up), -most), most)


def _looking_random(arrays: Any, seed: Any, shape: tuple[int, ...]) -> Any:
    """Numbers from 0 to 2**DOWN - 1, a hash of their place and of a number of 31 bits."""
    xp = arrays.namespace
    places = hashed(xp.asarray(np.arange(math.prod(shape), dtype=np.uint32)))
    mixed = places ^ xp.reshape(xp.asarray(seed).astype(np.uint32) * np.uint32(0x9E3779B1), (1,))
    return arrays.cast(xp.reshape(hashed(mixed) >> np.uint32(32 - DOWN), shape).astype(np.int32), INTEGERS)


def check_target(target: int) -> None:
    """Raise `OperationError` for a target that is no small positive integer."""
    if isinstance(target, bool) or not isinstance(target, int) or not 1 <= target <= 2**12:
        raise OperationError(f"votes are rescaled to a mean size from 1 to 4096; got {target!r}")


@dataclass(frozen=True)
class Rescale(Generator):
    """The identity on bits whose reverse is `RescaleVotes`."""

    space: Space
    target: int

    def __post_init__(self) -> None:
        if self.space.carrier != BITS:
            raise OperationError(f"votes come back to bits; got {self.space}")
        check_target(self.target)

    @property
    def lawful(self) -> bool:
        return False

    @property
    def additive(self) -> bool:
        return False

    @property
    def dom(self) -> Object:
        return (self.space,)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def computes(self) -> Diagram | None:
        return identity(self.space)

    def expansion(self) -> Diagram | None:
        return identity(self.space)

    def reverse(self) -> Diagram | None:
        rescaled = RescaleVotes(self.space.changes, self.target)
        return trace((self.space, self.space.changes), lambda x, v: apply_generator(rescaled, v))

    def evaluation(self) -> Diagram | None:
        return identity(self.space)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Rescale(self.space.batch(size), self.target).diagram


def rescale(x: Wire, target: int) -> Wire:
    """The same bits, whose votes come back with a mean size near `target`."""
    result: Wire = apply_generator(Rescale(x.space, target), x)
    return result
