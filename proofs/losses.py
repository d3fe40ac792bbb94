"""Bounded in length: the reverse of every real loss is its formula, for vectors of up to three entries.

The library's own diagram of R[e] runs on symbols for the label, the prediction and the cotangent; it is compared with
the formula and with SymPy's derivative of the loss. Bounded in the length of the vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from catlearn import losses
from catlearn.functors.expressions import equal, expressions, symbols
from catlearn.losses import Loss
from catlearn.proving import shown
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Space

THEOREM = "The reverse derivative of each loss is the formula that the catalogue states."
METHOD = "the library's own R[e] on SymPy symbols, against the formula and against sympy.diff"
SCOPE = "vectors of 1 to 3 entries, all real labels, predictions and cotangents; bounded in the length"
LAWS = ("LOSS.quadratic", "LOSS.mse", "LOSS.softmaxce", "LOSS.sigmoidbce", "LOSS.dot", "LOSS.def")
Vector = list[Any]


def _softmax(p: Vector) -> Vector:
    total = sum(sympy.exp(x) for x in p)
    return [sympy.exp(x) / total for x in p]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + sympy.exp(-x))


FORMULAS: dict[str, tuple[Loss, Callable[[Vector, Vector, Any], Vector]]] = {
    "LOSS.quadratic": (losses.quadratic, lambda t, p, a: [a * (y - x) for x, y in zip(t, p, strict=True)]),
    "LOSS.mse": (
        losses.mean_squared_error,
        lambda t, p, a: [2 * a * (y - x) / len(p) for x, y in zip(t, p, strict=True)],
    ),
    "LOSS.softmaxce": (
        losses.softmax_cross_entropy,
        lambda t, p, a: [a * (q * sum(t) - x) for x, q in zip(t, _softmax(p), strict=True)],
    ),
    "LOSS.sigmoidbce": (
        losses.sigmoid_cross_entropy,
        lambda t, p, a: [a * (_sigmoid(y) - x) for x, y in zip(t, p, strict=True)],
    ),
    "LOSS.dot": (losses.dot, lambda t, p, a: [a * x for x in t]),
}
"""The part of R[e] that goes to the prediction."""


def prove() -> list[str]:
    """One line a loss."""
    lines = []
    for identifier, (loss, formula) in FORMULAS.items():
        for n in (1, 2, 3):
            e = loss.para(Space(n, REAL)).morphism
            inputs = symbols((*e.dom, *e.cod))
            label, guess, (seed,) = (list(array.flat) for array in inputs)
            value = expressions(e, inputs[:2])[0]
            back = expressions(reverse_derivative(e), inputs)
            wanted = formula(label, guess, seed)
            good = all(equal(x, y) for x, y in zip(back[n:], wanted, strict=True))
            shown(good, f"{identifier} for {n} entries")
            by_sympy = [seed * sympy.diff(value, x) for x in (*label, *guess)]
            good = all(equal(x, y) for x, y in zip(back, by_sympy, strict=True))
            shown(good, f"{identifier} against sympy.diff for {n} entries")
        lines.append(f"{identifier}: R[{loss.name}] is its formula and its derivative, 1 to 3 entries")
    return lines
