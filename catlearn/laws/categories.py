"""The categories that ship with catlearn, each with its generators and what it declares of itself."""

from __future__ import annotations

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.generators.surrogate import clip_change, surrogate
from catlearn.laws.strategies import Category
from catlearn.semirings import BITS, INTEGERS, REAL, Z2, Carrier, Modular
from catlearn.space import Space
from catlearn.tracing import trace

__all__ = ["CATEGORIES", "category", "polynomial_category"]


def polynomial_category(carrier: Carrier, name: str | None = None) -> Category:
    """Polynomial circuits over a semiring: addition, multiplication and, in a ring, negation (CIRC.gen)."""
    x = Space((), carrier)
    gates: list[Diagram] = [functions.add(x), trace((x, x), functions.multiply)]
    if carrier.has("negate"):
        gates.append(trace(x, functions.negate))
    return Category(name or carrier.name, (x,), tuple(gates))


def _bits() -> Category:
    bit, number = Space((), BITS), Space((), INTEGERS)
    gates = [
        trace((bit, bit), functions.multiply),
        trace((bit, bit), functions.xor),
        trace(bit, functions.invert),
        trace(bit, functions.include),
        functions.add(number),
        trace((number, number), functions.multiply),
    ]
    return Category("BITS", (bit, number), tuple(gates))


_X, _V = Space((), REAL), Space(2, REAL)
_SMOOTH = (
    functions.add(_X),
    trace((_X, _X), functions.multiply),
    trace((_V, _V), functions.multiply),
    trace(_V, functions.tanh),
    trace(_X, functions.sin),
    trace(_V, functions.sum),
    trace((_V, _V), lambda x, y: functions.einsum("i,i->", x, y)),
    trace((_X, _V), lambda a, x: a * x),
)


def _straight_through() -> Category:
    """Rounding to a sign whose reverse passes the cotangent on (BWD.ste)."""
    node = surrogate("sign", trace(_X, functions.sign), trace((_X, _X), lambda x, d: d), additive=True)
    why = "the reverse of the sign is not its derivative, which is zero"
    return Category("straight-through", (_X,), (node, functions.add(_X)), True, {"RD.derivative": why})


def _clipped() -> Category:
    """A clip of the cotangent as a node (BWD.clip)."""
    why = "clipping does not keep sums of cotangents"
    breaks = dict.fromkeys(("RD.2", "RD.6", "DAG.context", "LENS.copynat", "RD.derivative"), why)
    return Category("clipped", (_X,), (clip_change(_X, 1.0), functions.add(_X)), True, breaks)


CATEGORIES: dict[str, Category] = {
    each.name: each
    for each in (
        polynomial_category(Z2),
        polynomial_category(Modular(3), "Z3"),
        polynomial_category(Modular(4), "Z4"),
        polynomial_category(INTEGERS),
        _bits(),
        Category("SMOOTH", (_X, _V), _SMOOTH, True),
        _straight_through(),
        _clipped(),
    )
}
"""The categories by name."""


def category(name: str) -> Category:
    """The category of that name; raises `UnknownNameError` naming the nearest."""
    from catlearn.errors import UnknownNameError, nearest

    if name not in CATEGORIES:
        raise UnknownNameError(f"no category is called {name!r}: {nearest(name, CATEGORIES)}")
    return CATEGORIES[name]
