"""Losses on class counts, in whole numbers only (BIT.softres, BIT.margin).

A prediction is a vector of counts, one a class, the label its number. The loss is an integer; what goes back to the
counts is a residual r of integers, chosen and not derived, so the loss is a surrogate: `put(y, c, a) = -a r`, which the
cap -1 sends upward. `bit_errors` is for predictions that are bits, and is a polynomial like any other.

    count_softmax(q, t)    r_k = q [k = y] - round(q p_k), p = softmax(counts / t);      the loss is r_y
    count_margin(m)        r_y = the number of rivals within m of it, r_k = -1 for each;  the loss is r_y
"""

from __future__ import annotations

from collections.abc import Callable

from catlearn.errors import OperationError
from catlearn.functions import constant, include, one_hot, sum, xor, zeros
from catlearn.generators.contraction import repeated
from catlearn.generators.counting import Shares, positive, shares
from catlearn.generators.surrogate import surrogate
from catlearn.losses import Loss, constant_cap, exclusive_or, label_cross_entropy
from catlearn.semirings import BITS, INTEGERS, Discrete
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["bit_errors", "count_margin", "count_softmax"]


def _bits(space: Space) -> Space:
    if space.carrier != BITS:
        raise OperationError(f"bit_errors compares bits (BITS) with bits; the model gives {space}")
    return space


bit_errors = Loss(
    "bit errors",
    lambda label, guess: sum(include(xor(label, guess))),
    constant_cap(-1),
    exclusive_or.matches,
    label=_bits,
)
"""The number of wrong bits, a polynomial over Z in label and prediction: R(y, g, a) = a (1 - 2 y) for g."""


def _classes(space: Space) -> Space:
    if space.carrier != INTEGERS or len(space.shape) != 1 or not space.shape[0]:
        raise OperationError(f"a loss on counts needs a vector of counts, one a class; the model gives {space}")
    return Space((), Discrete(space.shape[0]))


def _on_counts(name: str, residual: Callable[[Wire, Wire], Wire]) -> Loss:
    """The loss r_y whose put is -a r."""

    def error(label: Wire, counts: Wire) -> Wire:
        dom = (label.space, counts.space)
        get = trace(dom, lambda y, c: sum(residual(y, c) * one_hot(y, INTEGERS)))

        def back(y: Wire, c: Wire, a: Wire) -> tuple[Wire, Wire]:
            return zeros(y.space.changes), -(residual(y, c) * repeated(a, c.shape[0]))

        put = trace((*dom, *get.cod), back)
        result: Wire = surrogate(name, get, put, additive=True)(label, counts)
        return result

    return Loss(name, error, constant_cap(-1), label_cross_entropy.matches, label=_classes)


def count_softmax(scale: int = 16, temperature: float = 20.0) -> Loss:
    """The softmax residual of counts, `scale` votes being shared (BIT.softres).

    The temperature is in counts: groups of n bits differ by some sqrt(n), so it grows with them (4 at 500 tables for
    ten classes, 20 at 8,000).
    """
    Shares(Space(1, INTEGERS), scale, temperature)  # refuses a wrong setting here and not where a model meets it

    def residual(label: Wire, counts: Wire) -> Wire:
        return scale * one_hot(label, INTEGERS) - shares(counts, scale, temperature)

    return _on_counts("count softmax", residual)


def count_margin(margin: int) -> Loss:
    """Votes for the true class and against each rival that comes within `margin` counts of it (BIT.margin)."""
    if isinstance(margin, bool) or not isinstance(margin, int) or margin < 1:
        raise OperationError(f"the margin is a positive integer, in counts; got {margin!r}")

    def residual(label: Wire, counts: Wire) -> Wire:
        hot = one_hot(label, INTEGERS)
        true = repeated(sum(hot * counts), counts.shape[0])
        near = include(positive(counts - true + constant(counts.space, margin))) * (1 - hot)
        return hot * repeated(sum(near), counts.shape[0]) - near

    return _on_counts("count margin", residual)
