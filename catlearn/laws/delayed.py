"""Laws of the delayed trace, each on the unrolling of three steps.

A random body X x ∂M -> Y x M is f : S A -> T B M at time 0, where nothing was fed back, and g : T C M -> T E M later.
"""

from __future__ import annotations

from typing import Any

from catlearn.diagram import Diagram, discard, identity, permute, wiring
from catlearn.laws.causal import DT, STEPS, Sides, alike, cut, items_of, random_map, same, steady
from catlearn.laws.law import Law, apply, formula
from catlearn.space import Object, changes
from catlearn.systems.causal import delay, derivative, lift
from catlearn.systems.delayed_trace import delayed_trace, feedback, start, unit_delay
from catlearn.systems.sequences import Sequence as Times
from catlearn.systems.sequences import along

__all__ = ["DELAYED"]


def _definition(
    i: Diagram, f: Diagram, g: Diagram, P: Object, S: Object, T: Object, M: Object, j: Diagram, h: Diagram, N: Object
) -> Sides:
    body = random_map(i, f, g, S, T, P)
    whole = delayed_trace(body, M)

    def run(p: Any, *items: Any) -> list[Any]:
        state, back, outputs = apply(i, p), list[Any](), list[Any]()
        for k, item in enumerate(items):
            out = body.cod[k]
            ends = [body.states[k + 1], out[: len(out) - len(M)], M]
            state, output, back = cut(apply(body.steps[k], p, state, item, back), ends)
            outputs += output
        return outputs

    X = h.dom[: len(h.dom) - len(N)]
    return [
        (whole.unrolled(STEPS).diagram, formula([P, *items_of(whole)], run)),
        (whole.states, along(1, lambda k: body.states[k] + (M if k else ()))),
        same(feedback(h, j), delayed_trace((lift(identity(X)) @ start(N, j)) >> h, N)),
    ]


def _tighten(
    i: Diagram, f: Diagram, g: Diagram, a: Diagram, b: Diagram, h: Diagram, k: Diagram, S: Object, T: Object, M: Object
) -> Sides:
    body, before, after = random_map(i, f, g, S, T), lift(Times((a,), b)), lift(Times((h,), k))
    one, late = lift(identity(M)), lift(along(1, lambda time: identity(M if time else ())))
    return [same(delayed_trace((before @ late) >> body >> (after @ one), M), before >> delayed_trace(body, M) >> after)]


def _over_nothing(i: Diagram, f: Diagram, g: Diagram, S: Object, T: Object) -> Sides:
    body = random_map(i, f, g, S, T)
    return [(delayed_trace(body, ()), body)]


def _vanish(i: Diagram, f: Diagram, g: Diagram, S: Object, T: Object, M: Object, N: Object) -> Sides:
    body = random_map(i, f, g, S, T)
    return [same(delayed_trace(body, M + N), delayed_trace(delayed_trace(body, N), M))]


def _strength(
    i: Diagram, f: Diagram, g: Diagram, j: Diagram, h: Diagram, S: Object, T: Object, U: Object, M: Object
) -> Sides:
    body, more = random_map(i, f, g, S, T), steady(j, h, U)
    return [same(delayed_trace(more @ body, M), more @ delayed_trace(body, M))]


def _slide(
    i: Diagram, f: Diagram, g: Diagram, j: Diagram, h: Diagram, k: Diagram,
    A: Object, B: Object, C: Object, E: Object, M: Object, N: Object, S: Object, T: Object, U: Object, V: Object,
) -> Sides:  # fmt: skip
    body, along_h = random_map(i, f, g, S, T), random_map(j, h, k, U, V)
    inputs, outputs = lift(Times((A,), C).map(identity)), lift(Times((B,), E).map(identity))
    return [same(delayed_trace(body >> (outputs @ along_h), N), delayed_trace((inputs @ delay(along_h)) >> body, M))]


def _yank(A: Object, C: Object) -> Sides:
    X = Times((A,), C)
    items = [X[k] for k in range(STEPS)]
    late = unit_delay(X)
    return [
        (late.cod, X.delayed(())),
        (late.unrolled(STEPS).diagram, identity(sum(items[:-1], ())) @ discard(items[-1])),
        (late.states, X.delayed(())),
    ]


def _derivative(i: Diagram, f: Diagram, g: Diagram, S: Object, T: Object, M: Object) -> Sides:
    """D*(dtr f) = dtr((f, D* f)), over M x M'."""
    body = random_map(i, f, g, S, T)
    both = body @ derivative(body)

    def read(k: int) -> Diagram:
        late = M if k else ()
        X = body.dom[k][: len(body.dom[k]) - len(late)]
        return permute([X, changes(X), late, changes(late)], [0, 2, 0, 2, 1, 3])

    def give(k: int) -> Diagram:
        y = len(body.cod[k]) - len(M)  # what comes is Y M Y' M', and what goes is Y' M M'
        return wiring(
            both.cod[k],
            [*range(y + len(M), 2 * y + len(M)), *range(y, y + len(M)), *range(2 * y + len(M), 2 * (y + len(M)))],
        )

    whole = lift(along(1, read)) >> both >> lift(along(1, give))
    return [alike(derivative(delayed_trace(body, M)), delayed_trace(whole, M + changes(M)))]


_BODY = "i: 1 -> S, f: S A -> T B M, g: T C M -> T E M"
DELAYED: tuple[Law, ...] = (
    Law(
        "DTR.def",
        "dtr(f) hands what is on M at k to ∂M at k + 1; a feedback with initial values is dtr((1 x start) ; f)",
        DT,
        "i: P -> S, f: P S A -> T B M, g: P T C M -> T E M, j: 1 -> N, h: F N -> G N",
        _definition,
    ),
    Law(
        "DTR.tighten",
        "dtr((a x 1) ; f ; (b x 1)) = a ; dtr(f) ; b",
        DT,
        f"{_BODY}, a: F -> A, b: G -> C, h: B -> H, k: E -> K",
        _tighten,
    ),
    Law("DTR.vanish1", "dtr over 1 is f", DT, "i: 1 -> S, f: S A -> T B, g: T C -> T E", _over_nothing),
    Law(
        "DTR.vanish2",
        "dtr over M x N is dtr over M of dtr over N",
        DT,
        "i: 1 -> S, f: S A -> T B M N, g: T C M N -> T E M N",
        _vanish,
    ),
    Law("DTR.strength", "dtr(g x f) = g x dtr(f)", DT, f"{_BODY}, j: 1 -> U, h: U F -> U G", _strength),
    Law(
        "DTR.slide",
        "dtr_N(f ; (1 x h)) = dtr_M((1 x ∂h) ; f) for h: M -> N, f: X x ∂N -> Y x M",
        DT,
        "i: 1 -> S, f: S A -> T B M, g: T C N -> T E M, j: 1 -> U, h: U M -> V N, k: V M -> V N",
        _slide,
    ),
    Law("DTR.yank", "dtr(swap : X x ∂X -> ∂X x X) is the unit delay X -> ∂X, not 1", DT, "A, C", _yank),
    Law("DTR.D", "D*(dtr f) = dtr((f, D* f)), over M x M'", DT, _BODY, _derivative),
)
"""The laws of the delayed trace."""
