"""The categories that mutants are looked for in: small, and built anew each time, since generators keep their reverse.

A generator of an indexing or contracting kind is checked over the integers, where polynomials are compared exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from catlearn import functions, losses, optimisers
from catlearn.diagram import Diagram
from catlearn.generators.batching import Map
from catlearn.generators.indexing import Scatter, positions
from catlearn.generators.scan import scan
from catlearn.generators.surrogate import clip_change, surrogate
from catlearn.laws import Category, polynomial_category
from catlearn.laws.categories import _bits as shipped_bits
from catlearn.rigs import BOOLEAN, MIN_PLUS, NATURALS, Saturating
from catlearn.semirings import BITS, DISCRETE, INTEGERS, REAL, Z2, Carrier, Discrete, Modular
from catlearn.space import Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = [
    "averaging", "batching", "bits", "boolean", "classes", "clipped", "concatenating", "contracting",
    "counters", "dotting",
    "gathering", "including", "integers", "labels", "mapping", "min_plus", "naturals", "negating", "norm_clipped",
    "objective", "optimising", "permuting", "real", "reals", "reshaping", "saturating", "scaled", "scanning", "slicing",
    "smooth", "squares", "subtracting", "vectors", "voting", "weighing", "z2", "z3", "z4", "zeros",
]  # fmt: skip

Make = Callable[[], Category]


def _plain(carrier: Carrier) -> Make:
    """Polynomials without losses and optimisers."""
    return lambda: replace(polynomial_category(carrier), losses=(), optimisers=())


def z2() -> Category:
    """Polynomials over Z2, with exclusive or and ascent."""
    return polynomial_category(Z2)


def z3() -> Category:
    """Polynomials over the integers modulo 3."""
    return polynomial_category(Modular(3))


def z4() -> Category:
    """Polynomials over the integers modulo 4, with the difference and ascent."""
    return polynomial_category(Modular(4))


integers, naturals, boolean, saturating, min_plus = map(_plain, (INTEGERS, NATURALS, BOOLEAN, Saturating(3), MIN_PLUS))


def bits() -> Category:
    """Bits with integer changes: and, exclusive or, not, and the inclusion."""
    bit = Space((), BITS)
    gates = (
        trace((bit, bit), functions.multiply),
        trace((bit, bit), functions.xor),
        trace(bit, functions.invert),
        trace(bit, functions.include),
    )
    return Category("bits", (bit, bit.changes), gates)


def voting() -> Category:
    """Bits with integer changes, with the tables, thresholds and signs that ship."""
    return replace(shipped_bits(), name="voting")


def including() -> Category:
    """The inclusion of bits in integers, alone."""
    return _over("including", ((Space((), BITS),), functions.include))


def _over(name: str, *gates: tuple[tuple[Space, ...], Callable[..., Any]]) -> Category:
    """The category of some traced functions, on the spaces that they mention."""
    diagrams = tuple(trace(dom, function) for dom, function in gates)
    spaces = tuple(dict.fromkeys(space for gate in diagrams for space in (*gate.dom, *gate.cod)))
    return Category(name, spaces, diagrams, any(space.carrier == REAL for space in spaces), about=("->",))


_X = Space((), REAL)
_N = Space((), INTEGERS)


def smooth(*functions_of: Callable[..., Wire]) -> Make:
    """Functions of one or two real numbers, and multiplication."""

    def make() -> Category:
        gates = [((_X,) * f.__code__.co_argcount, f) for f in functions_of]
        return _over("smooth", *gates, ((_X, _X), lambda x, y: x * y))

    return make


def classes() -> Category:
    """The logarithm of softmax on vectors."""
    vector = Space(2, REAL)
    return _over("classes", ((vector,), functions.log_softmax), ((vector, vector), lambda x, y: x * y))


def subtracting() -> Category:
    """Differences over the integers."""
    return _over("subtracting", ((_N, _N), lambda x, y: x - y), ((_N, _N), lambda x, y: x * y))


def negating() -> Category:
    """Negation of integers, alone."""
    return _over("negating", ((_N,), lambda x: -x))


def zeros() -> Category:
    """x (x + 0) and x (0 - x), with their zeros written out."""
    return _over("zeros", ((_N,), lambda x: x * (x + 0)), ((_N,), lambda x: x * (0 - x)))


def contracting() -> Category:
    """Sums of products of integers: dot, outer, sum, broadcast."""
    row, table = Space(2, INTEGERS), Space((2, 2), INTEGERS)
    return _over(
        "contracting",
        ((row, row), lambda x, y: functions.einsum("i,i->", x, y)),
        ((table, row), lambda w, x: functions.einsum("ij,j->i", w, x)),
        ((row,), functions.sum),
        ((_N,), lambda x: functions.broadcast(x, (2,))),
    )


def averaging() -> Category:
    """Sums and repetitions of real numbers."""
    row = Space(2, REAL)
    return _over("averaging", ((row,), functions.sum), ((_X,), lambda x: functions.broadcast(x, (2,))))


def dotting() -> Category:
    """The dot product of two vectors of integers, alone."""
    row = Space(2, INTEGERS)
    return _over("dotting", ((row, row), lambda x, y: functions.einsum("i,i->", x, y)))


def permuting() -> Category:
    """A cyclic permutation of three axes."""
    cube = Space((2, 2, 2), INTEGERS)
    return _over("permuting", ((cube,), lambda x: functions.transpose(x, (1, 2, 0))))


def gathering() -> Category:
    """Gathering with repeated positions, and its transpose."""
    row = Space(3, INTEGERS)
    spread = Scatter(row, 0, positions([2, 0, 0]), 3)
    return _over(
        "gathering",
        ((row,), lambda x: functions.gather(x, [1, 1, 0])),
        ((row,), lambda x: apply_generator(spread, x)),
        ((row, row), lambda x, y: x * y),
    )


def slicing() -> Category:
    """A slice that is not in the middle."""
    row = Space(4, INTEGERS)
    return _over("slicing", ((row,), lambda x: x[1:4]), ((row, row), lambda x, y: x * y))


def concatenating() -> Category:
    """Two vectors joined."""
    row = Space(2, INTEGERS)
    return _over("concatenating", ((row, row), lambda x, y: functions.concatenate([x, y])))


def reshaping() -> Category:
    """A square made a row."""
    table = Space((2, 2), INTEGERS)
    return _over("reshaping", ((table,), lambda x: functions.reshape(x, (4,))), ((table, table), lambda x, y: x * y))


def squares() -> Category:
    """Vectors as long as the batches of PARA.batch, so that a confused batch axis is typed."""
    row = Space(3, INTEGERS)
    return _over(
        "squares",
        ((row, row), lambda x, y: functions.einsum("i,j->ij", x, y)),
        ((row, row), lambda x, y: x * y),
        ((row,), lambda x: functions.broadcast(functions.sum(x), (3,))),
    )


def vectors() -> Category:
    """Integers and vectors of them."""
    row = Space(2, INTEGERS)
    return _over("vectors", ((_N, row), lambda a, x: a * x), ((row,), functions.sum))


def _times() -> Diagram:
    """Multiplication as a node without a batched form."""
    put = trace((_N,) * 3, lambda x, y, d: (y * d, x * d))
    return surrogate("times", trace((_N, _N), lambda x, y: x * y), put, additive=True)


def mapping() -> Category:
    """A map of multiplication, one factor shared."""
    pair = Space(2, INTEGERS)
    node = Map(_times(), 2, (False, True)).diagram
    return Category("mapping", (_N, pair), (node,), about=("->",))


def batching() -> Category:
    """Scalars with a node that only a map batches."""
    return Category("batching", (_N,), (_times(), functions.add(_N)), about=("->",))


def scanning() -> Category:
    """s -> w s + x, emitting s x, along two items."""
    body = trace((_N, _N, _N), lambda w, s, x: (w * s + x, s * x))
    return Category("scanning", (_N, Space(2, INTEGERS)), (scan(body, 2, 1, 1),), about=("->",))


def counters() -> Category:
    """A counter, its successor, and its value as a real number."""
    count = Space((), DISCRETE)
    return _over("counters", ((count,), functions.successor), ((count, _X), lambda n, x: functions.real(n) * x))


def labels() -> Category:
    """A label as a vector."""
    return _over("labels", ((Space((), Discrete(2)), Space(2, REAL)), lambda k, x: functions.one_hot(k) * x))


def clipped() -> Category:
    """A node whose put is not additive; what it breaks is declared."""
    broken = ("RD.2", "RD.6", "RD.D", "DAG.context", "LENS.copynat", "RD.derivative")
    gates = (clip_change(_X, 1.0), functions.add(_X))
    return Category("clipped", (_X,), gates, True, dict.fromkeys(broken, "not additive"), about=("->", "=o", "=>"))


def scaled() -> Category:
    """A node whose put is three times the derivative."""
    node = surrogate("triple", trace(_X, lambda x: x), trace((_X, _X), lambda x, d: 3.0 * d), additive=True)
    breaks = {"RD.derivative": "the cotangent is tripled"}
    return Category("scaled", (_X,), (node, functions.add(_X)), True, breaks, about=("->", "=o", "=>"))


def weighing() -> Category:
    """A product whose reverse has a fixed weight, and which its own reverse reads."""
    put = trace((_X,) * 3, lambda w, x, d: (d * x, 0.5 * d))
    node = surrogate("weigh", trace((_X, _X), functions.multiply), put, additive=True)
    return Category("weighing", (_X,), (node,), True, {"RD.derivative": "a fixed weight"}, about=("->",))


def real() -> Category:
    """The real numbers, a product and a sine; closed statements about them are checked too."""
    return Category("real", (_X,), (trace((_X, _X), functions.multiply), trace(_X, functions.sin)), True)


def reals() -> Category:
    """The real numbers without generators, for closed statements."""
    return Category("reals", (_X,), (), True)


def optimising(*makers: Callable[[], optimisers.Optimiser]) -> Make:
    """Real numbers without generators, with those optimisers and the quadratic loss."""

    def make() -> Category:
        chosen = tuple(maker() for maker in makers)
        return Category("optimising", (_X,), (), True, losses=(losses.quadratic,), optimisers=chosen)

    return make


def norm_clipped() -> Category:
    """Vectors, with clipping by the norm over all parameters together."""
    norm = optimisers.optimiser("clipped by norm", optimisers.clip_by_norm(0.5) >> optimisers.scale(0.1))
    joint = {"OPT.tensor": "the norm is over all parameters together"}
    spaces = (_X, Space(2, REAL))
    return Category("norm clipped", spaces, (), True, joint, optimisers=(norm,), about=("optimiser",))


def objective(*names: str, spaces: tuple[Space, ...] = (_X, Space(2, REAL))) -> Make:
    """Real numbers and vectors, a product, and those losses."""

    def make() -> Category:
        gates = tuple(trace((space, space), functions.multiply) for space in spaces)
        return Category("objective", spaces, gates, True, losses=tuple(getattr(losses, name) for name in names))

    return make
