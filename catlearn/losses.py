"""Losses, their caps, and penalties on parameters.

A loss on B is a parametrised map B -> L whose parameter is the label (LOSS.def): `e : Y x B -> L`, label first. It
carries its default *cap*, a lens (L, L') -> (1, 1) that turns the loss's value into the first cotangent (CAP.def):
constant -1 over REAL and for integer losses, so that what comes back is the downhill direction; the identity for
exclusive or. Optimisers always add, and nothing but the cap holds a sign (OPT.sign, convention C3).

Losses add (`loss + loss`), scale (`0.5 * loss`), and take penalties (`loss + l2(1e-4)`).

>>> from catlearn.semirings import REAL
>>> three = Space(3, REAL)
>>> float(mean_squared_error.para(three).morphism([0, 0, 1.0], [0, 0, 4.0]))
3.0

Source: Cruttwell et al. (2103.01931), definitions 3.3 and 3.8; two printed formulas there are wrong (ERR.1, ERR.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import mul
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import CatlearnError, OperationError
from catlearn.lens import Lens, Sides, constant_lens
from catlearn.para import Para
from catlearn.semirings import REAL, Discrete
from catlearn.space import Object, Space, as_object, show_object
from catlearn.tracing import Wire, trace

__all__ = [
    "Cap",
    "Loss",
    "Penalty",
    "constant_cap",
    "difference",
    "dot",
    "exclusive_or",
    "identity_cap",
    "l1",
    "l2",
    "label_cross_entropy",
    "mean_squared_error",
    "negation_cap",
    "quadratic",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "unlabelled",
]


@dataclass(frozen=True)
class Cap:
    """The end of a learner: a map alpha : L -> L' on wires, and how it weighs one sample of a batch.

    `rule(l, weight)` is the cotangent for the loss l, times `weight` (1/n over REAL in a batch of n, one elsewhere).
    `value` is the number of a constant cap, which says all of it.
    """

    name: str
    rule: Callable[[Wire, Any], Wire]
    value: int | float | None = None

    def lens(self, spaces: Space | Iterable[Space], batch: int = 1) -> Lens:
        """The lens (L, L') -> (1, 1) for losses of those spaces, each one sample of a batch of that size."""
        sides = Sides.of(spaces)

        def put(*wires: Wire) -> list[Wire]:
            weights = [wire.space.changes.carrier.weight_of_one_in(batch) for wire in wires]
            return [self.rule(wire, weight) for wire, weight in zip(wires, weights, strict=True)]

        return constant_lens(sides, trace(sides.forward, put))


def constant_cap(value: int | float) -> Cap:
    """alpha(l) = value (CAP.const): -1 descends, +1 ascends."""

    def rule(loss: Wire, weight: Any) -> Wire:
        space = loss.space.changes
        return functions.constant(space, value if weight == space.carrier.one else value * weight)

    return Cap(f"constant {value}", rule, value)


def _weighted(sign: int) -> Callable[[Wire, Any], Wire]:
    def rule(loss: Wire, weight: Any) -> Wire:
        change = functions.include(loss)
        change = change if weight == change.space.carrier.one else change * weight
        return change if sign > 0 else -change

    return rule


identity_cap = Cap("identity", _weighted(1))
"""alpha(l) = l (CAP.id)."""

negation_cap = Cap("negation", _weighted(-1))
"""alpha(l) = -l: over REAL, with the difference as loss, gradient descent on half its square (CAP.lossdep)."""

Matches = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Penalty:
    """A loss on the parameters alone, one scalar for all of them, counted once a batch."""

    name: str
    strength: float
    rule: Callable[[Wire], Wire]

    def diagram(self, spaces: Object) -> Diagram:
        """`P -> REAL`: the strength times the sum over the parameter wires."""

        def total(*wires: Wire) -> Wire:
            result = functions.constant(Space((), REAL), 0.0)
            for wire in wires:
                result = result + self.strength * functions.sum(self.rule(wire))
            return result

        return trace(spaces, total)


def _like_the_prediction(space: Space) -> Space:
    """The label is a value of the prediction's own space."""
    return space


@dataclass(frozen=True)
class Loss:
    """A loss: `error(label, prediction)` on wires, one pair at a time, so that L has a wire for each wire of B.

    `label(space)` is the space of the label for a prediction of that space, None where there is none; `cap` the default
    cap; `matches(xp, label, prediction)` says for each row of a batch, of one wire, whether the prediction is right, or
    what share of it.
    """

    name: str
    error: Callable[[Wire, Wire], Wire]
    cap: Cap
    matches: Matches
    label: Callable[[Space], Space | None] = _like_the_prediction
    penalties: tuple[Penalty, ...] = ()

    def __repr__(self) -> str:
        return f"<loss {self.name}>"

    def labels(self, outputs: Space | Iterable[Space]) -> Object:
        """The object of labels for predictions of those spaces."""
        spaces = [self.label(space) for space in as_object(outputs)]
        return tuple(space for space in spaces if space is not None)

    def para(self, outputs: Space | Iterable[Space]) -> Para[Diagram]:
        """The parametrised map B -> L whose parameter is the label."""
        spaces = as_object(outputs)
        labels = self.labels(spaces)
        n = len(labels)

        def error(*wires: Wire) -> list[Wire]:
            try:
                if not n:
                    return [self.error(guess, guess) for guess in wires]
                return [self.error(label, guess) for label, guess in zip(wires[:n], wires[n:], strict=True)]
            except CatlearnError as mistake:
                raise OperationError(
                    f"the loss '{self.name}' does not fit {show_object(spaces)}: {mistake}"
                ) from mistake

        if not spaces:
            raise OperationError(f"{self.name} needs a prediction; the model has no output")
        return Para(labels, spaces, trace(labels + spaces, error))

    def __add__(self, other: Loss | Penalty) -> Loss:
        """With a penalty, or the sum of two losses on the same label; the first one's cap and accuracy are kept."""
        if isinstance(other, Penalty):
            return replace(self, name=f"{self.name} + {other.name}", penalties=(*self.penalties, other))
        if not isinstance(other, Loss):
            return NotImplemented
        return replace(
            self,
            name=f"{self.name} + {other.name}",
            error=lambda label, guess: self.error(label, guess) + other.error(label, guess),
            penalties=self.penalties + other.penalties,
        )

    def __rmul__(self, factor: float) -> Loss:
        """The loss and its penalties times a number."""
        return replace(
            self,
            name=f"{factor} {self.name}",
            error=lambda label, guess: self.error(label, guess) * factor,
            penalties=tuple(replace(p, strength=factor * p.strength) for p in self.penalties),
        )

    def correct(self, xp: Any, labels: Sequence[Any], guesses: Sequence[Any]) -> Any:
        """For each row of a batch, whether the predictions on all wires count as right; of shares, their product.

        Without labels nothing can be right or wrong: not a number.
        """
        if not labels:
            return xp.full(len(guesses[0]), float("nan"))
        right = [self.matches(xp, label, guess) for label, guess in zip(labels, guesses, strict=True)]
        return reduce(mul, right)


def _rows(array: Any) -> Any:
    return array.reshape(array.shape[0], math.prod(array.shape[1:]))


def _largest(xp: Any, label: Any, guess: Any) -> Any:
    """The largest entry of the prediction stands where that of the label does; one entry alone is cut at a half."""
    label, guess = _rows(label), _rows(guess)
    if guess.shape[1] < 2:
        return xp.all((label > 0.5) == (guess > 0.5), axis=1)
    return _place(xp, label) == _place(xp, guess)


def _place(xp: Any, rows: Any) -> Any:
    """Where the first largest entry of each row stands: an argmax, of reductions that compile in half the time."""
    count = rows.shape[-1]
    top = rows.max(axis=-1, keepdims=True)
    return xp.where(rows == top, xp.arange(count), count).min(axis=-1)


def _largest_at(xp: Any, label: Any, guess: Any) -> Any:
    right = _place(xp, guess) == label
    return right if right.ndim == 1 else _rows(right).mean(axis=1)


def _same_sign(xp: Any, label: Any, guess: Any) -> Any:
    return xp.all((_rows(label) > 0.5) == (_rows(guess) > 0), axis=1)


def _all_equal(xp: Any, label: Any, guess: Any) -> Any:
    return xp.all(_rows(label) == _rows(guess), axis=1)


def _descend(name: str, error: Callable[[Wire, Wire], Wire], matches: Matches = _largest, **more: Any) -> Loss:
    return Loss(name, error, constant_cap(-1), matches, **more)


def _square(label: Wire, guess: Wire) -> Wire:
    return functions.sum(functions.square(guess - label))


def _classes(space: Space) -> Space:
    if not space.shape or not space.shape[-1]:
        raise OperationError(f"a class label needs a vector of scores, at least one; the model gives {space}")
    return Space(space.shape[:-1], Discrete(space.shape[-1]))


def _of_labels(label: Wire, guess: Wire) -> Wire:
    total = functions.sum(functions.one_hot(label) * functions.log_softmax(guess))
    return total * (-1.0 / max(label.space.size, 1))


def _sum_softplus(label: Wire, guess: Wire) -> Wire:
    return functions.sum(functions.softplus(guess) - label * guess)


quadratic = _descend("quadratic", lambda label, guess: _square(label, guess) * 0.5)
"""e = 1/2 sum (b_p - b_t)^2 (LOSS.quadratic)."""

mean_squared_error = _descend(
    "mean squared error", lambda label, guess: _square(label, guess) * (1.0 / max(guess.space.size, 1))
)
"""e = 1/n sum (b_p - b_t)^2 over the n components of one sample (LOSS.mse)."""

softmax_cross_entropy = _descend(
    "softmax cross-entropy", lambda label, guess: -functions.sum(label * functions.log_softmax(guess))
)
"""e = -sum (b_t)_i log softmax(b_p)_i, the label a vector of weights (LOSS.softmaxce)."""

label_cross_entropy = _descend(
    "label cross-entropy",
    _of_labels,
    _largest_at,
    label=_classes,
)
"""Softmax cross-entropy whose label is a class number, a discrete space; of a sequence, the mean over its places."""

sigmoid_cross_entropy = _descend("sigmoid cross-entropy", _sum_softplus, _same_sign)
"""e = -sum b_t log s(b_p) + (1 - b_t) log(1 - s(b_p)), on logits (LOSS.sigmoidbce)."""

dot = Loss("dot", lambda label, guess: functions.sum(label * guess), constant_cap(1), _largest)
"""e = b_t . b_p (LOSS.dot), to be climbed: its cap is +1."""

unlabelled = Loss("unlabelled", lambda _, guess: guess, constant_cap(1), _all_equal, label=lambda space: None)
"""e = b_p, the model's own output, without a label, to be climbed: its cap is +1."""

exclusive_or = Loss("exclusive or", lambda label, guess: label + guess, identity_cap, _all_equal)
"""e = b_t + b_p over Z2, with L = B (LOSS.xor); its cap is the identity."""

difference = Loss("difference", lambda label, guess: guess - label, negation_cap, _all_equal)
"""e = b_p - b_t over a ring, with L = B; its cap negates, so that ascent adds what was missing (RDA.step)."""


def l2(strength: float) -> Penalty:
    """strength / 2 times the sum of the squares of the parameters."""
    return Penalty("l2", strength, lambda p: 0.5 * (p * p))


def l1(strength: float) -> Penalty:
    """strength times the sum of the absolute values of the parameters."""
    return Penalty("l1", strength, functions.absolute)


def accuracy(loss: Loss, labels: Sequence[Any], guesses: Sequence[Any]) -> float:
    """The share of rows that the loss counts as right, in per cent; a prediction that is not finite is wrong."""
    predicted = [np.asarray(v) for v in guesses]
    right = np.asarray(loss.correct(np, [np.asarray(v) for v in labels], predicted))
    for array in predicted:
        if array.dtype.kind == "f":
            right = right * np.isfinite(_rows(array)).all(axis=1)
    return 100.0 * float(right.mean()) if right.size else float("nan")
