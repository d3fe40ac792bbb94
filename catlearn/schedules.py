"""Schedules: hyper-parameters that depend on the number of steps taken, as diagrams `DISCRETE -> REAL`.

A schedule stands in place of a number: `adam(cosine(1e-3, 1000))`. The count is 0 at the first step.

    linear(a, b, n)(t) = a + (b - a) min(t, n) / n          exponential(a, r, n)(t) = a r^(t / n)
    cosine(a, n, b)(t) = b + (a - b) (1 + cos(pi min(t, n) / n)) / 2
    piecewise({n1: f1, ..}, a)(t) = a times the factors f_k of all n_k <= t
    warm_up(n, s)(t) = s(n) (t + 1) / n for t < n... joined with s, which starts then

>>> halved = exponential(0.1, 0.5, 10)
>>> [round(float(halved(t)), 6) for t in (0, 10, 20)]
[0.1, 0.05, 0.025]

Sources: Loshchilov and Hutter (1608.03983) for the cosine; Goyal et al. (1706.02677) for the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.tracing import Wire, trace
from catlearn.transformations import COUNT, SCALAR

__all__ = ["constant", "cosine", "exponential", "linear", "piecewise", "schedule", "warm_up"]


def schedule(rule: Callable[[Wire], Wire]) -> Diagram:
    """The schedule of a function of the number of steps taken, a real wire, written with `catlearn.functions`.

    Raises `OperationError` where it does not give one real number.
    """
    made = trace(COUNT, lambda count: rule(functions.real(count)))
    if made.cod != (SCALAR,):
        raise OperationError(f"a schedule gives one real number; this one gives {made.cod}")
    return made


def _share(t: Wire, steps: float) -> Wire:
    """min(t, steps) / steps."""
    return _least(t, steps) * (1.0 / steps)


def _least(t: Wire, bound: float) -> Wire:
    return -functions.maximum(-t, functions.constant(t.space, -float(bound)))


def _positive(steps: float, what: str) -> float:
    if isinstance(steps, bool) or not isinstance(steps, (int, float)) or not 0 < steps < math.inf:
        raise OperationError(f"{what} must be a positive number of steps; got {steps!r}")
    return float(steps)


def constant(value: float) -> Diagram:
    """Always that value."""
    return schedule(lambda t: functions.constant(SCALAR, float(value)))


def linear(start: float, end: float, steps: float) -> Diagram:
    """From `start` to `end` in that many steps, then `end`."""
    steps = _positive(steps, "the length of a linear schedule")
    return schedule(lambda t: start + (end - start) * _share(t, steps))


def cosine(start: float, steps: float, end: float = 0.0) -> Diagram:
    """From `start` to `end` along half a cosine, then `end`."""
    steps = _positive(steps, "the length of a cosine")
    return schedule(lambda t: end + (start - end) * (0.5 + 0.5 * functions.cos(math.pi * _share(t, steps))))


def exponential(start: float, rate: float, steps: float) -> Diagram:
    """`start` times `rate` to the power of t / steps."""
    steps = _positive(steps, "the steps of a decay")
    if not rate > 0:
        raise OperationError(f"the rate of an exponential decay must be positive; got {rate!r}")
    return schedule(lambda t: start * functions.exp(t * (math.log(rate) / steps)))


def piecewise(factors: Mapping[int, float], start: float) -> Diagram:
    """`start`, multiplied by each factor from its step on: `piecewise({100: 0.1}, 1e-2)`."""

    def rule(t: Wire) -> Wire:
        value = functions.constant(SCALAR, float(start))
        for step, factor in sorted(factors.items()):
            after = functions.step(t - (step - 0.5))
            value = value * (1.0 + (factor - 1.0) * after)
        return value

    return schedule(rule)


def warm_up(steps: int, then: Diagram | float) -> Diagram:
    """From nearly nothing to the start of `then` in that many steps; `then` runs after it, from its own step 0."""
    steps = int(_positive(steps, "a warm-up"))
    after = then if isinstance(then, Diagram) else constant(then)
    if (after.dom, after.cod) != ((COUNT,), (SCALAR,)):
        raise OperationError(f"a warm-up leads to a number or a schedule; got {after}")

    def rule(count: Wire) -> Wire:
        late = functions.since(steps, count)
        share = _share(functions.real(count) + 1.0, float(steps))
        return after(late) * share

    return trace(COUNT, rule)
