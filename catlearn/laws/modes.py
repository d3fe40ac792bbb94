"""Laws of the modes of differentiation: one derivative in every category of linear maps; Taylor; fixed points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, copy, discard, identity, swap, wiring
from catlearn.errors import OperationError
from catlearn.functions import add
from catlearn.functors.symbolic import Polynomial, Symbolic, variables
from catlearn.generators.arithmetic import Multiply
from catlearn.generators.contraction import Contract
from catlearn.generators.fixed_point import fixed_point
from catlearn.laws.derivatives import Operator, pair
from catlearn.laws.law import Law, apply, formula
from catlearn.reverse import dagger
from catlearn.semirings import INTEGERS, REAL
from catlearn.space import Object, Space, changes
from catlearn.substitution import plain
from catlearn.systems.linear_maps import FORWARD, MATRICES, REVERSE, Continuations, Dual, Linear, LinearMaps
from catlearn.systems.modes import (
    JACOBIANS,
    SECOND,
    derivative,
    differentiated,
    folded,
    forward,
    jacobian,
    reverse,
    second_derivative,
)
from catlearn.systems.taylor import expansion, taylor
from catlearn.tracing import Wire, trace

__all__ = ["MODES", "multiplications"]

ESSENCE = "Elliott, The simple essence of automatic differentiation (1804.00746)"
SERIES = "Griewank and Walther, Evaluating derivatives, chapter 13"
IMPLICIT = "Christianson, Reverse accumulation and attractive fixed points (1994)"


def _kinds(result: Object) -> tuple[LinearMaps, ...]:
    """The categories of linear maps, those of continuations into that object of changes."""
    return FORWARD, REVERSE, MATRICES, Continuations(REVERSE, result), Continuations(MATRICES, result)


At = Callable[[Sequence[Wire]], tuple[list[Wire], Linear]]


def _seen(maps: LinearMaps, dom: Object, cod: Object, at: At) -> Diagram:
    """The diagram of values and a linear map at a point, as `differentiated` makes it of D^."""

    def run(*wires: Wire) -> list[Wire]:
        values, slope = at(wires[: len(dom)])
        return [*values, *maps.run(slope, wires[len(dom) :])]

    return folded(dom + maps.arguments(changes(dom), changes(cod)), run)


def _functor(f: Diagram, g: Diagram, h: Diagram) -> Iterator[tuple[Diagram, Diagram]]:
    """D^ of f ; g, of f x h and of <f, h>, made of D^ of the parts in each category."""
    for maps in _kinds(changes(g.cod)):

        def chained(a: Sequence[Wire], maps: LinearMaps = maps) -> tuple[list[Wire], Linear]:
            b, first = derivative(f, maps)(a)
            c, second = derivative(g, maps)(b)
            return c, maps.compose(first, second)

        yield differentiated(f >> g, maps), _seen(maps, f.dom, g.cod, chained)
    for maps in _kinds(changes(f.cod + h.cod)):
        n = len(f.dom)

        def beside(a: Sequence[Wire], maps: LinearMaps = maps, n: int = n) -> tuple[list[Wire], Linear]:
            (b, first), (c, second) = derivative(f, maps)(a[:n]), derivative(h, maps)(a[n:])
            return [*b, *c], maps.beside(first, second)

        def forked(a: Sequence[Wire], maps: LinearMaps = maps, n: int = n) -> tuple[list[Wire], Linear]:
            values, both = beside([*a, *a], maps)
            return values, maps.compose(maps.wiring(changes(f.dom), [*range(n), *range(n)]), both)

        yield differentiated(f @ h, maps), _seen(maps, f.dom + h.dom, f.cod + h.cod, beside)
        yield differentiated(pair(f, h), maps), _seen(maps, f.dom, f.cod + h.cod, forked)


def _structure(A: Object, B: Object) -> Iterator[tuple[Diagram, Diagram]]:
    """Copies, exchanges, projections and sums have themselves as derivative, at any point."""
    n, m, changing = len(A), len(B), changes(A)
    structural = [
        (copy(A), [*range(n), *range(n)]),
        (swap(A, B), [*range(n, n + m), *range(n)]),
        (identity(A) @ discard(B), [*range(n)]),
    ]
    for f, wires in structural:
        for maps in _kinds(changes(f.cod)):
            slope = maps.wiring(changes(f.dom), wires)
            yield differentiated(f, maps), _constantly(maps, f, slope)
    for maps in _kinds(changing):
        slope = maps.joining(changing, [*range(n), *range(n)])
        yield differentiated(add(changing), maps), _constantly(maps, add(changing), slope)


def _constantly(maps: LinearMaps, f: Diagram, slope: Linear) -> Diagram:
    """a |-> (f a, slope)."""
    return _seen(maps, f.dom, f.cod, lambda a: (apply(f, a), slope))


def _linear(f: Diagram, R: Operator) -> Iterator[tuple[Diagram, Diagram]]:
    """f'(a) is f whatever a: forward it is f, backward its dagger, and the entries are those at zero."""
    yield forward(f), discard(f.dom) @ f
    yield reverse(f), discard(f.dom) @ dagger(f, R)
    entries = differentiated(f, MATRICES).select(range(len(f.cod), len(f.cod) * (1 + len(f.dom))))
    yield entries, discard(f.dom) >> functions.zero((), f.dom) >> entries


def _dual(f: Diagram, R: Operator, D: Operator) -> Iterator[Any]:
    n, m = len(f.dom), len(f.cod)
    A, B = changes(f.dom), changes(f.cod)
    slope, back = forward(f), reverse(f)
    yield differentiated(f, FORWARD).select(range(m)), (identity(f.dom) @ discard(A)) >> plain(f)
    yield slope, D(f)
    yield back, R(f)
    for maps in (FORWARD, REVERSE, MATRICES):
        whole = differentiated(f, maps)
        yield differentiated(f, Dual(Dual(maps))), whole
        yield differentiated(f, Continuations(maps, B)), whole
    blocks = differentiated(f, MATRICES).select(range(m, m + m * n))
    turned = differentiated(f, Dual(MATRICES))
    order = [m + i * m + j for j in range(m) for i in range(n)]
    yield (
        turned.select(order) >> trace(turned.select(order).cod, lambda *js: [functions.transpose(j) for j in js]),
        blocks,
    )

    def applied(a: Any, v: Any, d: Any) -> list[Any]:
        entries = apply(blocks, a)
        return [*_times(entries, v, B, "ij,j->i"), *_back(entries, d, A, m)]

    both = formula([f.dom, A, B], lambda a, v, d: [*apply(slope, a, v), *apply(back, a, d)])
    if len({space.carrier for space in (*A, *B)}) == 1:
        yield formula([f.dom, A, B], applied), both


def _times(blocks: list[Any], v: list[Any], cod: Object, subscripts: str) -> list[Any]:
    results = []
    for j, space in enumerate(cod):
        total = functions.zeros(space.with_shape((space.size,)))
        for i, part in enumerate(v):
            flat = functions.reshape(part, (part.space.size,))
            total = total + functions.einsum(subscripts, blocks[j * len(v) + i], flat)
        results.append(functions.reshape(total, space.shape))
    return results


def _back(blocks: list[Any], d: list[Any], dom: Object, m: int) -> list[Any]:
    n = len(dom)
    return _times([blocks[j * n + i] for i in range(n) for j in range(m)], d, dom, "ji,j->i")


def multiplications(f: Diagram) -> int:
    """How many products of two numbers a diagram computes."""
    counts = [0]
    for generator, _, _ in f.nodes:
        if isinstance(generator, Contract) and len(generator.inputs) > 1:
            counts.append((len(generator.inputs) - 1) * prod(generator.sizes))
        elif isinstance(generator, Multiply):
            counts.append(generator.space.size)
    return sum(counts)


def _largest(f: Diagram) -> int:
    """The most entries of a wire that is computed."""
    return max(space.size for generator, inputs, _ in f.nodes if inputs for space in generator.cod)


def _association() -> Iterator[tuple[Any, Any]]:
    """A chain of l matrices n x n, and a sum: the products of numbers, and the largest wire, in each mode.

    The values take l n^2 products. Backward there are as many again and no wire is larger than n; a matrix is made of
    unit changes by n^3, and l - 1 of them and the last row are multiplied from the input on, but rows by continuations.
    """
    for n, length in ((3, 2), (4, 5), (6, 3)):
        f, values = _chain(n, length), length * n * n
        for maps in (REVERSE, Continuations(REVERSE, f.cod)):
            back = differentiated(f, maps)
            yield (multiplications(back), _largest(back)), (2 * values, n)
        products = values + (2 * length - 1) * n**3 + n * n
        yield multiplications(differentiated(f, MATRICES)), products
        yield multiplications(differentiated(f, Continuations(MATRICES, f.cod))), 2 * values + length * n**3


def _chain(n: int, length: int) -> Diagram:
    space = Space((n, n), INTEGERS)

    def run(x: Wire) -> Wire:
        for k in range(length):
            weight = functions.constant(space, np.arange(n * n).reshape(n, n) % (k + 2))
            x = functions.einsum("ij,j->i", weight, x)
        return functions.sum(x)

    return trace(Space(n, INTEGERS), run)


def _second(f: Diagram) -> Iterator[tuple[Diagram, Diagram]]:
    first, *others = (second_derivative(f, mode) for mode in SECOND)
    for other in others:
        yield first, other


def _jacobians(f: Diagram) -> Iterator[tuple[Diagram, Diagram]]:
    """Of f, and of its square, where every path is met twice."""
    for g in (f, formula([f.dom], lambda a: [y * y for y in apply(f, a)])):
        if len({space.carrier for space in (*f.dom, *f.cod)}) == 1:
            first, *others = (jacobian(g, mode) for mode in JACOBIANS)
            for other in others:
                yield first, other


def _order(*maps: Diagram) -> int:
    """The order to try: 1 where a generator of one's own has no further jets, for want of a division."""
    try:
        for f in maps:
            taylor(f, 2)
    except OperationError:
        return 1
    return 3


def _series(f: Diagram, g: Diagram, h: Diagram) -> Iterator[tuple[Diagram, Diagram]]:
    order = _order(f, g, h)
    yield taylor(f >> g, order), taylor(f, order) >> taylor(g, order)
    yield taylor(identity(f.dom), order), identity(f.dom * (order + 1))
    n, m, p, q = len(f.dom), len(h.dom), len(f.cod), len(h.cod)
    apart = [*(j * (n + m) + i for j in range(order + 1) for i in range(n))]
    apart += [j * (n + m) + n + i for j in range(order + 1) for i in range(m)]
    beside = wiring((f.dom + h.dom) * (order + 1), apart) >> (taylor(f, order) @ taylor(h, order))
    after = (order + 1) * p
    together = [
        w for j in range(order + 1) for w in (*range(j * p, j * p + p), *range(after + j * q, after + j * q + q))
    ]
    yield taylor(f @ h, order), beside.select(together)


def _tangent(f: Diagram, D: Operator) -> Iterator[tuple[Diagram, Diagram]]:
    n = len(f.dom)
    yield taylor(f, 0), f
    yield taylor(f, 1), formula([f.dom, f.dom], lambda a, v: [*apply(f, a), *apply(D(f), a, v)])
    if _order(f) < 2:
        return
    yield (
        taylor(f, 3).select(range(2 * len(f.cod))),
        (identity(f.dom * 2) @ discard(f.dom * 2)) >> taylor(f, 1),
    )
    m, twice = len(f.cod), D(D(f))
    left = formula([f.dom] * 3, lambda a, v, u: [y + y for y in apply(taylor(f, 2), a, v, u)[2 * m :]])
    yield left, formula([f.dom] * 3, lambda a, v, u: apply(twice, a, v, v, [w + w for w in u]))
    straight = wiring(f.dom * 2, range(2 * n)) @ functions.zero((), f.dom)
    yield expansion(f, 2), straight >> taylor(f, 2)


def _coefficients(f: Diagram) -> Iterator[tuple[Any, Any]]:
    """f on the polynomials x + t v, read off by powers of t."""
    order = _order(f)
    dom = f.dom * 2
    names = variables(dom)
    n, count = len(f.dom), sum(space.size for space in dom)
    t = [Polynomial(space.carrier, {(("t", 1),): space.carrier.one}) for space in f.dom]
    moved = tuple(names[k] + names[n + k] * t[k] for k in range(n))
    functor = Symbolic()
    outputs = functor.interpret(functor.prepare(f), moved)
    entries = [entry for array in outputs for entry in np.asarray(array, object).flat]
    expected = tuple(_part(entry, k) for k in range(order + 1) for entry in entries)
    if expected and count:
        computed = functor.interpret(functor.prepare(expansion(f, order)), names)
        yield tuple(entry for array in computed for entry in np.asarray(array, object).flat), expected


def _part(polynomial: Polynomial, power: int) -> Polynomial:
    """The coefficient of that power of t."""
    terms = {
        tuple((name, e) for name, e in monomial if name != "t"): coefficient
        for monomial, coefficient in polynomial.terms.items()
        if dict(monomial).get("t", 0) == power
    }
    return Polynomial(polynomial.semiring, terms)


def _bodies() -> Iterator[Diagram]:
    """Contractions in their last inputs."""
    x, v = Space((), REAL), Space(2, REAL)
    yield trace((x, x), lambda p, x: 0.5 * x + p)
    yield trace(
        (x, x, v), lambda p, x, y: (0.3 * functions.sin(functions.sum(y)) + p, 0.4 * (x * functions.tanh(y)) + p)
    )


def _solved() -> Iterator[tuple[Diagram, Diagram]]:
    """x = f(p, x) at the fixed point, which does not depend on the start."""
    for body in _bodies():
        solve, k = fixed_point(body, tolerance=1e-14), len(body.dom) - len(body.cod)
        shared, state = body.dom[:k], body.cod
        yield formula([shared, state], lambda p, s, f=solve, g=body: apply(g, p, apply(f, p, s))), solve
        yield formula([shared, state], lambda p, s, f=solve: apply(f, p, [functions.zeros(w.space) for w in s])), solve


def _implicit(R: Operator) -> Iterator[tuple[Diagram, Diagram]]:
    """R and R of R of a fixed point are those of its steps written out."""
    for body in _bodies():
        solve, k = fixed_point(body, tolerance=1e-14), len(body.dom) - len(body.cod)
        steps = formula([body.dom[:k], body.cod], lambda p, s, g=body: _repeated(g, p, s))
        yield R(solve), R(steps)
        if len(body.dom) == 2:
            yield R(R(solve)), R(R(steps))


def _repeated(body: Diagram, shared: list[Wire], state: list[Wire], count: int = 50) -> list[Wire]:
    for _ in range(count):
        state = apply(body, shared, state)
    return state


def _law(name: str, statement: str, variables: str, sides: Callable[..., Any], source: str, *needs: str) -> Law:
    return Law(name, statement, source, variables, sides, needs)


MODES: tuple[Law, ...] = (
    _law("ESS.D", "D^(f ; g) = D^ f ; D^ g, D^(f x h) = D^ f x D^ h, D^<f, h> forks, in every category of linear maps",
        "f: A -> B, g: B -> C, h: A -> D", _functor, ESSENCE, "own"),
    _law("ESS.structure", "copies, exchanges, projections and sums are their own derivatives", "A, B", _structure,
        ESSENCE),
    _law("ESS.linear", "D^ f = a |-> (f a, f) for linear f", "f: A -o B", _linear, ESSENCE, "own", "add", "multiply"),
    _law("ESS.dual", "functions give D[f](a, -), their dual R[f](a, -), matrices J; continuations, k†† are as k",
        "f: A -> B", _dual, ESSENCE),
    _law("ESS.assoc", "backward as many products as forward and no larger wires; by Jacobians powers of them more", "",
        _association, ESSENCE, "shipped", "INTEGERS"),
    _law("ESS.second", "D[R[f](-, d)] = R[D[f](-, v)](-, d) = R[R[f](-, d)] as maps of (a, v, d)", "f: A -> B", _second,
        ESSENCE),
    _law("ESS.jacobian", "a Jacobian by columns, rows, two parts at the waist, or products is the same", "f: A -> B",
        _jacobians, ESSENCE, "own", "multiply"),
    _law("ESS.taylor", "T_n[f ; g] = T_n[f] ; T_n[g], T_n[f x g] = T_n[f] x T_n[g], T_n[1] = 1",
        "f: A -> B, g: B -> C, h: D -> E", _series, SERIES, "own"),
    _law("ESS.tangent", "T_0[f] = f, T_1[f] = (f, D[f]), which T_n begins with; twice order 2 is DD[f](a, v, v, 2 u)",
        "f: A -> B", _tangent, SERIES, "own"),
    _law("ESS.hasse", "the expansion is the coefficients of f(x + t v) in t, as polynomials", "f: A -> B",
        _coefficients, SERIES, "own", "exact"),
    _law("FIX.def", "x = f(p, x) at the fixed point, whatever the start", "", _solved, IMPLICIT, "shipped", "real"),
    _law("FIX.R", "R[fix f] and R[R[fix f]] are those of the steps written out", "", _implicit, IMPLICIT, "shipped",
        "real"),
)  # fmt: skip
"""The laws of modes, expansions and fixed points."""
