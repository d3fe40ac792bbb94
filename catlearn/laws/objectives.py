"""Laws of losses and of caps: each loss's reverse as its formula, and what a cap does to the update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catlearn import functions, losses
from catlearn.diagram import Diagram, discard
from catlearn.generators.opaque import from_jax
from catlearn.laws.derivatives import CF, Operator
from catlearn.laws.law import Law, Pair, apply, differ, formula
from catlearn.laws.oracles import by_jax, formal_derivative
from catlearn.learner import closed
from catlearn.lens import Lens, Sides
from catlearn.losses import Cap, Loss, constant_cap, identity_cap, negation_cap
from catlearn.para import Para
from catlearn.parameters import Parameter, Signature
from catlearn.semirings import REAL
from catlearn.space import Object, changes

__all__ = ["OBJECTIVES"]

Reverse = Callable[[Any, Any, Any], tuple[Any, Any]]


def _is_a_loss(e: Loss, B: Object, R: Operator) -> list[Any]:
    """e : Y x B -> L with the label first, and its reverse is its derivative."""
    whole = e.para(B)
    pairs: list[Any] = [
        (whole.parameter, e.labels(B)),
        (whole.dom, B),
        (len(whole.cod), len(B)),
        (R(whole.morphism).cod, changes(e.labels(B) + B)),
    ]
    if any(space.carrier == REAL for space in whole.cod):
        return [*pairs, Pair(R(whole.morphism), by_jax(whole.morphism), partial=True)]
    from catlearn.functors.symbolic import polynomials

    return [*pairs, (polynomials(R(whole.morphism)), formal_derivative(whole.morphism))]


def _reverse_is(loss: Loss, reverse: Reverse, value: Callable[[Any, Any], Any], vectors: bool = False) -> Any:
    """On one wire b of each kind: e is `value(label, b)`, and R[e] is `reverse(label, b, a)`, in plain JAX."""

    def sides(A: Object, R: Operator) -> list[tuple[Diagram, Diagram]]:
        pairs = []
        for space in A:
            if space.shape or not vectors:
                e = loss.para(space).morphism
                pairs.append((e, from_jax(value, e.dom, e.cod)))
                pairs.append((R(e), from_jax(reverse, e.dom + changes(e.cod), changes(e.dom))))
        return pairs

    return sides


def _jax(name: str) -> Any:
    """A function of `jax.numpy` or `jax.nn`, looked up when it is called."""

    def call(*arguments: Any) -> Any:
        import jax

        home = jax.numpy if hasattr(jax.numpy, name) else jax.nn
        return getattr(home, name)(*arguments)

    return call


_sum, _log_softmax, _softmax, _sigmoid, _log = map(_jax, ("sum", "log_softmax", "softmax", "sigmoid", "log"))


def _cross_entropy(t: Any, p: Any) -> Any:
    return -_sum(t * _log(_sigmoid(p)) + (1 - t) * _log(1 - _sigmoid(p)))


ROWS: tuple[tuple[str, str, Loss, Reverse, Callable[[Any, Any], Any], bool], ...] = (
    (
        "LOSS.quadratic",
        "e = 1/2 sum (b_p - b_t)^2, R[e] = (a (b_t - b_p), a (b_p - b_t))",
        losses.quadratic,
        lambda t, p, a: (a * (t - p), a * (p - t)),
        lambda t, p: 0.5 * _sum((p - t) ** 2),
        False,
    ),
    (
        "LOSS.mse",
        "e = 1/n sum (b_p - b_t)^2, b_p' = 2 a / n (b_p - b_t)",
        losses.mean_squared_error,
        lambda t, p, a: (2 * a / p.size * (t - p), 2 * a / p.size * (p - t)),
        lambda t, p: _sum((p - t) ** 2) / p.size,
        False,
    ),
    (
        "LOSS.softmaxce",
        "e = -sum b_t log softmax(b_p), R[e] = (-a log softmax(b_p), a (softmax(b_p) sum(b_t) - b_t))",
        losses.softmax_cross_entropy,
        lambda t, p, a: (-a * _log_softmax(p), a * (_softmax(p) * _sum(t) - t)),
        lambda t, p: -_sum(t * _log_softmax(p)),
        True,
    ),
    (
        "LOSS.sigmoidbce",
        "e = -(b_t log s(b_p) + (1 - b_t) log(1 - s(b_p))), b_p' = a (s(b_p) - b_t)",
        losses.sigmoid_cross_entropy,
        lambda t, p, a: (-a * p, a * (_sigmoid(p) - t)),
        _cross_entropy,
        False,
    ),
    (
        "LOSS.dot",
        "e = b_t . b_p, R[e] = (a b_p, a b_t)",
        losses.dot,
        lambda t, p, a: (a * p, a * t),
        lambda t, p: _sum(t * p),
        False,
    ),
)
"""Identifier, statement, loss, its reverse and its value in plain JAX, and whether it needs a vector."""


def _xor(A: Object, R: Operator) -> list[tuple[Diagram, Diagram]]:
    e = losses.exclusive_or.para(A).morphism if A else None
    if e is None:
        return []
    sums = formula([A, A], lambda t, p: [x + y for x, y in zip(t, p, strict=True)])
    return [(e, sums), (R(e), formula([A, A, A], lambda t, p, a: [*a, *a]))]


def _difference(A: Object, R: Operator) -> list[tuple[Diagram, Diagram]]:
    e = losses.difference.para(A).morphism if A else None
    if e is None:
        return []
    return [(R(e), formula([A, A, A], lambda t, p, a: [*(-x for x in a), *a]))]


def _is_a_cap(e: Loss, B: Object) -> list[tuple[Any, Any]]:
    """A lens (L, L') -> (1, 1): get is forced, put is any map L -> L'."""
    spaces = e.para(B).cod
    pairs: list[tuple[Any, Any]] = []
    for cap in (e.cap, constant_cap(1)):
        lens = cap.lens(spaces)
        pairs += [(lens.dom, Sides.of(spaces)), (lens.cod, Sides((), ())), (lens.get, discard(spaces))]
    return pairs


def _cap_is(cap: Cap, rule: Callable[[Any], Any]) -> Any:
    return lambda A: [(cap.lens(A).put, formula([A], lambda loss: [rule(x) for x in loss]))]


def _constant(A: Object) -> list[Any]:
    minus = constant_cap(-1).lens(A).put
    ones = formula([A], lambda loss: [functions.constant(x.space.changes, -1) for x in loss])
    return [(minus, ones)]


def _slides(f: Diagram, e: Loss, B: Object, A: Object) -> list[tuple[Any, Any]]:
    """put(m ; cap_c) = c put(m ; cap_1) for an R-lens m."""
    model = Para((), A, f) >> e.para(B)
    lens, spaces = Lens.of(model.morphism), model.cod
    one, three = (lens >> constant_cap(c).lens(spaces) for c in (1, 3))
    thrice = formula([lens.get.dom], lambda x: [w * 3 for w in apply(one.put, x)])
    return [(three.put, thrice)] if all(s.carrier == REAL for s in lens.put.cod) else []


def _value_unused(f: Diagram, e: Loss, B: Object, A: Object, P: Object) -> list[Any]:
    """With a constant cap the value of the loss never matters: a constant added to it changes no cotangent."""
    shifted = Loss("shifted", lambda label, guess: e.error(label, guess) + 1, e.cap, e.matches, e.label)
    model = Para(P, A, f)
    pair = (closed(model, e).morphism.put, closed(model, shifted).morphism.put)
    return [pair] if e.cap.name.startswith("constant") else []


def _caps_differ(A: Object) -> list[Pair]:
    """Over a carrier in which one is not zero the constant and the identity cap are two."""
    return [differ(identity_cap.lens(A).put, constant_cap(1).lens(A).put)] if A else []


def _loss_dependent(A: Object, R: Operator) -> list[tuple[Any, Any]]:
    """alpha(l) = -l with the difference as loss is descent on half its square."""
    pairs = []
    for space in A:
        by_difference = closed(Para.of(Diagram((space,))), losses.difference, negation_cap)
        by_square = closed(Para.of(Diagram((space,))), _half_square, constant_cap(-1))
        pairs.append((by_difference.morphism.put, by_square.morphism.put))
    return pairs


def _by_label(A: Object) -> list[tuple[Diagram, Diagram]]:
    """Cross-entropy of a class number is that of the vector with a one at its place."""
    pairs = []
    for space in A:
        if len(space.shape) == 1 and space.size:
            by_number = losses.label_cross_entropy.para(space).morphism
            hot = formula([by_number.dom[:1], (space,)], lambda y, p: [functions.one_hot(y[0]), *p])
            pairs.append((by_number, hot >> losses.softmax_cross_entropy.para(space).morphism))
    return pairs


def _combined(e: Loss, B: Object) -> list[Any]:
    """(e + e').error is the sum, (c e).error is c times e."""
    one = e.para(B).morphism
    doubled, tripled = (e + e).para(B).morphism, (3.0 * e).para(B).morphism
    Y = e.labels(B)
    other = (0.5 * e) + e
    return [
        (doubled, formula([Y, B], lambda y, p: [x + x for x in apply(one, y, p)])),
        (tripled, formula([Y, B], lambda y, p: [x * 3.0 for x in apply(one, y, p)])),
        (other.para(B).morphism, formula([Y, B], lambda y, p: [x * 1.5 for x in apply(one, y, p)])),
        (other.cap, e.cap),
    ]


def _penalised(f: Diagram, e: Loss, P: Object, B: Object) -> list[Any]:
    """With cap -1 a parameter's change loses c p with l2(c), 3 c p with three times that, and c sign p with l1(c)."""
    if e.cap.name != "constant -1" or not P:
        return []
    names = tuple(Parameter(f"p{k}", space) for k, space in enumerate(P))
    model = Para(P, f.dom[len(P) :], f, Signature.layer(names, "model"))
    n, labels = len(P), len(e.labels(B))
    plain, thrice = closed(model, e).morphism.put, closed(model, 3.0 * e).morphism.put

    def less(put: Diagram, slope: Callable[[Any], Any]) -> Diagram:
        def run(*wires: Any) -> list[Any]:
            back = apply(put, wires)
            parameters = wires[labels : labels + n]
            lowered = [d - slope(p) for d, p in zip(back[labels : labels + n], parameters, strict=True)]
            return [*back[:labels], *lowered, *back[labels + n :]]

        return formula([put.dom], lambda w: run(*w))

    return [
        (closed(model, e + losses.l2(0.5)).morphism.put, less(plain, lambda p: 0.5 * p)),
        (closed(model, 3.0 * (e + losses.l2(0.5))).morphism.put, less(thrice, lambda p: 1.5 * p)),
        (closed(model, e + losses.l1(0.5)).morphism.put, less(plain, lambda p: 0.5 * functions.sign(p))),
    ]


_half_square = Loss(
    "half square", lambda t, p: (p - t) * (p - t) * 0.5, constant_cap(-1), losses.mean_squared_error.matches
)


OBJECTIVES: tuple[Law, ...] = (
    Law("LOSS.def", "a loss is (Y, e): B -> L, the label first; R[e] is its derivative", CF, "e: loss B", _is_a_loss),
    *(
        Law(name, statement, CF, "A", _reverse_is(loss, reverse, value, vectors), ("real",))
        for name, statement, loss, reverse, value, vectors in ROWS
    ),
    Law("LOSS.label", "cross-entropy of a class number is that of its one-hot vector", CF, "A", _by_label, ("real",)),
    Law("LOSS.sum", "losses add, and scale by numbers", CF, "e: loss B", _combined, ("real",)),
    Law(
        "LOSS.penalty",
        "l2(c) takes c p from a parameter's change, l1(c) takes c sign p",
        CF,
        "e: loss B, f: P A -> B, P",
        _penalised,
        ("real",),
    ),
    Law("LOSS.xor", "over Z2, e = b_t + b_p with L = B, R[e] = (a, a)", CF, "A", _xor, ("Z2",)),
    Law(
        "LOSS.difference",
        "over a ring, e = b_p - b_t with L = B, R[e] = (-a, a)",
        CF,
        "A",
        _difference,
        ("own", "negate"),
    ),
    Law("CAP.def", "a cap is a lens (L, L') -> (1, 1): get is !, put any map L -> L'", CF, "e: loss B", _is_a_cap),
    Law("CAP.const", "alpha(l) = -1", CF, "A", _constant, ("own", "negate")),
    Law(
        "CAP.id",
        "alpha(l) = l, another cap than the constant one",
        CF,
        "A",
        lambda A: [*_cap_is(identity_cap, lambda x: x)(A), *_caps_differ(A)],
        ("own", "add"),
    ),
    Law("CAP.neg", "alpha(l) = -l", CF, "A", _cap_is(negation_cap, lambda x: -x), ("own", "negate")),
    Law("CAP.lossdep", "alpha(l) = -l is descent on l^2 / 2", CF, "A", _loss_dependent, ("real",)),
    Law("CAP.slide", "put(m ; cap_c) = c put(m ; cap_1)", CF, "f: A -> B, e: loss B, A", _slides, ("real",)),
    Law(
        "CAP.loss unused",
        "with a constant cap the value of the loss never influences a change",
        CF,
        "f: P A -> B, e: loss B, A, P",
        _value_unused,
        ("real",),
    ),
)
"""The laws of losses and caps."""
