"""Laws of the category Learn, and of the functor to it from parametrised maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, identity, permute, swap
from catlearn.laws.derivatives import Operator
from catlearn.laws.law import Law, Pair, apply, differ, formula
from catlearn.laws.learners import model
from catlearn.lens import Lens, Sides
from catlearn.para import Para
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.systems.discrepancy import Discrepancy, hyperbolic, logistic, quadratic
from catlearn.systems.learn import LearnMorphism, from_lens, gradient_learner
from catlearn.tracing import Wire

__all__ = ["LEARN"]

BF = "Fong, Spivak and Tuyéras (1711.10455)"
LL = "Fong and Johnson, Lenses and learners (1903.03671)"
FIRST = "i: P A -> B, u: P A B -> P, r: P A B -> A"
SECOND = "j: Q B -> C, v: Q B C -> Q, s: Q B C -> B"
THIRD = "k: S C -> E, w: S C E -> S, t: S C E -> C"
BESIDE = "j: Q C -> E, v: Q C E -> Q, s: Q C E -> C"
X = Space((), REAL)


def _parts(f: LearnMorphism) -> tuple[Any, ...]:
    return f.parameter, f.implement, f.update, f.request


def _same(f: LearnMorphism, g: LearnMorphism) -> list[Any]:
    return list(zip(_parts(f), _parts(g), strict=True))


def _typed(i: Diagram, u: Diagram, r: Diagram, P: Object, A: Object, B: Object) -> list[Any]:
    f = LearnMorphism(P, i, u, r)
    return [*zip(_parts(f), (P, i, u, r), strict=True), ((f.dom, f.cod), (A, B))]


def _composite(
    i: Diagram, u: Diagram, r: Diagram, j: Diagram, v: Diagram, s: Diagram, P: Object, Q: Object, A: Object, C: Object
) -> list[Any]:
    """With b = I(p, a): J(q, b); (U(p, a, s(q, b, c)), V(q, b, c)); r(p, a, s(q, b, c))."""
    whole = LearnMorphism(P, i, u, r) >> LearnMorphism(Q, j, v, s)

    def update(p: Any, q: Any, a: Any, c: Any) -> list[Wire]:
        b = apply(i, p, a)
        return [*apply(u, p, a, apply(s, q, b, c)), *apply(v, q, b, c)]

    def request(p: Any, q: Any, a: Any, c: Any) -> list[Wire]:
        return apply(r, p, a, apply(s, q, apply(i, p, a), c))

    return [
        (whole.parameter, P + Q),
        (whole.implement, formula([P, Q, A], lambda p, q, a: apply(j, q, apply(i, p, a)))),
        (whole.update, formula([P, Q, A, C], update)),
        (whole.request, formula([P, Q, A, C], request)),
    ]


def _identity(A: Object) -> list[Any]:
    one = LearnMorphism.identity(A)
    return [
        (one.parameter, ()),
        (one.implement, formula([A], lambda a: a)),
        (one.update, formula([A, A], lambda a, b: [])),
        (one.request, formula([A, A], lambda a, b: b)),
    ]


def _tensor(i: Diagram, u: Diagram, r: Diagram, j: Diagram, v: Diagram, s: Diagram, P: Object, Q: Object) -> list[Any]:
    f, g = LearnMorphism(P, i, u, r), LearnMorphism(Q, j, v, s)
    whole, datum = f @ g, [P, Q, f.dom, g.dom, f.cod, g.cod]
    return [
        (whole.parameter, P + Q),
        (whole.implement, formula(datum[:4], lambda p, q, a, c: [*apply(i, p, a), *apply(j, q, c)])),
        (whole.update, formula(datum, lambda p, q, a, c, b, e: [*apply(u, p, a, b), *apply(v, q, c, e)])),
        (whole.request, formula(datum, lambda p, q, a, c, b, e: [*apply(r, p, a, b), *apply(s, q, c, e)])),
    ]


def _associative(
    i: Diagram, u: Diagram, r: Diagram, j: Diagram, v: Diagram, s: Diagram, k: Diagram, w: Diagram, t: Diagram,
    P: Object, Q: Object, S: Object,
) -> list[Any]:  # fmt: skip
    f, g, h = LearnMorphism(P, i, u, r), LearnMorphism(Q, j, v, s), LearnMorphism(S, k, w, t)
    return _same((f >> g) >> h, f >> (g >> h))


def _unital(i: Diagram, u: Diagram, r: Diagram, P: Object, A: Object, B: Object) -> list[Any]:
    f, one = LearnMorphism(P, i, u, r), LearnMorphism.identity
    return [*_same(one(A) >> f, f), *_same(f >> one(B), f), *_same(one() @ f, f), *_same(f @ one(), f)]


def _lenses(
    i: Diagram, u: Diagram, r: Diagram, j: Diagram, v: Diagram, s: Diagram, P: Object, Q: Object, A: Object
) -> list[Any]:
    """Both ways inverse to each other, and functors after P x Q <-> Q x P."""
    f, g = LearnMorphism(P, i, u, r), LearnMorphism(Q, j, v, s)
    exchanged = (f >> g).to_lens().reparametrise(Lens.swap(Sides(Q, Q), Sides(P, P)))
    lens = Para(Sides(P, P), Sides(A, A), Lens(i, _paired(f)))
    return [
        (f.to_lens(), lens),
        (exchanged, f.to_lens() >> g.to_lens()),
        ((f @ g).to_lens(), f.to_lens() @ g.to_lens()),
        *_same(from_lens(f.to_lens()), f),
        (from_lens(lens).to_lens(), lens),
        (LearnMorphism.identity(A).to_lens(), Para.of(Lens.identity(Sides(A, A)))),
    ]


def _paired(f: LearnMorphism) -> Diagram:
    wires = [f.parameter, f.dom, f.cod]
    return formula(wires, lambda p, a, b: [*apply(f.update, p, a, b), *apply(f.request, p, a, b)])


def _functorial(f: Diagram, g: Diagram, P: Object, Q: Object, A: Object) -> list[Any]:
    """L of a composite is the composite of L, likewise of a tensor; L(1) asks for what is asked of it."""
    one, two = model(f, P), model(g, Q)
    pairs = [*_same(gradient_learner(one >> two), gradient_learner(one) >> gradient_learner(two))]
    pairs += _same(gradient_learner(one @ two), gradient_learner(one) @ gradient_learner(two))
    return [*pairs, *_same(gradient_learner(identity(A)), LearnMorphism.identity(A))]


def _smooth(w: Wire, x: Wire) -> Wire:
    return functions.tanh(w * x) + 0.5 * functions.sin(w)


def _layers() -> tuple[Para[Diagram], Para[Diagram]]:
    """Two small maps that are neither linear nor even."""
    return model(formula([(X,), (X,)], lambda p, a: [_smooth(p[0], a[0])]), (X,)), model(
        formula([(X,), (X,)], lambda p, a: [functions.sigmoid(p[0] + a[0]) * p[0]]), (X,)
    )


def _by_hand(e: Discrepancy, f: Para[Diagram], rate: float) -> list[Any]:
    """The functor as it is defined: p - h grad_p E and the y at which d1 e(a, y) = grad_a E, of which R is E's."""
    from catlearn.reverse import reverse_derivative

    errors: dict[str, Any] = {
        "quadratic": lambda x, y: 0.5 * (x - y) * (x - y),
        "hyperbolic": lambda x, y: 0.5 * (functions.exp(x - y) + functions.exp(y - x)) - 1.0,
        "logistic": lambda x, y: functions.softplus(x) - x * y,
    }
    whole = formula([(X,)] * 3, lambda p, a, b: [errors[e.name](apply(f.diagram, p, a)[0], b[0])])
    gradient = reverse_derivative(whole)

    def slopes(p: Any, a: Any, b: Any) -> list[Wire]:
        return apply(gradient, p, a, b, [functions.constant(X, 1.0)])

    learner = gradient_learner(f, e, rate)
    asked = formula([(X,)] * 3, lambda p, a, b: [e.slope(a[0], apply(learner.request, p, a, b)[0])])
    return [
        (learner.update, formula([(X,)] * 3, lambda p, a, b: [p[0] - rate * slopes(p, a, b)[0]])),
        (asked, formula([(X,)] * 3, lambda p, a, b: [slopes(p, a, b)[1]])),
    ]


def _functor(f: Diagram, g: Diagram, P: Object, Q: Object, A: Object) -> list[Any]:
    pairs = _functorial(f, g, P, Q, A)
    if A and A[0].carrier == REAL:
        one, two = _layers()
        for e in (quadratic, hyperbolic, logistic):
            made = gradient_learner(one, e, 0.25) >> gradient_learner(two, e, 0.25)
            pairs += _same(gradient_learner(one >> two, e, 0.25), made) + _by_hand(e, one, 0.25)
    return pairs


def _invertible() -> list[Any]:
    """slope(b, s) is the gradient at b; with a - gradient for a request composites of hyperbolic learners differ."""
    one, two = _layers()
    wrong = Discrepancy("not inverted", hyperbolic.slope, lambda x, g: x - g)
    pairs: list[Any] = []
    for e, holds in ((hyperbolic, True), (wrong, False)):
        f, g, whole = (_unchecked(m, e) for m in (one, two, one >> two))
        composite = f >> g
        sides = (composite.update, whole.update)
        pairs.append(sides if holds else differ(*sides))
        slope = formula([(X,)] * 3, lambda q, b, c, e=e, g=g: [e.slope(b[0], apply(g.request, q, b, c)[0])])
        gradient = formula([(X,)] * 3, lambda q, b, c, e=e: _gradient(two, e, q, b, c)[1:])
        pairs.append((slope, gradient) if holds else differ(slope, gradient))
    return pairs


def _gradient(m: Para[Diagram], e: Discrepancy, p: Any, a: Any, b: Any) -> list[Wire]:
    from catlearn.reverse import reverse_derivative

    seed = [e.slope(apply(m.diagram, p, a)[0], b[0])]
    return apply(reverse_derivative(m.diagram), p, a, seed)


def _unchecked(m: Para[Diagram], e: Discrepancy) -> LearnMorphism:
    """The functor's formulas for a rule of one's own, invertible or not; parameters in Learn's order."""
    from catlearn.reverse import reverse_derivative

    P, n = m.parameter, len(m.parameter)
    order = list(range(n))[::-1]
    there = permute([*((space,) for space in P), m.dom], [*order, n]) >> m.diagram
    back = reverse_derivative(there)
    wires = [tuple(P[k] for k in order), m.dom, m.cod]

    def slopes(p: Any, a: Any, b: Any) -> list[Wire]:
        seeds = [e.slope(x, y) for x, y in zip(apply(there, p, a), b, strict=True)]
        return apply(back, p, a, seeds)

    update = formula(wires, lambda p, a, b: [x - d for x, d in zip(p, slopes(p, a, b)[:n], strict=True)])
    request = formula(wires, lambda p, a, b: [e.inverse(x, d) for x, d in zip(a, slopes(p, a, b)[n:], strict=True)])
    return LearnMorphism(wires[0], there, update, request)


def _requested(f: Diagram, P: Object, A: Object, B: Object, R: Operator) -> list[Any]:
    """a - R[f](p, a, f(p, a) - b) ; pi_A."""

    def request(p: Any, a: Any, b: Any) -> list[Wire]:
        wrong = [x - y for x, y in zip(apply(f, p, a), b, strict=True)]
        return [x - d for x, d in zip(a, apply(R(f), p, a, wrong)[len(p) :], strict=True)]

    return [(gradient_learner(model(f, P)).request, formula([P, A, B], request))]


def _equivalent(f: Diagram, P: Object, A: Object, B: Object) -> list[Pair | tuple[Any, Any]]:
    """Updates commute with p -> -p and with exchanging two parameters; over the reals with a rotation, not with 2 q."""
    pairs: list[Any] = []
    orthogonal = [formula([P], lambda p: [-x for x in p])]
    if len(P) == 2 and P[0] == P[1]:
        orthogonal.append(swap(P[:1], P[1:]))
    if len(P) == 2 and P[0] == P[1] and P[0].carrier == REAL:
        c, s = float(np.cos(0.7)), float(np.sin(0.7))
        orthogonal.append(formula([P], lambda p: [c * p[0] - s * p[1], s * p[0] + c * p[1]]))
    pairs += [_moved(f, alpha, A, B) for alpha in orthogonal]
    if P and P[0].carrier == REAL:
        product = formula([(X,), (X,)], lambda p, a: [p[0] * a[0] + a[0]])
        pairs.append(differ(*_moved(product, formula([(X,)], lambda p: [2.0 * p[0]]), (X,), (X,))))
    return pairs


def _moved(f: Diagram, alpha: Diagram, A: Object, B: Object) -> tuple[Diagram, Diagram]:
    """The update of f after alpha, followed by alpha; and alpha followed by the update of f."""
    before = gradient_learner(model((alpha @ identity(A)) >> f, alpha.dom)).update
    return before >> alpha, (alpha @ identity(A + B)) >> gradient_learner(model(f, alpha.cod)).update


RING = ("own", "subtract")
LEARN: tuple[Law, ...] = (
    Law("LRN.def", "a learner A -> B is P, P A -> B, P A B -> P, P A B -> A", BF, FIRST, _typed),
    Law("LRN.comp", "J(q, b); U(p, a, s(q, b, c)), V(q, b, c); r(p, a, s(q, b, c)), with b = I(p, a)", BF,
        f"{FIRST}, {SECOND}", _composite),
    Law("LRN.id", "(1, 1_A, !, pi_1)", BF, "A", _identity),
    Law("LRN.tensor", "component by component, P before Q", BF, f"{FIRST}, {BESIDE}", _tensor),
    Law("LRN.assoc", "(f ; g) ; h = f ; (g ; h)", BF, f"{FIRST}, {SECOND}, {THIRD}", _associative),
    Law("LRN.unit", "1 ; f = f = f ; 1", BF, FIRST, _unital),
    Law("LRN.para", "Learn is Para of lenses (A, A) -> (B, B), after P x Q <-> Q x P", LL, f"{FIRST}, {SECOND}",
        _lenses),
    Law("LRN.functor", "L(f ; g) = L(f) ; L(g), L(f x g) = L(f) x L(g), L(1) = 1", BF,
        "f: P A -> B, g: Q B -> C", _functor, RING),
    Law("LRN.invertibility", "the request reproduces the gradient; a - grad does not, unless e is quadratic", BF, "",
        _invertible, ("shipped", "real")),
    Law("LRN.request", "quadratic: a - R[f](p, a, f(p, a) - b) ; pi_A", BF, "f: P A -> B", _requested, RING),
    Law("LRN.equiv", "updates respect orthogonal reparametrisations, and not p = 2 q", BF, "f: P A -> B", _equivalent,
        RING),
)  # fmt: skip
"""The laws of Learn."""
