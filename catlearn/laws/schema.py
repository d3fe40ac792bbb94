"""Laws of schemas: paths as composites with tied edges, and equations as losses."""

from __future__ import annotations

from functools import reduce
from itertools import product
from operator import add
from typing import Any

from catlearn import functions, optimisers
from catlearn.diagram import Diagram, identity
from catlearn.laws.derivatives import Operator
from catlearn.laws.law import Law, apply, formula
from catlearn.laws.learners import model, with_defaults
from catlearn.para import Para, parametrised
from catlearn.semirings import REAL
from catlearn.space import Object, changes
from catlearn.systems.schema import Interpretation, Schema, tied
from catlearn.systems.schema_training import schema_learner

__all__ = ["SCHEMA"]

CDL = "Gavranovic, Compositional deep learning (1907.08292)"

CYCLE = Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = X", "g ; f = Y"])
PATHS = ("X", "f", "f ; g", "f ; g ; f", "f ; g ; f ; g")


def _cycle(f: Diagram, g: Diagram, P: Object, Q: Object) -> Interpretation:
    """Two objects, f there and g back."""
    spaces = {"X": f.dom[len(P) :], "Y": f.cod}
    return CYCLE.interpret(spaces, {"f": model(f, P), "g": model(g, Q)})


def _paths(f: Diagram, g: Diagram, P: Object, Q: Object) -> list[Any]:
    """A path is run edge by edge, each with its one parameter; a path and another that follows it make their own."""
    A, pairs, F = f.dom[len(P) :], list[Any](), _cycle(f, g, P, Q)

    def along(path: str, q: Any, p: Any, a: Any) -> list[Any]:
        for name in path.replace("X", "").split(" ; "):
            a = apply(f, p, a) if name == "f" else apply(g, q, a) if name == "g" else a
        return list(a)

    for path in PATHS:
        given = [Q if "g" in path else (), P if "f" in path else (), A]
        wanted = formula(given, lambda q, p, a, path=path: along(path, q, p, a))
        pairs += [(F.path(path).morphism, wanted), (F.path(path).parameter, given[0] + given[1])]
    for first, second in product(PATHS, PATHS):
        one, two = CYCLE.path(first), CYCLE.path(second)
        if one.target == two.source:
            pairs.append((F.path(one >> two), tied(F.path(one) >> F.path(two))))
    return [*pairs, (F.path("X"), Para.of(identity(A))), *_together(F, f, g, P, Q)]


def _together(F: Interpretation, f: Diagram, g: Diagram, P: Object, Q: Object) -> list[Any]:
    """Several paths at one sample of each object, in the order of the objects, share their edges' parameters too."""
    A, B = f.dom[len(P) :], f.cod
    many = F.together("g ; f", "f", "Y")

    def values(p: Any, q: Any, a: Any, b: Any) -> list[Any]:
        return [*apply(f, p, apply(g, q, b)), *apply(f, p, a), *b]

    return [(many.morphism, formula([P, Q, A, B], values)), (many.parameter, P + Q), (many.dom, A + B)]


def _sum(*parts: list[Any]) -> list[Any]:
    return [reduce(add, wires) for wires in zip(*parts, strict=True)]


def _around(f: Diagram, g: Diagram, R: Operator, q: Any, p: Any, a: Any, b: Any, back: Any, forth: Any) -> Any:
    """What comes back to (q, p, a, b) from g(f(a)) and f(g(b)): to p and q the sum over both paths."""
    q1, y = _split(apply(R(g), q, apply(f, p, a), back), len(q))
    p1, a1 = _split(apply(R(f), p, a, y), len(p))
    p2, x = _split(apply(R(f), p, apply(g, q, b), forth), len(p))
    q2, b1 = _split(apply(R(g), q, b, x), len(q))
    return _sum(q1, q2), _sum(p1, p2), a1, b1


def _split(wires: list[Any], n: int) -> tuple[list[Any], list[Any]]:
    return wires[:n], wires[n:]


def _both_paths(f: Diagram, g: Diagram, P: Object, Q: Object, R: Operator) -> list[Any]:
    """The sides of both equations: f and g take the sum over the paths; over the reals, of the L1 loss too."""
    A, B, F = f.dom[len(P) :], f.cod, _cycle(f, g, P, Q)
    many = F.together("f ; g", "X", "g ; f", "Y")

    def put(q: Any, p: Any, a: Any, b: Any, back: Any, a_back: Any, forth: Any, b_back: Any) -> list[Any]:
        q1, p1, a1, b1 = _around(f, g, R, q, p, a, b, back, forth)
        return [*q1, *p1, *_sum(a1, a_back), *_sum(b1, b_back)]

    wanted = formula([Q, P, A, B, changes(A), changes(A), changes(B), changes(B)], put)
    return [(many.lens().morphism.put, wanted), *(_losses(F, f, g, P, Q, R) if _real(P + Q + A + B) else [])]


def _real(spaces: Object) -> bool:
    return all(space.carrier == REAL for space in spaces)


def _apart(f: Diagram, g: Diagram, q: Any, p: Any, a: Any, b: Any) -> tuple[list[Any], list[Any]]:
    """The signs of g(f(a)) - a and of f(g(b)) - b: what the L1 distance sends back."""
    around = apply(g, q, apply(f, p, a)), apply(f, p, apply(g, q, b))
    first, second = (
        [functions.sign(x - y) for x, y in zip(z, w, strict=True)] for z, w in zip(around, (a, b), strict=True)
    )
    return first, second


def _losses(F: Interpretation, f: Diagram, g: Diagram, P: Object, Q: Object, R: Operator) -> list[Any]:
    """The closed learner of sum |g(f(a)) - a| + sum |f(g(b)) - b|."""
    if not P + Q:
        return []

    def put(q: Any, p: Any, a: Any, b: Any) -> list[Any]:
        back, forth = ([-x for x in side] for side in _apart(f, g, q, p, a, b))
        q1, p1, a1, b1 = _around(f, g, R, q, p, a, b, back, forth)
        return [*q1, *p1, *_sum(a1, [-x for x in back]), *_sum(b1, [-x for x in forth])]

    learner = schema_learner(F, optimisers.gd(0.1))
    return [(learner.closed().morphism.put, formula([Q, P, *F.spaces.values()], put))]


def _judge(spaces: Object) -> Para[Diagram]:
    """The critic sum_k sum sin(q_k x_k)."""
    n = len(spaces)

    def judgement(*wires: Any) -> Any:
        return reduce(add, [functions.sum(functions.sin(q * x)) for q, x in zip(wires[:n], wires[n:], strict=True)])

    return parametrised("judge", {f"q{k}": space for k, space in enumerate(spaces)}, spaces, judgement)


def _games(f: Diagram, g: Diagram, P: Object, Q: Object, R: Operator) -> list[Any]:
    """A critic at Y judges f(a) and b; the edges descend what it climbs, or by their own way of being judged."""
    F, pairs = _cycle(f, g, P, Q), list[Any]()
    A, B = F.spaces.values()
    if not (_real(P + Q + A + B) and P and B):
        return pairs
    judge, ascent = _judge(B), optimisers.gd(0.1)
    weights = {"Y": 2.0, "f ; g = X": 0.5}
    for name, (fake, real, push) in SEEDS.items():
        learner = schema_learner(F, ascent, critics={"Y": judge}, objective=name, weights=weights)

        def step(d: Any, p: Any, q: Any, a: Any, b: Any, fake: Any = fake, real: Any = real, push: Any = push) -> Any:
            made, e = apply(f, p, a), R(judge.morphism)
            (on_fake,), (on_real,) = apply(judge.morphism, d, made), apply(judge.morphism, d, b)
            d1, _ = _split(apply(e, d, made, [fake(on_fake)]), len(d))
            d2, _ = _split(apply(e, d, b, [real(on_real)]), len(d))
            _, pushed = _split(apply(e, d, made, [push(on_fake)]), len(d))
            p1, _ = _split(apply(R(f), p, a, pushed), len(p))
            back, forth = _apart(f, g, q, p, a, b)
            q2, p2, _, _ = _around(f, g, R, q, p, a, b, [0.5 * x for x in back], forth)
            critic = [x + 0.2 * c for x, c in zip(d, _sum(d1, d2), strict=True)]
            edge = [x + 0.2 * c - 0.1 * e for x, c, e in zip(p, p1, p2, strict=True)]
            return [*critic, *edge, *(x - 0.1 * c for x, c in zip(q, q2, strict=True))]

        pairs.append((with_defaults(learner), formula([B, P, Q, A, B], step)))
    return pairs


def _one(x: Any) -> Any:
    return functions.constant(x.space, 1.0)


SEEDS: dict[str, tuple[Any, Any, Any]] = {
    "wgan": (lambda fake: -_one(fake), _one, _one),
    "non-saturating": (
        lambda fake: -functions.sigmoid(fake),
        lambda real: functions.sigmoid(-real),
        lambda fake: functions.sigmoid(-fake),
    ),
    "least-squares": (lambda fake: -2.0 * fake, lambda real: 2.0 - 2.0 * real, lambda fake: 2.0 - 2.0 * fake),
}
"""What some games send to the critic by the fake and by the real judgement, and what the edge climbs by."""

SCHEMA: tuple[Law, ...] = (
    Law(
        "CDL.schema",
        "F(1) = 1, F(p ; q) = F(p) ; F(q) with a repeated edge tied; critics and equations move the edges by their sum",
        CDL,
        "f: P A -> B, g: Q B -> A, P, Q",
        lambda f, g, P, Q, R: [*_paths(f, g, P, Q), *_games(f, g, P, Q, R)],
    ),
    Law(
        "CDL.cycle",
        "|g(f(a)) - a| + |f(g(b)) - b|: what comes back to f and to g is the sum over both paths",
        CDL,
        "f: P A -> B, g: Q B -> A, P, Q",
        _both_paths,
    ),
)
"""The laws of schemas."""
