"""Errors of two numbers whose slope can be inverted: what the functor to Learn is made from (LRN.invertibility).

Of an error e : R x R -> R only the slope d1 e(x, y) is used, and its inverse (x, g) -> y in y. With them a learner can
ask for the y at which the error of what it was given would have had the gradient that it found; the learner before it
then finds that very gradient (LRN.functor). The inverse is checked, not believed.

>>> sixth = discrepancy("sixth", lambda x, y: (x - y) ** 6, lambda x, g: x - g)
>>> sixth.check()  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
catlearn.errors.OperationError: the inverse given for 'sixth' is none: at x = ...

Source: Fong, Spivak and Tuyéras, Backprop as functor (1711.10455), theorem III.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.batching import batch
from catlearn.losses import Loss
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL, Carrier
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["Discrepancy", "discrepancy", "hyperbolic", "logistic", "quadratic", "reason"]

Rule = Callable[[Wire, Wire], Wire]
MOST_OPERATIONS = 40
"""The size of an expression that SymPy is still asked to simplify; larger ones take it minutes."""


@dataclass(frozen=True)
class Discrepancy:
    """What the functor needs of an error e(x, y): its slope d1 e(x, y), and its inverse (x, g) -> y in y.

    Both are functions on wires, entry by entry, at any shape; `check` says whether the one inverts the other.
    """

    name: str
    slope: Rule
    inverse: Rule

    def __repr__(self) -> str:
        return f"<discrepancy {self.name}>"

    def check(self, carrier: Carrier = REAL) -> None:
        """Raise `OperationError` unless `inverse` inverts the slope on both sides, with the point where it does not.

        At all pairs of elements of a carrier that has few, otherwise at fixed random ones.
        """
        _check(self, carrier)

    def proved(self) -> tuple[bool, bool]:
        """Whether SymPy shows slope(x, inverse(x, g)) = g, and inverse(x, slope(x, y)) = y; False is no refutation."""
        from catlearn.functors.expressions import equal, expressions, symbols

        x = Space((), REAL)
        y = symbols((x, x))[1][()]
        found = [expressions(trip)[0] for trip in _round_trips(self, REAL)]
        first, second = (value.count_ops() <= MOST_OPERATIONS and equal(value, y) for value in found)
        return bool(first), bool(second)


def discrepancy(name: str, error: Rule | Diagram, inverse: Rule | Diagram | None = None) -> Discrepancy:
    """The discrepancy of an error e : R x R -> R, with its slope from R, and the inverse that is given.

    Both are functions on wires, or diagrams of two real numbers. Raises `OperationError` where one is missing or has
    another type.

    >>> half = discrepancy("half", lambda x, y: 0.25 * (x - y) ** 2, lambda x, g: x - 2.0 * g)
    >>> half.check()
    """
    if inverse is None:
        raise OperationError(
            f"the error '{name}' comes without the inverse of its slope: give inverse(x, g), the y at which the "
            "derivative of e(x, y) by x is g (LRN.invertibility)"
        )
    number = Space((), REAL)
    e, back = (_of_numbers(part, what, name) for part, what in ((error, "error"), (inverse, "inverse")))
    slope = trace((number, number), lambda x, y: reverse_derivative(e)(x, y, functions.constant(number, 1.0))[0])
    return Discrepancy(name, _entrywise(slope), _entrywise(back))


def _of_numbers(rule: Rule | Diagram, what: str, name: str) -> Diagram:
    number = Space((), REAL)
    made = rule if isinstance(rule, Diagram) else trace((number, number), rule)
    if (made.dom, made.cod) != ((number, number), (number,)):
        raise OperationError(f"the {what} of '{name}' is a map of two real numbers to one; got {made}")
    return made


def _entrywise(rule: Diagram) -> Rule:
    """A map of two numbers to one, on wires of any shape."""

    def on(x: Wire, y: Wire) -> Wire:
        if x.space.carrier != REAL:
            raise OperationError(
                f"this error is one of real numbers, and the model has a wire in {x.space}: use quadratic"
            )
        whole = rule
        for length in reversed(x.shape):
            whole = batch(whole, length)
        result: Wire = whole(x, y)
        return result

    return on


def _round_trips(e: Discrepancy, carrier: Carrier) -> tuple[Diagram, Diagram]:
    x = Space((), carrier)
    there = trace((x, x), lambda a, g: e.slope(a, e.inverse(a, g)))
    return there, trace((x, x), lambda a, y: e.inverse(a, e.slope(a, y)))


@lru_cache(maxsize=256)
def _check(e: Discrepancy, carrier: Carrier) -> None:
    pairs = _points(carrier)
    slopes = _at(trace((Space((), carrier),) * 2, e.slope), pairs)
    there, back = (_at(trip, pairs) for trip in _round_trips(e, carrier))
    few = np.unique(slopes.astype(float))
    if len(few) < min(8, len({y for _, y in pairs})):
        values = ", ".join(f"{value:g}" for value in few)
        raise OperationError(
            f"the slope of '{e.name}' has no inverse: at {len(pairs)} points it takes only the values {values}, and a "
            "request must be found for each (LRN.invertibility); cl.supervised takes any loss"
        )
    for what, name, found in (("slope(x, inverse(x, g))", "g", there), ("inverse(x, slope(x, y))", "y", back)):
        for (x, y), value in zip(pairs, found.tolist(), strict=True):
            if not (abs(value - y) <= 1e-6 * (1.0 + abs(y)) if carrier == REAL else value == y):
                raise OperationError(
                    f"the inverse given for '{e.name}' is none: at x = {x:g}, {name} = {y:g} {what} is {value:g} and "
                    f"not {name}; inverse(x, g) must be the y at which the derivative of e(x, y) by x is g "
                    "(LRN.invertibility)"
                )


def _points(carrier: Carrier) -> list[tuple[Any, Any]]:
    """Pairs of values to try: all of a small carrier; of the reals some small, some large."""
    if carrier == REAL:
        random = np.random.default_rng(0)
        x, sizes = random.uniform(-4.0, 4.0, 64), 10.0 ** random.uniform(-2.0, 1.2, 64)
        return list(zip(x.tolist(), (random.choice((-1.0, 1.0), 64) * sizes).tolist(), strict=True))
    values = [v for v in range(-8, 9) if bool(np.all(carrier.contains(np.array(v))))]
    return [(x, y) for x in values for y in values]


def _at(f: Diagram, pairs: Sequence[tuple[Any, Any]]) -> np.ndarray:
    """The values of a map of two numbers at some points."""
    from catlearn.functors import Exact, Jax

    run = Exact() if Exact().covers(f) else Jax("float64")
    with np.errstate(all="ignore"):
        return np.asarray(run(batch(f, len(pairs)))(*map(np.array, zip(*pairs, strict=True))))


def _difference(x: Wire, y: Wire) -> Wire:
    return x - y


quadratic = Discrepancy("quadratic", _difference, _difference)
"""e = (x - y)**2 / 2: slope x - y, over any ring."""


def _cosh(x: Wire, y: Wire) -> Wire:
    return 0.5 * (functions.exp(x - y) + functions.exp(y - x)) - 1.0


def _arcsinh(g: Wire) -> Wire:
    """Of the positive part and of the negative one apart, so that nothing cancels; at 0 the slope goes to the first."""

    def branch(z: Wire) -> Wire:
        return functions.log(z + functions.sqrt(z * z + 1.0))

    return branch(functions.maximum(0.0, g)) - branch(functions.relu(-g))


hyperbolic = discrepancy("hyperbolic", _cosh, lambda x, g: x - _arcsinh(g))
"""e = cosh(x - y) - 1: slope sinh(x - y), so that what is far away pulls the more."""

logistic = discrepancy("logistic", lambda x, y: functions.softplus(x) - x * y, lambda x, g: functions.sigmoid(x) - g)
"""e = log(1 + exp(x)) - x y, the cross-entropy of a logit x and a label y: slope sigmoid(x) - y."""


def reason(error: Any) -> str:
    """Why what was given is no discrepancy."""
    if not isinstance(error, Loss):
        return f"the error is a Discrepancy, such as learn.quadratic or learn.discrepancy(..) gives; got {error!r}"
    advice = "cl.supervised(model, loss, optimiser) has no such condition"
    if not _separates(error):
        return (
            f"the loss '{error.name}' is no sum over entries of an error e(x, y), since its derivative in one entry "
            f"depends on the others; requests need such a sum (LRN.invertibility); {advice}"
        )
    return (
        f"the loss '{error.name}' comes without the inverse of its slope: use learn.quadratic, learn.hyperbolic, "
        f"learn.logistic, or learn.discrepancy(name, error, inverse); {advice}"
    )


def _separates(loss: Loss) -> bool:
    """Whether the derivative of a loss in the first entry of two stays when the second entry changes."""
    from catlearn.functors import Jax

    whole = loss.para(Space(2, REAL))
    if whole.parameter != whole.dom:
        return False
    back = Jax("float64")(reverse_derivative(whole.diagram))
    seed = np.ones(whole.cod[0].shape)
    first, second = (np.asarray(back([0.25, 0.5], [0.3, x], seed)[1])[0] for x in (0.7, -1.1))
    return bool(abs(first - second) < 1e-9)
