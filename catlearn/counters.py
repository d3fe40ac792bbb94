"""Optimisers of bits, whose changes are votes: integers that say how much a bit should rise (BIT.counter and others).

    saturating(T)     s in [-T, T] stands for the bit [s > 0];  s+ = s + v cut to [-T, T]         the default
    accumulator(t)    m+ = m + v (1 - 2 b); where m+ >= t the bit flips and m starts at 0 again    (BVAR.flip)
    flipping(t)       the bit flips with probability v (1 - 2 b) / t, cut to [0, 1]                (BIT.flip)
    majority()        the bit becomes [v > 0], and stays where v = 0

Each is a lens (S, S) -> (B, Z) like any other optimiser's. Before it, votes can be transformed: `clip_votes`,
`scale_votes`. Exclusive or, the published one, is `optimisers.reverse_derivative_ascent` over Z2 (BIT.base).

>>> from catlearn.semirings import BITS
>>> step = saturating(4).bound(Space((), BITS))
>>> int(step.put(3, 5)), int(step.get(3)), int(step.get(step.put(3, -7)))
(4, 1, 0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.functions import constant, include, invert, xor
from catlearn.generators.arithmetic import Constant
from catlearn.generators.counting import clamp, dither, positive, scaled
from catlearn.generators.multiplexer import choose
from catlearn.generators.selection import less, select
from catlearn.optimisers import Optimiser, optimiser
from catlearn.semirings import BITS, INTEGERS
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace
from catlearn.transformations import COUNT, Transformation, transformation

__all__ = [
    "Counted",
    "accumulator",
    "clip_votes",
    "count_votes",
    "flipping",
    "majority",
    "saturating",
    "scale_votes",
    "stairs",
]

Whole = int | Diagram
NUMBER = Space((), INTEGERS)
MOST = 2**30


@dataclass(frozen=True)
class Counted:
    """The first counter of a bit: `start` where it is 1, minus that where it is 0."""

    start: int

    def __call__(self, values: Sequence[Any], spaces: Object) -> tuple[Any, ...]:
        return tuple(np.where(np.asarray(value) == 1, self.start, -self.start).astype(np.int32) for value in values)


def _check(name: str, what: str, value: Whole) -> None:
    if isinstance(value, Diagram):
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 1 <= value <= MOST:
        raise OperationError(f"{name} needs {what}, an integer from 1 to 2**30; got {value!r}")


def _voting(name: str, *more: Any, **settings: Any) -> Transformation:
    inner = transformation(name, *more, carrier=INTEGERS, **settings)

    def lens(spaces: Object) -> Any:
        for space in spaces:
            if space.carrier != BITS:
                raise OperationError(f"'{name}' counts votes for bits (BITS); the model has a parameter in {space}")
        return inner.lens(spaces)

    return Transformation(inner.name, inner.context, lens, inner.base, inner.start)


def count_votes(limit: Whole, start: int | None = None) -> Transformation:
    """Saturating counters in the place of the bits: see `saturating`."""
    _check("a counter", "a limit", limit)
    if start is None:
        if isinstance(limit, Diagram):
            raise OperationError(
                "counters whose limit is a schedule need a start, such as a quarter of the first limit"
            )
        start = max(limit // 4, 1)
    _check("a counter", "a start", start)
    if not isinstance(limit, Diagram) and start > limit:
        raise OperationError(f"counters start within their limit {limit}; got {start}")
    return _voting(
        "count votes",
        lambda h, s, p, d: ({}, clamp(p + d, h.limit)),
        get=lambda h, s, p: positive(p),
        hyper={"limit": limit},
        stores=lambda space: space.changes,
        start=Counted(int(start)),
    )


def saturating(limit: Whole = 512, start: int | None = None) -> Optimiser:
    """Saturating counters from -limit to limit, a bit being 1 where its counter is positive (BIT.counter).

    They start at `start`, by default a quarter of the limit, on the side of their bit. With a limit of 1 a majority of
    two flips the bit; the state is that of Tsetlin's automaton.
    """
    return optimiser("saturating", count_votes(limit, start))


def _wanted(bit: Wire, votes: Wire) -> Wire:
    """How much the votes want the bit to flip: v (1 - 2 b)."""
    return votes * (1 - 2 * include(bit))


def accumulator(threshold: Whole = 512) -> Optimiser:
    """Each bit adds up what votes for its flip; at the threshold it flips, and starts from 0 (BIT.accumulator).

    Source: Nguyen et al., Boolean variation and Boolean logic backpropagation (2311.07427), the form from SPEC 20.
    """
    _check("an accumulator", "a threshold", threshold)

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        total = s.m + _wanted(p, d)
        flips = positive(total - (h.threshold - 1))
        # Votes against a flip count no further than those for it, so that the sum stays in its range.
        return {"m": choose(flips, clamp(total, h.threshold), constant(total.space, 0))}, xor(p, flips)

    rule = _voting("accumulate", put, hyper={"threshold": threshold}, state={"m": 0}, stores=lambda space: space)
    return optimiser("accumulator", rule)


def flipping(threshold: Whole = 512, seed: int = 0) -> Optimiser:
    """Each bit flips with probability min(1, max(0, v (1 - 2 b)) / threshold) (BIT.flip)."""
    _check("a flip", "a threshold", threshold)
    if not isinstance(threshold, Diagram) and threshold > 2**15:
        raise OperationError(f"a flip's threshold is at most 2**15, for its products to fit; got {threshold}")

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        drawn = dither(h.count, p.shape, 15, seed)
        return {}, xor(p, positive(clamp(_wanted(p, d), h.threshold) * (1 << 15) - drawn * h.threshold))

    rule = _voting("flip", put, hyper={"threshold": threshold}, count=True, stores=lambda space: space)
    return optimiser("flipping", rule)


def majority() -> Optimiser:
    """Each bit becomes what most votes say, and stays where they cancel."""

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        return {}, choose(positive(d), p * invert(positive(-d)), constant(p.space, 1))

    return optimiser("majority", _voting("majority", put, stores=lambda space: space))


def clip_votes(bound: Whole) -> Transformation:
    """Each entry's summed vote cut to [-bound, bound] (BIT.clip)."""
    _check("clip_votes", "a bound", bound)
    return _voting("clip votes", lambda h, s, p, d: ({}, clamp(d, h.bound)), hyper={"bound": bound})


def scale_votes(numerator: Whole, shift: int, seed: int = 0) -> Transformation:
    """Votes times numerator / 2**shift, rounded at random in proportion (BIT.rescale, next to the optimiser)."""
    _check("scale_votes", "a numerator", numerator)
    if isinstance(shift, bool) or not isinstance(shift, int) or not 1 <= shift <= 15:
        raise OperationError(f"scale_votes needs a shift, an integer from 1 to 15; got {shift!r}")

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        return {}, scaled(d, h.numerator, dither(h.count, d.shape, shift, seed), shift)

    return _voting("scale votes", put, hyper={"numerator": numerator}, count=True)


def stairs(values: Mapping[int, int]) -> Diagram:
    """The schedule of a whole number: from each number of steps on, the value given for it; the first is for 0.

    >>> [int(stairs({0: 8, 3: 16})(n)) for n in (0, 2, 3, 9)]
    [8, 8, 16, 16]
    """
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for pair in values.items() for n in pair)
    steps = list(values)
    if not steps or not whole or steps != sorted(steps) or steps[0] != 0:
        raise OperationError(
            f"stairs takes whole numbers by the step they hold from, the first being 0; got {values!r}"
        )

    def level(count: Wire) -> Wire:
        result = constant(NUMBER, int(values[0]))
        for step in steps[1:]:
            later = less(apply_generator(Constant(COUNT, int(step) - 1)), count)
            result = select(later, constant(NUMBER, int(values[step])), result)
        return result

    return trace(COUNT, level)
