"""The categories that ship with catlearn, each with its generators and what it declares of itself.

The last five are a ledger: each breaks laws on purpose, says which and why, and is checked both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from catlearn import functions, losses, optimisers
from catlearn.diagram import Diagram
from catlearn.errors import UnknownNameError, nearest
from catlearn.generators.counting import popcount, positive
from catlearn.generators.multiplexer import choose
from catlearn.generators.surrogate import clip_change, surrogate
from catlearn.generators.tables import read
from catlearn.generators.thresholds import at_least
from catlearn.laws.circuits import boolean_difference
from catlearn.laws.strategies import Category
from catlearn.rigs import BOOLEAN, MIN_PLUS, NATURALS, RATIONALS, TROPICAL_INTEGERS, Saturating
from catlearn.semirings import BITS, INTEGERS, REAL, Z2, Carrier, Modular
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["CATEGORIES", "MORPHISMS", "SMOOTH", "category", "polynomial_category"]


def polynomial_category(carrier: Carrier, name: str | None = None) -> Category:
    """Polynomial circuits over a semiring: addition, multiplication and, in a ring, negation (CIRC.gen).

    Its loss is the difference (over Z2, exclusive or), its optimiser ascent.
    """
    x = Space((), carrier)
    gates: list[Diagram] = [functions.add(x), trace((x, x), functions.multiply)]
    objective: tuple[Any, ...] = ()
    if carrier.has("negate"):
        gates.append(trace(x, functions.negate))
        objective = (losses.exclusive_or if carrier == Z2 else losses.difference,)
    return Category(name or carrier.name, (x,), tuple(gates), losses=objective, optimisers=(optimisers.ga(),))


def _vector(wires: Sequence[Wire]) -> Wire:
    return functions.concatenate([functions.reshape(wire, (1,)) for wire in wires])


def _looked_up(a: Wire, b: Wire, x: Wire, y: Wire) -> Wire:
    """A table of one input at two places, and one of two inputs that reads what comes of them."""
    both = read(functions.reshape(_vector((a, b)), (1, 2)), _vector((x, y)), [[[0]], [[1]]])
    entries = functions.reshape(_vector((a, b, b, x)), (1, 4))
    return functions.reshape(read(entries, functions.reshape(both, (2,)), [[1, 0]]), ())


def _bits() -> Category:
    bit, number = Space((), BITS), Space((), INTEGERS)
    gates = (
        trace((bit, bit), functions.multiply),
        trace((bit, bit), functions.xor),
        trace(bit, functions.invert),
        trace(bit, functions.include),
        functions.add(number),
        trace((number, number), functions.multiply),
        trace((bit, bit, bit), choose),
        trace((bit, number, number), choose),
        trace((bit,) * 4, _looked_up),
        trace((bit,) * 3, lambda *x: at_least(2, _vector(x), np.arange(3))),
        trace((bit, bit), lambda *x: popcount(_vector(x))),
        trace(number, positive),
    )
    return Category("BITS", (bit, number), gates)


_X, _V = Space((), REAL), Space(2, REAL)
_GATES = (
    functions.add(_X),
    trace((_X, _X), functions.multiply),
    trace((_V, _V), functions.multiply),
    trace(_V, functions.tanh),
    trace(_X, functions.sin),
    trace(_V, functions.sum),
    trace((_V, _V), lambda x, y: functions.einsum("i,i->", x, y)),
    trace((_X, _V), lambda a, x: a * x),
)
_LOSSES = (
    losses.quadratic,
    losses.mean_squared_error,
    losses.softmax_cross_entropy,
    losses.label_cross_entropy,
    losses.sigmoid_cross_entropy,
    losses.dot,
    losses.difference,
)
_OPTIMISERS = (
    optimisers.gd(0.1),
    optimisers.momentum(0.1, 0.9),
    optimisers.nesterov(0.1, 0.9),
    optimisers.nesterov_flat(0.1, 0.9),
    optimisers.adagrad(0.1, 1e-3),
    optimisers.adagrad_inside(0.1),
    optimisers.rmsprop(0.1, 0.9, 1e-3),
    optimisers.rmsprop_inside(0.1),
    optimisers.adam(0.1),
    optimisers.adamw(0.1, weight_decay=0.1),
    optimisers.optimiser("clipped", optimisers.clip(0.5) >> optimisers.scale(0.1)),
)
SMOOTH = Category("SMOOTH", (_X, _V), _GATES, True, losses=_LOSSES, optimisers=_OPTIMISERS)
"""Smooth maps of vectors, with the shipped losses and optimisers."""


MORPHISMS = ("->", "-o", "=o", "=>")
"""The kinds of variable that stand for morphisms: laws with none are about carriers, or closed statements."""


def _ledger() -> list[Category]:
    plus, times = _GATES[:2]
    sign = surrogate("sign", trace(_X, functions.sign), trace((_X, _X), lambda x, d: d), additive=True)
    fixed = surrogate("weigh", times, trace((_X,) * 3, lambda w, x, d: (d * x, 0.5 * d)), additive=True)
    triple = surrogate("triple", trace(_X, lambda x: x), trace((_X, _X), lambda x, d: 3.0 * d), additive=True)
    uneven = "clipping does not keep sums of cotangents"
    nodes = {
        "straight-through": (sign, {"RD.derivative": "its reverse is not the dagger of its derivative, which is zero"}),
        "feedback": (
            fixed,
            {
                "RD.derivative": "a fixed weight stands for the one that is learnt",
                "RD.7": "no map has this reverse: its second derivative would not be symmetric",
                "CD.7": "as RD.7",
                "ESS.second": "as RD.7",
                "ESS.tangent": "as RD.7",
            },
        ),
        "scaled": (triple, {"RD.derivative": "the cotangent is tripled"}),
        "clipped": (
            clip_change(_X, 1.0),
            dict.fromkeys(
                ("RD.2", "RD.6", "RD.D", "DAG.context", "LENS.copynat", "RD.derivative", "ESS.jacobian"), uneven
            ),
        ),
    }
    marked = [
        Category(name, (_X,), (node, plus), True, breaks, about=MORPHISMS) for name, (node, breaks) in nodes.items()
    ]
    norm = optimisers.optimiser("clipped by norm", optimisers.clip_by_norm(0.5) >> optimisers.scale(0.1))
    joint = {"OPT.tensor": "the norm is over all parameters together"}
    by_norm = Category("norm clipped", (_X, _V), _GATES, True, joint, optimisers=(norm,), about=("optimiser",))
    bit = polynomial_category(Z2)
    no_chain = "copy ; and is the identity function, whose difference is d; composing the differences gives d + d"
    breaks = dict.fromkeys(("RD.5", "CD.5", "LENS.R"), no_chain)
    breaks["RD.derivative"] = "of x x it gives d, and the derivative is 2 x d = 0"
    difference = Category("Boolean difference", bit.spaces, bit.gates, False, breaks, boolean_difference)
    return [*marked, by_norm, difference]


CATEGORIES: dict[str, Category] = {
    each.name: each
    for each in (
        polynomial_category(Z2),
        polynomial_category(Modular(3), "Z3"),
        polynomial_category(Modular(4), "Z4"),
        polynomial_category(Modular(6), "Z6"),
        polynomial_category(INTEGERS),
        polynomial_category(RATIONALS),
        polynomial_category(NATURALS),
        polynomial_category(BOOLEAN),
        polynomial_category(Saturating(3), "Sat3"),
        polynomial_category(MIN_PLUS),
        polynomial_category(TROPICAL_INTEGERS),
        _bits(),
        SMOOTH,
        *_ledger(),
    )
}
"""The categories by name."""


def category(name: str) -> Category:
    """The category of that name; raises `UnknownNameError` naming the nearest."""
    if name not in CATEGORIES:
        raise UnknownNameError(f"no category is called {name!r}: {nearest(name, CATEGORIES)}")
    return CATEGORIES[name]
