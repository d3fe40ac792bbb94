"""Laws of other backward passes: what each keeps of add, map, dagger and 7, and what it breaks, on the shipped nodes.

The columns are `added`, `daggered`, `exchanged`, and for "map" two diagrams that denote one map and have other puts.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from catlearn import functions, layers
from catlearn.diagram import Diagram, copy, discard, identity
from catlearn.functors.jax import Jax
from catlearn.generators.elementwise import Function
from catlearn.generators.surrogate import clip_change, surrogate
from catlearn.laws.derivatives import Operator, _exchange
from catlearn.laws.law import Law, Pair, apply, at_points, differ, formula
from catlearn.para import Para
from catlearn.semirings import INTEGERS, REAL, Carrier
from catlearn.space import Object, Space, changes
from catlearn.substitution import plain
from catlearn.systems import straight_through
from catlearn.systems.backward import with_backward
from catlearn.systems.feedback import error_lens
from catlearn.tracing import trace

__all__ = ["BACKWARD", "added", "at_reals", "daggered", "exchanged", "of_zero"]

FA = "Lillicrap et al., Random synaptic feedback weights support error backpropagation (2016)"
DFA = "Nokland, Direct feedback alignment provides learning in deep neural networks (1609.01596)"
STE = "Bengio et al., Estimating or propagating gradients through stochastic neurons (1308.3432)"
FEW = "Novikov et al., Few-bit backward: quantized gradients of activation functions (2202.00441)"
FORWARD = "Baydin et al., Gradients without backpropagation (2202.08587)"
OURS = "catlearn"
X, V, N = Space((), REAL), Space(2, REAL), Space((), INTEGERS)


def added(f: Diagram, R: Operator) -> tuple[Diagram, Diagram]:
    """put(a, y + z) and put(a, y) + put(a, z)."""
    A, B = f.dom, changes(f.cod)
    left = formula([A, B, B], lambda a, y, z: apply(R(f), a, [b + c for b, c in zip(y, z, strict=True)]))
    right = formula(
        [A, B, B], lambda a, y, z: [b + c for b, c in zip(apply(R(f), a, y), apply(R(f), a, z), strict=True)]
    )
    return left, right


def daggered(f: Diagram, R: Operator) -> tuple[Diagram, Diagram]:
    """The put, and the dagger of the derivative of what is computed."""
    return R(f), R(plain(f))


def exchanged(f: Diagram, D: Operator) -> tuple[Diagram, Diagram]:
    """The second derivative, and it with its directions exchanged."""
    return D(D(f)), _exchange(f.dom) >> D(D(f))


def of_zero(f: Diagram, R: Operator) -> tuple[Diagram, Diagram]:
    """put(a, 0) and 0."""
    return identity(f.dom) @ functions.zero((), changes(f.cod)) >> R(f), functions.zero(f.dom, changes(f.dom))


def _surrogate(f: Diagram, g: Diagram, h: Diagram, R: Operator, D: Operator) -> list[Any]:
    """The node of f with R[g]: it computes f, comes back as g does, and copies are natural where g's put adds."""
    node = surrogate("f", f, R(g), additive=g.additive)
    A, C = f.dom, changes(h.cod)
    mixed = formula([A, C], lambda a, c: apply(R(g), a, apply(R(h), apply(plain(f), a), c)))
    pairs: list[Any] = [(plain(node), plain(f)), (R(node), R(g)), (R(node >> h), mixed)]
    if g.additive:
        pairs += [(R(node >> copy(f.cod)), R(copy(A) >> (node @ node))), (D(node), D(g))]
    return pairs


def _surrogate_breaks(R: Operator, D: Operator) -> list[Any]:
    """The square with the identity's put: one map by two names has two puts; a composite is no R of a map."""
    x = (N,)
    square, plus = trace(x, lambda a: a * a), trace(x + x, lambda a, b: a + b)
    node = surrogate("square", square, R(identity(x)), additive=True)
    product_ = surrogate("product", trace(x + x, lambda a, b: a * b), R(plus), additive=True)
    return [
        added(node, R),
        of_zero(node, R),
        differ(*daggered(node, R)),
        (plain(node), square),
        differ(R(node), R(square)),
        exchanged(node, D),
        exchanged(product_, D),
        differ(*exchanged(product_ >> square, D)),
    ]


def _feedback(A: Object, R: Operator, D: Operator) -> list[Any]:
    """On x W over the carrier; B is a wire, so the equations hold for every B."""
    return [*_one_layer(A[0].carrier, R, D), *_two_layers(A[0].carrier, R)] if len(A) == 1 else []


def _one_layer(carrier: Carrier, R: Operator, D: Operator) -> list[Any]:
    exact = layers.linear(1, 2, carrier=carrier)
    f = with_backward(exact, "feedback alignment").diagram
    W, B, x = ((space,) for space in f.dom)

    def put(w: Any, b: Any, x: Any, d: Any) -> list[Any]:
        outer = functions.einsum("i,o->io", x[0], d[0])
        return [outer, functions.zeros(b[0].space), functions.einsum("io,o->i", b[0], d[0])]

    last = formula([W, B, x, f.cod], lambda w, b, x, d: apply(R(exact.diagram), w, x, d)[:1])
    return [
        (plain(f), formula([W, B, x], lambda w, b, x: apply(exact.diagram, w, x))),
        (R(f), formula([W, B, x, f.cod], put)),
        (R(f).select([0]), last),
        added(f, R),
        of_zero(f, R),
        differ(*daggered(f, R)),
        differ(*exchanged(f, D)),
    ]


def _two_layers(carrier: Carrier, R: Operator) -> list[Any]:
    """W2 after W1: W2 changes exactly, W1 by B2; and one matrix by two is another put for the same map."""
    exact = layers.linear(1, 2, carrier=carrier) >> layers.linear(2, 1, carrier=carrier)
    f = with_backward(exact, "feedback alignment").diagram
    w2, w1, b1, b2, x = ((space,) for space in f.dom)  # later parameters first; further ones in the order of the nodes
    last = formula([f.dom, f.cod], lambda a, d: apply(R(exact.diagram), [a[0], a[1], a[4]], d)[:1])
    first = formula(
        [f.dom, f.cod], lambda a, d: [functions.einsum("i,o->io", a[4], functions.einsum("io,o->i", a[3], d[0]))]
    )
    one = with_backward(layers.linear(1, 1, carrier=carrier), "feedback alignment").diagram
    merged = formula(
        [w2, w1, b1, b2, x],
        lambda w2, w1, b1, b2, x: apply(one, [w1[0] @ w2[0]], [b1[0] @ b2[0]], x),
    )
    return [
        (R(f).select([0]), last),
        (R(f).select([1]), first),
        (plain(merged), plain(f)),
        differ(R(merged).select([1]), R(f).select([1])),
    ]


def _errors(f: Diagram, g: Diagram, m: Diagram, P: Object, Q: Object, R: Operator) -> list[Any]:
    """The composite of the lenses (A, E) of two layers: each is changed by the error of the output alone."""
    A, E = f.dom[len(P) :], changes(g.cod)
    first, last = Para(P, A, f), Para(Q, f.cod, g)
    whole = error_lens(first, m) >> error_lens(last, identity(E))
    direct = formula(
        [Q, P, A, E],
        lambda q, p, a, e: [
            *apply(R(g), q, apply(plain(f), p, a), e)[: len(Q)],
            *apply(R(f), p, a, apply(m, e))[: len(P)],
            *e,
        ],
    )
    return [(whole.morphism.put, direct), (whole.morphism.get, plain((first >> last).diagram))]


def _chain(R: Operator, D: Operator) -> list[Any]:
    """A model of three layers put on by one call is the composite of its layers' lenses; add is kept, † broken."""
    sizes = (2, 3, 2, 1)
    parts = [layers.linear(n, m, carrier=INTEGERS) for n, m in pairwise(sizes)]
    exact = parts[0] >> parts[1] >> parts[2]
    f = with_backward(exact, "direct feedback alignment").diagram
    w3, w2, w1, b1, b2, x = f.dom
    e = f.cod[0]

    def put(w3: Any, w2: Any, w1: Any, b1: Any, b2: Any, x: Any, e: Any) -> list[Any]:
        h1 = x[0] @ w1[0]
        outer = [
            functions.einsum("i,o->io", h1 @ w2[0], e[0]),
            functions.einsum("i,o->io", h1, functions.einsum("ho,o->h", b2[0], e[0])),
            functions.einsum("i,o->io", x[0], functions.einsum("ho,o->h", b1[0], e[0])),
        ]
        return [*outer, *(functions.zeros(b[0].space) for b in (b1, b2))]

    whole = error_lens(parts[0], _fixed([[1], [2], [-1]])) >> error_lens(parts[1], _fixed([[3], [-2]]))
    lens = (whole >> error_lens(parts[2], identity(e))).morphism
    same = formula(
        [(w3,), (w2,), (w1,), (x,), (e,)],
        lambda w3, w2, w1, x, e: apply(R(f), w3, w2, w1, _matrix([[1], [2], [-1]]), _matrix([[3], [-2]]), x, e)[:3],
    )
    return [
        (R(f).select(range(5)), formula([(w3,), (w2,), (w1,), (b1,), (b2,), (x,), (e,)], put)),
        (lens.put.select(range(3)), same),
        (R(f).select([0]), formula([f.dom, (e,)], lambda a, e: apply(R(exact.diagram), a[:3], a[5:], e)[:1])),
        (plain(f), formula([f.dom], lambda a: apply(exact.diagram, a[:3], a[5:]))),
        added(f, R),
        differ(*daggered(f, R)),
    ]


def _matrix(rows: list[list[int]]) -> list[Any]:
    return [functions.constant(Space((len(rows), len(rows[0])), INTEGERS), np.array(rows))]


def _fixed(rows: list[list[int]]) -> Diagram:
    return trace(Space(len(rows[0]), INTEGERS), lambda e: functions.einsum("ho,o->h", _matrix(rows)[0], e))


def _flat(space: Space) -> list[Any]:
    return [Function(space, "sign"), Function(space, "step"), straight_through.Rounded(space)]


def _rounds(R: Operator, D: Operator) -> list[Any]:
    pairs: list[Any] = []
    for generator in _flat(X):
        node = straight_through.straight(generator)
        pairs += [
            (plain(node), generator.diagram),
            (R(node), discard(X) @ identity(X)),
            (R(node), R(identity(X))),
            (D(node), D(identity(X))),
            added(node, R),
            of_zero(node, R),
            exchanged(node, D),
            differ(*daggered(node, R)),
        ]
    sign = straight_through.straight(Function(X, "sign"))
    doubled = trace(X, lambda a: a + a) >> sign
    return [*pairs, at_points(plain(doubled), plain(sign)), differ(R(doubled), R(sign))]


A_POINTS = np.array([-3.0, -1.5, -1.0, -0.5, 0.0, 0.25, 1.0, 1.25, 2.0])
D_POINTS = np.array([-2.0, 3.0, 1.0, 0.5, -1.0, 2.0, 4.0, -3.0, 1.5])
ROW = Space(len(A_POINTS), REAL)


def _clipped(R: Operator, D: Operator) -> list[Any]:
    """d where |a| <= 1, the edges among it, at points; off the edges that is R of hard tanh."""
    pairs: list[Any] = []
    (hard,) = at_reals(R(layers.activation("hard_tanh", ROW)), A_POINTS, D_POINTS)
    inside = np.where(abs(A_POINTS) <= 1, D_POINTS, 0.0).tolist()
    edges = [k for k, a in enumerate(A_POINTS) if abs(a) == 1]
    for generator in _flat(ROW):
        node = straight_through.straight(generator, 1.0)
        (came,) = at_reals(R(node), A_POINTS, D_POINTS)
        pairs += [
            (came, inside),
            (plain(node), generator.diagram),
            differ(came, at_reals(R(plain(node)), A_POINTS, D_POINTS)[0]),
        ]
        pairs += [(came[k], hard[k]) for k in range(len(came)) if k not in edges]
        single = straight_through.straight(replace(generator, space=X), 1.0)
        pairs += [added(single, R), of_zero(single, R), exchanged(single, D)]
    sign = straight_through.straight(Function(ROW, "sign"), 1.0)
    doubled = trace(ROW, lambda a: a + a) >> sign
    pairs.append((at_reals(plain(doubled), A_POINTS), at_reals(plain(sign), A_POINTS)))
    return [*pairs, differ(at_reals(R(doubled), A_POINTS, D_POINTS), at_reals(R(sign), A_POINTS, D_POINTS))]


def at_reals(f: Diagram, *point: Any) -> list[Any]:
    """What a diagram makes of a point, in 64-bit floats."""
    made = Jax("float64")(f)(*point)
    return [np.asarray(value).tolist() for value in (made if isinstance(made, tuple) else (made,))]


def _twice(R: Operator) -> list[Any]:
    """sign ; sign = sign, and the puts agree, at points on, at and off the edges."""
    pairs: list[Any] = []
    for bound in (None, 1.0, 2.0):
        node = straight_through.straight(Function(ROW, "sign"), bound)
        pairs.append((at_reals(plain(node >> node), A_POINTS), at_reals(plain(node), A_POINTS)))
        pairs.append((at_reals(R(node >> node), A_POINTS, D_POINTS), at_reals(R(node), A_POINTS, D_POINTS)))
    return pairs


def _clips(R: Operator) -> list[Any]:
    """Neither clipping nor normalising adds: where it stands matters, and next to the optimiser all laws are kept."""
    pairs: list[Any] = []
    for node in (
        clip_change(V, 0.5),
        straight_through.normalise_change(V),
        straight_through.normalise_change(V, 0.5),
    ):
        twice, once = copy(V) >> (node @ node), node >> copy(V)
        pairs += [(plain(node), identity(V)), differ(*added(node, R)), differ(R(twice), R(once)), (len(twice.nodes), 2)]
    cut = at_reals(R(clip_change(ROW, 1.0)), A_POINTS, D_POINTS)
    pairs.append((cut, [np.clip(D_POINTS, -1, 1).tolist()]))
    unit, most = straight_through.normalise_change(V), straight_through.normalise_change(V, 2.0)
    for vector, one, two in (
        ([3.0, -4.0], [0.6, -0.8], [1.2, -1.6]),
        ([0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
        ([0.0, 0.5], [0.0, 1.0], [0.0, 0.5]),
    ):
        for node, wanted in ((unit, one), (most, two)):
            came = at_reals(R(node), [1.0, 1.0], vector)[0]
            pairs.append((bool(np.allclose(came, wanted, atol=1e-12)), True))
    return [*pairs, *_beside_the_optimiser()]


def _beside_the_optimiser() -> list[Any]:
    """A step with clipping in the optimiser moves by the clipped change; the model's own R stays additive."""
    from catlearn import losses, optimisers
    from catlearn.learner import supervised
    from catlearn.para import parametrised

    model = parametrised("scale", {"w": X}, X, lambda w, x: w * x)
    rule = optimisers.optimiser("clipped", optimisers.clip(0.5) >> optimisers.scale(1.0))
    step = supervised(model, losses.quadratic, rule).step()
    pairs: list[Any] = []
    for w, y, x in ((1.0, 2.0, 3.0), (1.0, 1.25, 1.0), (-2.0, 0.5, 1.0)):
        change = max(-0.5, min(0.5, (y - w * x) * x))
        pairs.append((at_reals(step, w, y, x, *_settings(rule)), [w + change]))
    return pairs


def _settings(rule: Any) -> list[float]:
    return [wire.start for wire in rule.context((X,)) if not wire.stored]


def _reversed(f: Diagram, R: Operator, D: Operator) -> list[Any]:
    """c d for c = -1 and 0, on any map: its whole reverse turns its sign, or is zero."""
    A, B = f.dom, changes(f.cod)
    if not B or not f.additive:
        return []
    turned = with_backward(f, "reversal").diagram
    still = with_backward(f, "stop", at="output").diagram
    minus = formula([A, B], lambda a, d: [-w for w in apply(R(f), a, d)])
    node: Any = identity()
    for space in f.cod:
        node = node @ straight_through.scale_change(space, -1)
    return [
        (R(turned), minus),
        (R(still), functions.zero(A + B, changes(A))),
        (plain(turned), plain(f)),
        added(node, R),
        of_zero(node, R),
        exchanged(node, D),
    ]


def _scaled(R: Operator, D: Operator) -> list[Any]:
    """c d over the reals: additive, R of c x, and the dagger for c = 1 alone."""
    pairs: list[Any] = []
    for c in (1, -1, 0, 0.5, 3.0):
        node = straight_through.scale_change(V, c)
        exact = Pair(*daggered(node, R)) if c == 1 else differ(*daggered(node, R))
        pairs += [(R(node), R(trace(V, lambda x, c=c: float(c) * x))), added(node, R), exchanged(node, D), exact]
    return pairs


_RING = ("own", "add", "multiply")
_REALS = ("shipped", "real")
BACKWARD: tuple[Law, ...] = (
    Law("BWD.surrogate", "get f, put R[g]: R[node ; h](a, c) = R[g](a, R[h](f(a), c)), and D[node] = D[g]", OURS,
        "f: A -> B, g: A -> B, h: B -> C", _surrogate),
    Law("BWD.surrogate.marks", "one node keeps add and 7; composites do not keep 7, nor names map or dagger", OURS, "",
        _surrogate_breaks, ("shipped", "INTEGERS")),
    Law("BWD.fa", "((W, x), d) -> (x d^T, B d) for every B; the last layer's W' is exact; not map, dagger, 7", FA, "A",
        _feedback, _RING),
    Law("BWD.dfa", "lenses (A, E): (p, a, e) -> (R[f_k](p, a, B_k e) ; pi_P, e) compose to direct feedback", DFA,
        "f: P A -> B, g: Q B -> C, m: C' -o B', P, Q", _errors, ("own",)),
    Law("BWD.dfa.chain", "put on a model it is the composite of its layers' lenses; add, not dagger", DFA, "", _chain,
        ("shipped", "INTEGERS")),
    Law("BWD.ste", "sign, step and round with the put d: R of the identity; not map (2 ; sign = sign), not dagger", STE,
        "", _rounds, _REALS),
    Law("BWD.ste.clip", "the put d [|a| <= 1]: R of hard tanh; not map, not dagger", STE, "", _clipped, _REALS),
    Law("BWD.ste.idem", "sign ; sign = sign is kept by both puts", STE, "", _twice, _REALS),
    Law("BWD.clip", "clip and d / |d| do not add: clip twice, then copy, differ; in the optimiser R is kept", OURS, "",
        _clips, _REALS),
    Law("BWD.reversal", "the put -d turns R[f], 0 stops it: additive, R of -x and of a constant", OURS, "f: A -> B",
        _reversed, ("own", "add", "negate")),
    Law("BWD.reversal.scale", "c d is R of c x, and exact for c = 1 alone", OURS, "", _scaled, _REALS),
)  # fmt: skip
"""The laws of other backward passes."""
