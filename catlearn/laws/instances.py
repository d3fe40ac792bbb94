"""Laws of the instances: smooth maps, polynomials, linear maps; what is not additive, not linear, not a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, discard, identity
from catlearn.functors.exact import Exact
from catlearn.functors.symbolic import polynomials
from catlearn.laws.derivatives import CF, RDC, Operator
from catlearn.laws.law import Law, Pair, apply, at_points, differ, formula
from catlearn.laws.oracles import by_differences, by_jax, denotes, element, formal_derivative, tuple_of
from catlearn.lens import Lens
from catlearn.reverse import dagger
from catlearn.semirings import DISCRETE, REAL, Z2, Discrete
from catlearn.space import Object, Space, changes
from catlearn.substitution import plain

__all__ = ["INSTANCES"]


def _derivative(f: Diagram, R: Operator) -> list[Any]:
    """R[f] against what does not know R: formal derivatives of polynomials, or `jax.vjp` and finite differences."""
    if not any(space.carrier == REAL for space in (*f.dom, *f.cod)):
        return [(polynomials(R(f)), formal_derivative(f))] if denotes(plain(f)) else []
    return [Pair(R(f), by_jax(f), partial=True), Pair(R(f), by_differences(f), tolerance=1e-5, partial=True)]


def _partial(f: Diagram, P: Object, R: Operator) -> list[Any]:
    """The parameter's part of R[f] is R of f with its other input held."""
    n, A, B = len(P), f.dom[len(P) :], f.cod
    part = R(f).select(range(n))
    pairs: list[Any] = [(part.cod, changes(P))]
    for k in range(n):
        held = [j for j in range(len(f.dom)) if j != k]
        outside = tuple(f.dom[j] for j in held)

        def one(x: Any, rest: Any, k: int = k) -> list[Any]:
            return apply(f, [*rest[:k], *x, *rest[k:]])

        def back(rest: Any, x: Any, d: Any, k: int = k) -> list[Any]:
            return [apply(part, [*rest[:k], *x, *rest[k:]], d)[k]]

        whole = formula([(f.dom[k],), outside], one)
        mine = formula([outside, (f.dom[k],), changes(B)], back)
        theirs = formula(
            [outside, (f.dom[k],), changes(B)],
            lambda rest, x, d, whole=whole: apply(R(whole), x, rest, d)[:1],
        )
        pairs.append((mine, theirs))
    return pairs if A or pairs else []


def _forward(f: Diagram, R: Operator, D: Operator) -> list[Any]:
    """R[R[f]](a, z, v) ; pi1 is the same for every z, and <d, D[f](a, v)> = <R[f](a, d), v>."""
    twice, n, m = R(R(f)), len(f.dom), len(f.cod)
    A, B = changes(f.dom), changes(f.cod)

    def any_slot(a: Any, z: Any, v: Any) -> list[Any]:
        return apply(twice, a, z, v)[n : n + m]

    slots = formula([f.dom, B, A], any_slot), formula([f.dom, B, A], lambda a, z, v: apply(D(f), a, v))
    if len({space.carrier for space in (*A, *B)}) != 1 or not A or not B:
        return [slots]
    forward = formula([f.dom, A, B], lambda a, v, d: [_dot(d, apply(D(f), a, v), B)])
    return [slots, (forward, formula([f.dom, A, B], lambda a, v, d: [_dot(apply(R(f), a, d), v, A)]))]


def _dot(left: list[Any], right: list[Any], spaces: Object) -> Any:
    total = functions.zeros(spaces[0].with_shape(()))
    for x, y in zip(left, right, strict=True):
        total = total + functions.sum(x * y)
    return total


def _cubic(x: Any) -> Any:
    return x * x * x + x * x


def _not_additive(A: Object) -> list[Pair]:
    """h(x) = x^2 + x^3 does not keep sums, though every map keeps them on the other side."""
    return [
        differ(
            formula([(s,), (s,)], lambda x, y: [_cubic(x[0] + y[0])]),
            formula([(s,), (s,)], lambda x, y: [_cubic(x[0]) + _cubic(y[0])]),
        )
        for s in A[:1]
    ]


def _affine(A: Object, R: Operator, D: Operator) -> list[Any]:
    """x + 1 has R = pi1 ; its dagger, and is not linear."""
    pairs: list[Any] = []
    for space in A[:1]:
        f = formula([(space,)], lambda x: [x[0] + 1])
        first = discard(space)
        pairs += [(R(f), first @ dagger(f)), differ(D(f), first @ f)]
    return pairs


def _frobenius(R: Operator, D: Operator) -> list[Any]:
    """Over Z2 the square is additive, and R of it is zero: additive is not linear."""
    bit = (Space((), Z2),)
    f = formula([bit], lambda x: [x[0] * x[0]])
    return [
        (formula([bit, bit], lambda x, y: apply(f, [x[0] + y[0]])),
         formula([bit, bit], lambda x, y: [apply(f, x)[0] + apply(f, y)[0]])),
        (R(f), functions.zero(bit + bit, bit)),
        differ(D(f), discard(bit) @ f),
    ]  # fmt: skip


def _worked(R: Operator) -> list[Any]:
    """f = (x1^3 + 2 x1 x2, x2, sin x1)."""
    x = (Space((), REAL),)
    f = formula([x, x], lambda a, b: [a[0] * a[0] * a[0] + 2.0 * a[0] * b[0], b[0], functions.sin(a[0])])

    def back(a: Any, b: Any, v: Any) -> list[Any]:
        return [v[0] * (3.0 * a[0] * a[0] + 2.0 * b[0]) + v[2] * functions.cos(a[0]), 2.0 * a[0] * v[0] + v[1]]

    return [(R(f), formula([x, x, x * 3], back))]


def _linear(f: Diagram, g: Diagram, R: Operator) -> list[Any]:
    """With dagger biproducts R[f] = pi1 ; f†."""
    return [(R(f >> g), discard(f.dom) @ (dagger(g) >> dagger(f)))]


def _layers(A: Object, R: Operator) -> list[Any]:
    """W x has the reverse (y x^T, W^T y), b + x has (y, y)."""
    pairs: list[Any] = []
    for space in A[:1]:
        matrix, row, column = (Space(shape, space.carrier) for shape in ((2, 3), 3, 2))
        f = formula([(matrix, row)], lambda w: [functions.einsum("ij,j->i", *w)])

        def back(w: Any, y: Any) -> list[Any]:
            return [functions.einsum("i,j->ij", y[0], w[1]), functions.einsum("ij,i->j", w[0], y[0])]

        bias = formula([(row, row)], lambda w: [w[0] + w[1]])
        pairs += [
            (R(f), formula([(matrix, row), (column,)], back)),
            (R(bias), formula([(row, row), (row,)], lambda w, y: [y[0], y[0]])),
        ]
    return pairs


def _kink(R: Operator) -> list[Any]:
    """relu(x) - relu(-x) is the identity function; its R at 0 is 0, for relu'(0) = 0."""
    x = (Space((), REAL),)
    f = formula([x], lambda w: [functions.relu(w[0]) - functions.relu(-w[0])])
    return [
        at_points(f, identity(x)),
        (float(R(f)(0.0, 1.0)), 0.0),
        (float(R(f)(0.5, 1.0)), 1.0),
    ]


def _rounding() -> list[Pair]:
    return [differ((0.1 + 0.2) + 0.3, 0.1 + (0.2 + 0.3))]


def _marks(f: Diagram, R: Operator) -> list[Any]:
    """A lawful diagram is its own plain map; a mark stays through composition, and is off in gets and in R."""
    puts = all(g.reversed is None or g.reversed.lawful for g, _, _ in f.nodes)
    return [
        (plain(f) == f, f.lawful),
        ((f >> identity(f.cod)).lawful, f.lawful),
        ((f @ f).lawful, f.lawful),
        (Lens.of(f).get, plain(f)),
        (Lens.of(f).get.lawful, True),
        (R(f).lawful or not puts, True),
    ]


def _values(f: Diagram) -> list[Any]:
    """What a diagram computes at a point is the value there of the polynomials that it denotes."""
    carriers = [space.carrier for space in f.dom for _ in range(space.size)]
    if len({space.carrier.name for space in (*f.dom, *f.cod)}) > 1 and "BITS" not in {c.name for c in carriers}:
        return []
    if not denotes(f):
        return []
    run, denoted = Exact()(f), polynomials(f)
    pairs = []
    for shift in range(4):
        point = [element(carrier, k * (shift + 1) + shift) for k, carrier in enumerate(carriers)]
        rest, inputs = list(point), []
        for space in f.dom:
            inputs.append(np.array(rest[: space.size], object).reshape(space.shape))
            rest = rest[space.size :]
        values = [v for array in tuple_of(run(*inputs)) for v in np.asarray(array, object).flat]
        pairs.append((values, [p.at({f"x{k}": v for k, v in enumerate(point)}) for p in denoted]))
    return pairs


def _sums(A: Object) -> list[Any]:
    """A sum over an axis is the sum of its entries, and a whole number n is n ones."""
    pairs: list[Any] = []
    for space in A[:1]:
        many = space.with_shape((5,))
        folded = formula([(many,)], lambda x: [x[0][0] + x[0][1] + x[0][2] + x[0][3] + x[0][4]])
        pairs.append(at_points(formula([(many,)], lambda x: [functions.sum(x[0])]), folded))
        scalar = space.with_shape(())
        for number in (0, 1, 2, 5, 6, 11):

            def ones(x: Any, scalar: Space = scalar, number: int = number) -> list[Any]:
                total = functions.zeros(scalar)
                for _ in range(number):
                    total = total + functions.constant(scalar, 1)
                return [total]

            def whole(x: Any, scalar: Space = scalar, number: int = number) -> list[Any]:
                return [functions.constant(scalar, number)]

            pairs.append(at_points(formula([()], whole), formula([()], ones)))
    return pairs


def _discrete() -> list[Any]:
    """A label is the vector with a one at its place, a counter counts by one, and both read as numbers."""
    label, counter = Space((), Discrete(3)), Space((), DISCRETE)
    run = [formula([(s,)], lambda w, f=f: [f(w[0])]) for s, f in (
        (label, functions.one_hot), (counter, functions.successor), (counter, functions.real))]  # fmt: skip
    hot, after, number = run
    return [
        *((np.asarray(hot(k)).tolist(), [float(j == k) for j in range(3)]) for k in range(3)),
        *((int(after(k)), k + 1) for k in (0, 1, 6)),
        *((float(number(k)), float(k)) for k in (0, 1, 6)),
    ]


INSTANCES: tuple[Law, ...] = (
    Law("CLAC.notright", "x^2 + x^3 after a sum is not the sum", RDC, "A", _not_additive, ("own", "add", "multiply")),
    Law("RD.derivative", "R[f](x, d) = J_f(x)^T d", RDC, "f: A -> B", _derivative, any_reverse=True),
    Law("RD.partial", "the derivative in the parameter alone is R[f] ; pi0", RDC, "f: P A -> B, P", _partial,
        any_reverse=True),
    Law("RD.D", "D[f](a, v) = pi1 R[R[f]](a, 0, v), whatever stands for 0; <d, D[f] v> = <R[f] d, v>", RDC,
        "f: A -> B", _forward, any_reverse=True),
    Law("DAG.affine", "R[f] = pi1 ; f† does not make f linear: x + 1", RDC, "A", _affine, ("own", "add", "multiply")),
    Law("DAG.frobenius", "over Z2 the square is additive, and R of it is 0", RDC, "", _frobenius, ("shipped", "Z2")),
    Law("INST.smooth", "f = (x1^3 + 2 x1 x2, x2, sin x1), R[f] = (v1 (3 x1^2 + 2 x2) + v3 cos x1, 2 x1 v1 + v2)", CF,
        "", _worked, ("shipped", "real")),
    Law("INST.poly", "R[f](x, y)_i = sum_j (d f_j / d x_i)(x) y_j, formally", RDC, "f: A -> B", _derivative,
        ("exact", "shipped")),
    Law("INST.lin", "R[f ; g] = pi1 ; g† ; f† on linear maps", RDC, "f: A -o B, g: B -o C", _linear,
        ("own", "add", "multiply")),
    Law("INST.dual", "R of W x is (y x^T, W^T y), R of b + x is (y, y)", CF, "A", _layers, ("own", "add", "multiply")),
    Law("INST.marks", "a mark stays through composition, and is off in gets and in R", CF, "f: A -> B", _marks),
    Law("INST.values", "what a diagram computes is the value of the polynomials that it denotes", RDC, "f: A -> B",
        _values, ("exact",)),
    Law("INST.sums", "a sum over an axis is that of its entries, and n is n ones", RDC, "A", _sums, ("own", "add")),
    Law("INST.discrete", "labels as vectors, counters, and both as numbers", CF, "", _discrete, ("shipped", "real")),
    Law("SMOOTH.kink", "relu(x) - relu(-x) is the identity, and R of it at 0 is 0", CF, "", _kink, ("shipped", "real")),
    Law("SMOOTH.float", "(0.1 + 0.2) + 0.3 is not 0.1 + (0.2 + 0.3) in floats", CF, "", _rounding, ("shipped", "real")),
)  # fmt: skip
"""The laws of the instances."""
