"""Laws of reverse derivative ascent."""

from __future__ import annotations

from typing import Any

from catlearn import functions, losses, optimisers
from catlearn.diagram import Diagram
from catlearn.laws.derivatives import Operator
from catlearn.laws.law import Law, Pair, apply, at_points, differ, formula
from catlearn.laws.learners import model, with_defaults
from catlearn.learner import closed, supervised
from catlearn.para import Para
from catlearn.semirings import REAL, Z2
from catlearn.space import Object, Space

__all__ = ["ASCENT"]

RDA = "Wilson and Zanasi, Reverse derivative ascent (2101.10488)"


def _rda(f: Diagram, P: Object, A: Object, R: Operator) -> list[Any]:
    """p + R[f](p, a, f(p, a) + y) over Z2; over a ring the error is y - f(p, a)."""
    if not f.cod:
        return []
    loss = losses.exclusive_or if all(s.carrier == Z2 for s in f.cod) else losses.difference
    learner = supervised(model(f, P), loss, optimisers.reverse_derivative_ascent())

    def step(p: Any, y: Any, a: Any) -> list[Any]:
        wrong = [t - g for g, t in zip(apply(f, p, a), y, strict=True)]
        return [x + d for x, d in zip(p, apply(R(f), p, a, wrong)[: len(p)], strict=True)]

    return [(learner.step(), formula([P, f.cod, A], step))]


def _composite(f: Diagram, P: Object, A: Object, R: Operator) -> list[Any]:
    """Over Z2 the step is the put of ascent over model ; exclusive or ; identity cap."""
    if not f.cod:
        return []
    whole = closed(model(f, P), losses.exclusive_or).morphism.put
    n, labels = len(P), f.cod
    moved = formula(
        [P, labels, A],
        lambda p, y, a: [x + d for x, d in zip(p, apply(whole, y, p, a)[len(y) : len(y) + n], strict=True)],
    )
    return [*_rda(f, P, A, R), (_rda(f, P, A, R)[0][0], moved)]


def _fixpoint(f: Diagram, P: Object, A: Object) -> list[Any]:
    """A correct prediction changes nothing."""
    if not f.cod:
        return []
    loss = losses.exclusive_or if all(s.carrier == Z2 for s in f.cod) else losses.difference
    step = supervised(model(f, P), loss, optimisers.reverse_derivative_ascent()).step()
    right = formula([P, A], lambda p, a: apply(step, p, apply(f, p, a), a))
    stays = formula([P, A], lambda p, a: p)
    real = any(space.carrier == REAL for space in f.dom)
    return [(right, stays) if real else (at_points(right, stays))]


def _real(f: Diagram, P: Object, A: Object, R: Operator) -> list[Any]:
    """Over the reals it is gradient descent on half the square with rate one."""
    if not f.cod:
        return []
    ascent = supervised(model(f, P), losses.difference, optimisers.reverse_derivative_ascent())
    descent = supervised(model(f, P), losses.quadratic, optimisers.gd(1.0))
    return [(ascent.step(), with_defaults(descent))]


def lookup(bits: int) -> Para[Diagram]:
    """The look-up table of that many bits over Z2 (RDA.lut)."""
    from catlearn.layers import lookup_table

    return lookup_table(bits, 1)


def _table() -> list[Any]:
    """One pass over the 2^n points learns any table, from any parameters."""
    n = 2
    bit = Space((), Z2)
    layer = lookup(n)
    learner = supervised(layer, losses.exclusive_or, optimisers.reverse_derivative_ascent())
    step = learner.step()
    rows = [[(k >> (n - 1 - j)) & 1 for j in range(n)] for k in range(2**n)]
    space = layer.parameter[0]

    def learn(theta: Any, *labels: Any) -> list[Any]:
        state = [theta]
        for row, label in zip(rows, labels, strict=True):
            given = functions.concatenate([functions.reshape(functions.constant(bit, b), (1,)) for b in row])
            state = apply(step, state, [functions.reshape(label, (1,))], [given])
        return [apply(layer.morphism, state, [_row(bit, row)])[0] for row in rows]

    dom = (space, *(bit,) * 2**n)
    trained = formula([dom], lambda w: learn(*w))
    expected = formula([dom], lambda w: [functions.reshape(label, (1,)) for label in w[1:]])
    return [at_points(trained, expected)]


def _row(bit: Space, row: list[int]) -> Any:
    return functions.concatenate([functions.reshape(functions.constant(bit, b), (1,)) for b in row])


def _no_descent() -> list[Pair]:
    """A step need not make a wrong prediction right where a parameter is used twice: f(p, a) = p p a over Z2."""
    bit = (Space((), Z2),)
    f = formula([bit, bit], lambda p, a: [p[0] * p[0] * a[0]])
    step = supervised(model(f, bit), losses.exclusive_or, optimisers.reverse_derivative_ascent()).step()
    before = formula([bit, bit, bit], lambda p, y, a: apply(f, p, a))
    after = formula([bit, bit, bit], lambda p, y, a: apply(f, apply(step, p, y, a), a))
    label = formula([bit, bit, bit], lambda p, y, a: y)
    return [at_points(before, after), differ(after, label, points=True)]


ASCENT: tuple[Law, ...] = (
    Law("RDA.step", "p + R[f](p, a, f(p, a) + y) over Z2; y - f(p, a) over a ring", RDA, "f: P A -> B, P, A", _rda,
        ("own", "add", "negate")),
    Law("RDA.composite", "the put of ascent over model ; exclusive or ; identity cap", RDA, "f: P A -> B, P, A",
        _composite, ("Z2",)),
    Law("RDA.fixpoint", "a correct prediction changes nothing", RDA, "f: P A -> B, P, A", _fixpoint,
        ("own", "add", "negate")),
    Law("RDA.real", "over the reals it is gradient descent on half the square, rate one", RDA, "f: P A -> B, P, A",
        _real, ("real",)),
    Law("RDA.lut", "one pass over the 2^n points learns any table, from any parameters", RDA, "", _table,
        ("shipped", "Z2")),
    Law("RDA.noiter", "a step need not reduce the error: f(p, a) = p p a never learns", RDA, "", _no_descent,
        ("shipped", "Z2")),
)  # fmt: skip
"""The laws of reverse derivative ascent."""
